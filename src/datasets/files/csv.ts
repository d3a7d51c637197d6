/** Rows of a CSV file: the first record names the columns; empty cells are missing values. */

import { CsvError, parse } from 'csv-parse/sync';
import { SourceError } from '../../core/kind.ts';
import type { SourceRecord, Table } from './records.ts';
import type { Position, RowMistake } from './row-mistakes.ts';
import { decodeWhole } from './unpack.ts';

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly bytes: number };
}

/**
 * @param missing texts that mean a missing value, beside the empty one
 * @throws SourceError for a header that names no columns, or quotes that never end.
 */
export function readCsv(bytes: Uint8Array, file: string, missing: ReadonlySet<string>): Table {
  // The parser would put a mark in place of what is no text, and two words would become one.
  decodeWhole(bytes);
  const parsed = parseRecords(bytes);
  const [header, ...rest] = parsed;
  if (header === undefined) return { records: [], faults: [] };
  const columns = header.record.map((name) => name.trim());
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined) throw new SourceError(`two columns are named ${JSON.stringify(twice)}`, { line: 1 });
  const records: SourceRecord[] = [];
  const faults: RowMistake[] = [];
  const lines = lineCounter(bytes);
  lines(header.info.bytes);
  for (const [row, { record, info }] of rest.entries()) {
    const at: Position = { file, line: lines(info.bytes), row };
    if (record.length !== columns.length) {
      const message = `this record has ${record.length} cells, the header ${columns.length}`;
      faults.push({ at, category: 'other cells than the header', message });
      continue;
    }
    const fields: Record<string, unknown> = Object.create(null);
    for (const [index, cell] of record.entries()) {
      const text = cell.trim();
      fields[columns[index]!] = text === '' || missing.has(text) ? null : cell;
    }
    records.push({ at, fields });
  }
  return { records, faults, columns };
}

/** The parser's types do not know that `info` wraps each record. */
function parseRecords(bytes: Uint8Array): readonly ParsedRecord[] {
  try {
    return parse(bytes, {
      bom: true,
      delimiter: delimiterOf(bytes),
      info: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly ParsedRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new SourceError(`this is not CSV: ${error.message.replace(/ at line \d+.*$/, '')}`, {
      ...(typeof error.lines === 'number' ? { line: error.lines } : {}),
      hint: 'A cell that holds a quote, a comma or a line break stands in double quotes, its own quotes doubled.',
    });
  }
}

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

const DELIMITERS = [',', '\t', ';', '|'];

/** What stands most often between the names of the header; what is inside quotes is a name. */
function delimiterOf(bytes: Uint8Array): string {
  const counts = new Map(DELIMITERS.map((delimiter) => [delimiter, 0]));
  let quoted = false;
  for (const byte of bytes) {
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === NEWLINE || byte === RETURN)) break;
    else if (!quoted) {
      const character = String.fromCharCode(byte);
      const count = counts.get(character);
      if (count !== undefined) counts.set(character, count + 1);
    }
  }
  const most = Math.max(...counts.values());
  return DELIMITERS.find((delimiter) => counts.get(delimiter) === most)!;
}

/** Called with the ends of the records in order, says on which line each begins; quoted line breaks count as lines. */
function lineCounter(bytes: Uint8Array): (end: number) => number {
  let position = 0;
  let line = 1;
  return (end) => {
    while (position < end && (bytes[position] === NEWLINE || bytes[position] === RETURN)) {
      if (bytes[position++] === NEWLINE) line++;
    }
    const begins = line;
    while (position < end) if (bytes[position++] === NEWLINE) line++;
    return begins;
  };
}
