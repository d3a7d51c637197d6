/** What every format of a file of rows is read into. */

import type { Position, RowMistake } from './row-mistakes.ts';

export interface SourceRecord {
  readonly at: Position;
  /** Missing values are null or absent. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Table {
  readonly records: readonly SourceRecord[];
  /** Rows that are no rows. */
  readonly faults: readonly RowMistake[];
  /** The columns, in formats that name them beforehand. */
  readonly columns?: readonly string[];
}

/** The value of a column of that whole name, else of a nested one, `outer.inner`; undefined for none. */
export function valueAt(fields: SourceRecord['fields'], path: string): unknown {
  if (Object.hasOwn(fields, path)) return fields[path];
  let value: unknown = fields;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A value as a text; undefined where there is none. 64-bit integers of Parquet may stand anywhere in it. */
export function textIn(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member));
}
