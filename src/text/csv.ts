/** Cells of CSV files (RFC 4180). */

import { plainLine } from './escape.ts';

export type CsvCell = string | number | boolean | null;

/** The shortest text that reads back as the same number; texts are guarded against being run as a formula. */
export function csvCell(value: CsvCell): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isNaN(value) ? '' : String(value);
  const line = plainLine(value);
  // Spreadsheets run a cell that opens with one of these, quoted or not.
  const guarded = /^[=+\-@]/.test(line) ? `'${line}` : line;
  return /[",;\s]/.test(guarded) ? `"${guarded.replace(/"/g, '""')}"` : guarded;
}
