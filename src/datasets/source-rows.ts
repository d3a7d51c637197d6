/** The rows of a file of prompts, before anything is chosen of them: JSON Lines, a JSON array or Parquet, by content. */

import { TextDecoder } from 'node:util';
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { isJsonObject } from '../core/json.ts';
import { SourceError, type SourceFile } from '../core/kind.ts';

/** Where a row may have its prompt; the first that is there counts. All but the first are conversations. */
export const PROMPT_FIELDS = ['prompt', 'conversation_a', 'conversation', 'messages'] as const;

/** A row as the file has it. Fields that are absent are undefined, those that are empty null. */
export interface SourceRow {
  /** Counted from 0 over the rows of the file. */
  readonly row: number;
  /** For messages; undefined in files that have no lines. */
  readonly line: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** @throws SourceError where the file is not what it claims to be. */
export async function readSourceRows(file: SourceFile): Promise<SourceRow[]> {
  const { bytes, label } = file;
  if (isParquet(bytes)) return readParquet(bytes);
  if (/\.parquet$/i.test(pathOf(label))) {
    throw new SourceError('this is not a Parquet file', {
      hint: 'Was an error page, or a pointer of Git LFS, saved in its place?',
    });
  }
  return firstVisible(bytes) === 0x5b ? readJsonArray(bytes) : readJsonLines(bytes);
}

const pathOf = (label: string): string => label.replace(/[?#].*$/, '');

const isParquet = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x41 && bytes[2] === 0x52 && bytes[3] === 0x31;

/** The first byte that is neither white space nor part of a byte order mark. */
function firstVisible(bytes: Uint8Array): number | undefined {
  return bytes.find((byte) => ![0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].includes(byte));
}

const ONE_OBJECT = 'Each line is to be one JSON object with a prompt, such as {"prompt": "How do tides work?"}.';

function readJsonLines(bytes: Uint8Array): SourceRow[] {
  const rows: SourceRow[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    const text = decode(decoder, bytes.subarray(start, end), line);
    start = end + 1;
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new SourceError('this line is not JSON', { line, hint: ONE_OBJECT });
    }
    if (!isJsonObject(value)) throw new SourceError('this line is not a JSON object', { line, hint: ONE_OBJECT });
    rows.push({ row: rows.length, line, fields: value });
  }
  return rows;
}

function decode(decoder: TextDecoder, bytes: Uint8Array, line: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SourceError('this line is not UTF-8 text', { line, hint: 'Save the file as UTF-8.' });
  }
}

function readJsonArray(bytes: Uint8Array): SourceRow[] {
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new SourceError('this is not JSON', {
      hint: 'The file begins like an array of objects; one object a line, without brackets, is read too.',
    });
  }
  return (values as readonly unknown[]).map((value, row) => {
    if (!isJsonObject(value)) {
      throw new SourceError(`entry ${row + 1} of the array is not an object`, {
        hint: 'Each entry is to be an object with a prompt, such as {"prompt": "How do tides work?"}.',
      });
    }
    return { row, line: undefined, fields: value };
  });
}

async function readParquet(bytes: Uint8Array): Promise<SourceRow[]> {
  // hyparquet wants a buffer of its own; a view of a larger one has to be copied, which a Buffer's slice does not do.
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  const file = (whole ? bytes.buffer : new Uint8Array(bytes).buffer) as ArrayBuffer;
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'It may have been cut short: fetch it again.',
    });
  }
  const present = parquetSchema(metadata).children.map(({ element }) => element.name);
  const prompt = PROMPT_FIELDS.find((field) => present.includes(field));
  if (prompt === undefined) {
    throw new SourceError('this Parquet file has no column of prompts', {
      hint: `ListingResult for ${PROMPT_FIELDS.join(', ')}; it has ${present.join(', ')}.`,
    });
  }
  const columns = ['prompt_id', 'language', prompt].filter((column) => present.includes(column));
  try {
    const rows = await parquetReadObjects({ file, metadata, columns });
    return rows.map((fields, row) => ({ row, line: undefined, fields }));
  } catch (error) {
    throw new SourceError(`this Parquet file cannot be read: ${(error as Error).message}`, {
      hint: 'Snappy and uncompressed files are read; write it anew with one of those.',
    });
  }
}
