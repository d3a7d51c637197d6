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
export function readCsv(whole: Uint8Array, file: string, missing: ReadonlySet<string>): Table {
  // The parser would put a mark in place of what is no text, and two words would become one.
  decodeWhole(whole);
  refuseNul(whole);
  const { bytes, delimiter, line: begins } = withoutSeparatorLine(whole);
  const parsed = parseRecords(bytes, delimiter ?? delimiterOf(bytes), begins);
  const [header, ...rest] = parsed;
  if (header === undefined) return { records: [], faults: [] };
  const columns = header.record.map((name) => name.trim());
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined) throw new SourceError(`two columns are named ${JSON.stringify(twice)}`, { line: begins });
  const records: SourceRecord[] = [];
  const faults: RowMistake[] = [];
  const lines = lineCounter(bytes, begins);
  lines(header.info.bytes);
  for (const [row, { record, info }] of rest.entries()) {
    const at: Position = { file, line: lines(info.bytes), row };
    if (record.length !== columns.length) {
      const message = `this record has ${record.length} ${record.length === 1 ? 'cell' : 'cells'}, the header ${columns.length}`;
      faults.push({ at, category: 'other cells than the header', message });
      continue;
    }
    if (record.every((cell, index) => cell.trim() === columns[index])) {
      faults.push({ at, category: 'the header again', message: 'this is the header again: two files in one?' });
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
function parseRecords(bytes: Uint8Array, delimiter: string, begins: number): readonly ParsedRecord[] {
  try {
    return parse(bytes, {
      bom: true,
      delimiter,
      info: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as readonly ParsedRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new SourceError(`this is not CSV: ${error.message.replace(/ at line \d+.*$/, '')}`, {
      ...(typeof error.lines === 'number' ? { line: error.lines + begins - 1 } : {}),
      hint: 'A cell that holds a quote, a comma or a line break stands in double quotes, its own quotes doubled.',
    });
  }
}

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/** Excel's first line `sep=;`, which names the separator and is none of the rows. */
function withoutSeparatorLine(bytes: Uint8Array) {
  const [line, separator] =
    /^(?:\xef\xbb\xbf)?"?sep=([^\r\n])"?\r?\n/i.exec(Buffer.from(bytes.subarray(0, 16)).toString('latin1')) ?? [];
  if (line === undefined) return { bytes, delimiter: undefined, line: 1 };
  return { bytes: bytes.subarray(line.length), delimiter: separator, line: 2 };
}

/** @throws SourceError: no text has one, and whoever compares cells would not see it. */
function refuseNul(bytes: Uint8Array): void {
  const at = bytes.indexOf(0);
  if (at === -1) return;
  throw new SourceError('this line holds a NUL byte', {
    line: bytes.subarray(0, at).filter((byte) => byte === NEWLINE).length + 1,
    hint: 'Was the file cut short, or is it no text at all? Write it again as CSV in UTF-8.',
  });
}

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
function lineCounter(bytes: Uint8Array, begins: number): (end: number) => number {
  let position = 0;
  let line = begins;
  return (end) => {
    while (position < end && (bytes[position] === NEWLINE || bytes[position] === RETURN)) {
      if (bytes[position++] === NEWLINE) line++;
    }
    const begins = line;
    while (position < end) if (bytes[position++] === NEWLINE) line++;
    return begins;
  };
}
