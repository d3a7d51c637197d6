/** A set of labelled responses beside a log: what of it is new, and where the two disagree. */

import type { FreshRow, LoggedRow } from '../dataset-rows.ts';
import { unitsOf } from '../units.ts';
import type { Scales } from './rows.ts';

interface NewLabels {
  readonly rows: readonly FreshRow[];
  /** What to tell of responses that both label; null where there are none. */
  readonly remark: ((scale: Scales['label']) => string) | null;
}

/** Labels further apart than this are two labels. */
const SAME_LABEL = 1e-9;

/**
 * Rows with a label of responses that the log has not labelled. A response is the log's where prompt and judge score are:
 * then the log's label counts, and that of the set is left out.
 */
export function newLabels(set: readonly FreshRow[], logged: readonly LoggedRow[]): NewLabels {
  const responseOf = (row: Pick<LoggedRow, 'prompt_id' | 'judge_score'>) => `${row.judge_score}\n${row.prompt_id}`;
  const known = new Map(
    logged.flatMap((row) => (row.oracle_label === null ? [] : [[responseOf(row), row.oracle_label]])),
  );
  const rows: FreshRow[] = [];
  const apart: number[] = [];
  for (const row of set) {
    if (row.oracle_label === null) continue;
    const label = known.get(responseOf(row));
    if (label === undefined) rows.push(row);
    else apart.push(Math.abs(row.oracle_label - label));
  }
  if (apart.length === 0) return { rows, remark: null };
  const conflicts = apart.filter((distance) => distance > SAME_LABEL);
  const remark: NewLabels['remark'] = (scale) => {
    const largest = unitsOf(scale).difference(Math.max(...apart));
    const differ =
      conflicts.length === 0
        ? 'all alike'
        : `${conflicts.length} otherwise, by up to ${Number(largest.toPrecision(3))}`;
    return `the calibration set labels ${apart.length} of the log’s labelled responses once more, ${differ}; the log’s labels are taken`;
  };
  return { rows, remark };
}
