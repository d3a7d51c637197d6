/** A file of rows, whatever its format: JSON Lines, JSON, CSV, tabs or Parquet, packed or not, told apart by content. */

import { SourceError, type SourceFile } from '../../core/kind.ts';
import { ProblemError } from '../../core/problem.ts';
import { withUsualNames } from './foreign-rows.ts';
import { readJsonArray, readJsonLines } from './json-lines.ts';
import { readJsonObject } from './json-object.ts';
import type { Table } from './records.ts';
import { MAGIC, startsWith, unpack, unpackedName, utf8Of } from './unpack.ts';

interface TableOptions {
  /** Texts that mean a missing value in CSV. */
  readonly missing: ReadonlySet<string>;
  /** Columns worth decoding of a columnar file, by top-level name. */
  readonly wanted: (column: string, columns: readonly string[]) => boolean;
}

/** The endings of the files that are read; `.gz` or `.zst` may follow. */
export const DATA_FILE = /\.(?:jsonl|ndjson|json|csv|tsv|tab|txt|parquet|pq|eval)(?:\.(?:gz|gzip|zst|zstd))?$/i;

const BLANK = [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf];
const BRACE = 0x7b;
const BRACKET = 0x5b;
const PARQUET = [0x50, 0x41, 0x52, 0x31];

/** @throws ProblemError where the file as a whole cannot be read. */
export async function readTable(file: SourceFile, options: TableOptions): Promise<Table> {
  try {
    return await readRecords(file, options);
  } catch (error) {
    // The engine names the first file of a source; here it may be any of several.
    if (!(error instanceof SourceError)) throw error;
    const { message, line, hint } = error;
    throw new ProblemError({
      id: 'CJE-BAD-DATA',
      headline: message,
      place: { file: file.label, ...(line === undefined ? {} : { line }) },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/**
 * The readers of formats that are packages of their own are loaded by the first file that needs them: most commands read
 * none.
 *
 * @throws SourceError where the file as a whole cannot be read.
 */
export async function readRecords({ bytes, label }: SourceFile, options: TableOptions): Promise<Table> {
  if (startsWith(bytes, MAGIC.zip)) {
    const { readInspectArchive } = await import('./inspect-log.ts');
    const log = await readInspectArchive(bytes, label);
    if (log !== undefined) return log;
  }
  const plain = await unpack(bytes);
  const name = unpackedName(label);
  if (startsWith(plain, PARQUET)) return parquetTable(plain, label, options.wanted);
  if (/\.(?:parquet|pq)$/i.test(name)) {
    throw new SourceError('this is not a Parquet file', {
      hint: 'Was an error page, or a pointer of Git LFS, saved in its place?',
    });
  }
  const text = utf8Of(plain);
  const first = text.find((byte) => !BLANK.includes(byte));
  if (first === BRACKET) return withUsualNames(readJsonArray(text, label));
  if (first === BRACE) return withUsualNames(readJsonObject(text, label) ?? readJsonLines(text, label));
  // A JSON file whose first line is broken would read as one odd column.
  if (/\.(?:jsonl|ndjson|json)$/i.test(name)) return readJsonLines(text, label);
  const { readCsv } = await import('./csv.ts');
  return readCsv(text, label, options.missing);
}

async function parquetTable(bytes: Uint8Array, file: string, wanted: TableOptions['wanted']): Promise<Table> {
  const { readParquet } = await import('./parquet.ts');
  const { rows, columns } = await readParquet(bytes, (all) => all.filter((column) => wanted(column, all)));
  const records = rows.map((fields, row) => ({ at: { file, line: undefined, row }, fields }));
  return { records, faults: [], columns };
}
