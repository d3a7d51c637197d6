/** The bytes of a text file as UTF-8, whatever it was packed or encoded in. */

import { TextDecoder } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { SourceError } from '../../core/kind.ts';

/** How files begin that are no text. */
export const MAGIC = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  zip: [0x50, 0x4b, 0x03, 0x04],
  bzip2: [0x42, 0x5a, 0x68],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  sqlite: [...Buffer.from('SQLite format 3\0')],
  arrow: [...Buffer.from('ARROW1')],
  pdf: [...Buffer.from('%PDF')],
} as const;

/** What is not read, with what to do instead. */
const UNREAD = {
  zip: 'this is a ZIP archive, or a spreadsheet that is one: unpack it, or save the rows as CSV or JSON Lines',
  bzip2: 'this file is packed with bzip2: unpack it first, or pack it with gzip or zstd',
  xz: 'this file is packed with xz: unpack it first, or pack it with gzip or zstd',
  sqlite: 'this is an SQLite database: write the rows to a CSV or JSON Lines file',
  pdf: 'this is a PDF: write the rows to a CSV or JSON Lines file',
  arrow: 'this is an Arrow file: write the rows to a Parquet, CSV or JSON Lines file',
} as const;

/** Packed in packed in packed: a file that never ends is no data. */
const LAYERS = 3;

export const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, index) => bytes[index] === byte);

/** Undoes gzip and zstd. @throws SourceError where they are cut short, and for archives that hold several files. */
export async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  let plain = bytes;
  for (let layer = 0; layer < LAYERS; layer++) {
    if (startsWith(plain, MAGIC.gzip)) plain = undo('gzip', () => gunzipSync(plain));
    else if (startsWith(plain, MAGIC.zstd)) {
      // Few files are packed so, and no command but a build reads any.
      const { decompressZstd } = await import('hyparquet-compressors');
      plain = undo('zstd', () => decompressZstd(plain));
    } else break;
  }
  for (const [name, message] of Object.entries(UNREAD)) {
    if (!startsWith(plain, MAGIC[name as keyof typeof UNREAD])) continue;
    const [what = '', hint = ''] = message.split(/: (?=[^:]*$)/);
    throw new SourceError(what, { hint: `${hint[0]?.toUpperCase()}${hint.slice(1)}.` });
  }
  return plain;
}

function undo(name: string, work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch (error) {
    throw new SourceError(`this ${name} file cannot be unpacked: ${(error as Error).message}`, {
      hint: 'It may have been cut short: fetch or pack it again.',
    });
  }
}

/** The name of a file without what says how it is packed. */
export const unpackedName = (label: string): string =>
  label.replace(/[?#].*$/, '').replace(/\.(?:gz|gzip|zst|zstd)$/i, '');

/**
 * UTF-16 as UTF-8; all else as it is.
 * @throws SourceError for UTF-16 that ends in the middle of a character.
 */
export function utf8Of(bytes: Uint8Array): Uint8Array {
  const encoding = utf16Of(bytes);
  if (encoding === undefined) return bytes;
  try {
    return new TextEncoder().encode(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch {
    throw new SourceError('this file begins as UTF-16 and does not go on so', { hint: 'Save the file as UTF-8.' });
  }
}

/** How much of a file is looked at for UTF-16 without a mark. */
const LOOKED_AT = 200;

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  // Without a mark: data begins with punctuation and names of columns, of which every second byte is then zero.
  const start = bytes.subarray(0, LOOKED_AT);
  const zeros = (parity: number) => start.filter((byte, index) => index % 2 === parity && byte === 0).length;
  if (start.length < 4) return undefined;
  const [even, odd] = [zeros(0), zeros(1)];
  if (odd > start.length / 4 && even === 0) return 'utf-16le';
  if (even > start.length / 4 && odd === 0) return 'utf-16be';
  return undefined;
}

export const SAVE_AS_UTF8 =
  'Save the file as UTF-8; what is not may be Latin-1, which Excel and Windows call Windows-1252 or ANSI.';

/** @throws SourceError with the first line that is not UTF-8. */
export function decodeWhole(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SourceError('this line is not UTF-8 text', { line: firstBadLine(bytes), hint: SAVE_AS_UTF8 });
  }
}

function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    if (newline === -1) return line;
    start = end + 1;
  }
}
