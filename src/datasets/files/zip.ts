/** The files of a ZIP archive by name, found through its directory; a file is unpacked when it is asked for. */

import { crc32, inflateRawSync } from 'node:zlib';
import { SourceError } from '../../core/kind.ts';

export interface ZipEntry {
  readonly name: string;
  /** @throws SourceError where the file is damaged, or packed in a way that is not read. */
  read(): Promise<Uint8Array>;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
/** Of the record at the end, without the comment that may follow it. */
const END_LENGTH = 22;
const LONGEST_COMMENT = 0xffff;
/** Stands where a number is too large for its place, and is told in an extra field. */
const ELSEWHERE = 0xffffffff;

const STORED = 0;
const DEFLATED = 8;
const ZSTD = 93;

/** @throws SourceError where the directory is not there or not whole. */
export function zipEntries(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return entriesOf(bytes, view);
  } catch (error) {
    if (error instanceof RangeError) throw cutShort();
    throw error;
  }
}

const cutShort = () =>
  new SourceError('this ZIP archive has no directory at its end', {
    hint: 'It may have been cut short: fetch it again.',
  });

function entriesOf(bytes: Uint8Array, view: DataView): ZipEntry[] {
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  let end = bytes.length - END_LENGTH;
  const earliest = Math.max(0, end - LONGEST_COMMENT);
  while (end >= earliest && u32(end) !== END) end--;
  if (end < earliest) throw cutShort();
  let [count, at] = [view.getUint16(end + 10, true), u32(end + 16)];
  if (end >= 20 && u32(end - 20) === LOCATOR_64) {
    const record = u64(end - 12);
    if (u32(record) === END_64) [count, at] = [u64(record + 32), u64(record + 48)];
  }
  const entries: ZipEntry[] = [];
  for (let index = 0; index < count; index++) {
    if (u32(at) !== ENTRY) throw cutShort();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const nameEnd = at + 46 + nameLength!;
    const wide = wideNumbers(view, nameEnd, extraLength!);
    // They stand in this order, each where its own place is full.
    const [size, packed, offset] = [u32(at + 24), u32(at + 20), u32(at + 42)].map((told) =>
      told === ELSEWHERE ? (wide.shift() ?? told) : told,
    );
    entries.push(
      entryAt(bytes, view, {
        name: new TextDecoder().decode(bytes.subarray(at + 46, nameEnd)),
        method: view.getUint16(at + 10, true),
        checksum: u32(at + 16),
        size: size!,
        packed: packed!,
        offset: offset!,
      }),
    );
    at = nameEnd + extraLength! + commentLength!;
  }
  return entries;
}

/** The numbers of 64 bits in an entry's extra fields. */
function wideNumbers(view: DataView, start: number, length: number): number[] {
  for (let at = start; at + 4 <= start + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const numbers = Math.floor(view.getUint16(at + 2, true) / 8);
    return Array.from({ length: numbers }, (_, index) => Number(view.getBigUint64(at + 4 + index * 8, true)));
  }
  return [];
}

interface Packed {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly size: number;
  readonly packed: number;
  readonly offset: number;
}

function entryAt(bytes: Uint8Array, view: DataView, entry: Packed): ZipEntry {
  const { name, method, checksum, size, packed, offset } = entry;
  const damaged = (why: string) =>
    new SourceError(`${JSON.stringify(name)} in this ZIP archive ${why}`, { hint: 'Fetch the archive again.' });
  return {
    name,
    async read() {
      let plain: Uint8Array;
      try {
        const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
        plain = await unpacked(bytes.subarray(start, start + packed), method, size);
      } catch (error) {
        if (error instanceof SourceError) throw error;
        throw damaged(`cannot be unpacked: ${(error as Error).message}`);
      }
      if (plain.length !== size || crc32(plain) !== checksum) throw damaged('is not what its checksum says');
      return plain;
    },
  };
}

async function unpacked(bytes: Uint8Array, method: number, size: number): Promise<Uint8Array> {
  if (method === STORED) return bytes;
  // A file that says it is small and unpacks to gigabytes is none of ours.
  if (method === DEFLATED) return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
  if (method === ZSTD) return (await import('hyparquet-compressors')).decompressZstd(bytes);
  throw new SourceError(`this ZIP archive is packed in a way that is not read (method ${method})`, {
    hint: 'Unpack it, and pack it again with deflate.',
  });
}
