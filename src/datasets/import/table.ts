/** A file of rows, whatever its format: JSON Lines, a JSON array, CSV or Parquet, told apart by content. */

import { SourceError, type SourceFile } from '../../core/kind.ts';
import { ProblemError } from '../../core/problem.ts';
import { readCsv } from './csv.ts';
import { readJsonArray, readJsonLines } from './json-lines.ts';
import { readParquet } from './parquet.ts';
import type { Table } from './records.ts';

interface TableOptions {
  /** Texts that mean a missing value in CSV. */
  readonly missing: ReadonlySet<string>;
  /** Columns worth decoding, by top-level name. */
  readonly wanted: (column: string) => boolean;
}

const BLANK = [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf];
const BRACE = 0x7b;
const BRACKET = 0x5b;
const PARQUET = [0x50, 0x41, 0x52, 0x31];

/** @throws ProblemError where the file as a whole cannot be read. */
export async function readTable({ bytes, label }: SourceFile, options: TableOptions): Promise<Table> {
  try {
    return await read(bytes, label, options);
  } catch (error) {
    // The engine names the first file of a source; here it may be any of several.
    if (!(error instanceof SourceError)) throw error;
    const { message, line, hint } = error;
    throw new ProblemError({
      id: 'CJE-BAD-DATA',
      headline: message,
      place: { file: label, ...(line === undefined ? {} : { line }) },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

async function read(bytes: Uint8Array, label: string, { missing, wanted }: TableOptions): Promise<Table> {
  if (PARQUET.every((byte, index) => bytes[index] === byte)) return readParquet(bytes, label, wanted);
  if (/\.parquet$/i.test(label)) {
    throw new SourceError('this is not a Parquet file', {
      hint: 'Was an error page, or a pointer of Git LFS, saved in its place?',
    });
  }
  const first = bytes.find((byte) => !BLANK.includes(byte));
  if (first === BRACKET) return readJsonArray(bytes, label);
  // A JSON file whose first line is broken would read as one odd column.
  if (first === BRACE || /\.(jsonl|ndjson|json)$/i.test(label)) return readJsonLines(bytes, label);
  return readCsv(bytes, label, missing);
}
