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
