/** What changed between the estimates of two builds. */

import type { DatasetQuality, EstimatedRow, EstimateRow, RefusedRow } from '../../datasets/results.ts';
import { UNIT_SCALE } from '../../datasets/scale.ts';
import { cellKey } from './cells.ts';

interface CellName {
  readonly scorer: string;
  readonly ablation: string;
  readonly policy: string;
}

export type EstimateChange = CellName &
  (
    | {
        readonly type: 'moved';
        readonly before: EstimatedRow;
        readonly after: EstimatedRow;
        /** After minus before, on the label's scale; 0 when only the uncertainty or a diagnostic changed. */
        readonly delta: number;
      }
    /** Of labels on another scale, so that the two numbers have no difference. */
    | { readonly type: 'other-units'; readonly before: EstimatedRow; readonly after: EstimatedRow }
    | { readonly type: 'newly-refused'; readonly before: EstimatedRow; readonly after: RefusedRow }
    | { readonly type: 'newly-estimated'; readonly before: RefusedRow; readonly after: EstimatedRow }
    | { readonly type: 'refused-otherwise'; readonly before: RefusedRow; readonly after: RefusedRow }
    | { readonly type: 'added'; readonly after: EstimateRow }
    | { readonly type: 'removed'; readonly before: EstimateRow }
  );

interface EstimatesDifference {
  /** In the order of the later build's rows, then what was removed. */
  readonly changes: readonly EstimateChange[];
  readonly unchanged: number;
}

/** The estimates of one build, and the scale that each scorer's are told on. */
export interface ToldEstimates {
  readonly estimates: readonly EstimateRow[];
  readonly quality: readonly Pick<DatasetQuality, 'scorer' | 'scale'>[];
}

/** Cell by cell. A cell is unchanged when its estimate, its interval and its status are. */
export function diffEstimates(before: ToldEstimates, after: ToldEstimates): EstimatesDifference {
  const scaleOf = ({ quality }: ToldEstimates, scorer: string) =>
    (quality.find((each) => each.scorer === scorer)?.scale ?? UNIT_SCALE).join();
  const earlier = new Map(before.estimates.map((row) => [cellKey(row.scorer, row.ablation, row.policy), row]));
  const changes: EstimateChange[] = [];
  let unchanged = 0;
  for (const row of after.estimates) {
    const key = cellKey(row.scorer, row.ablation, row.policy);
    const old = earlier.get(key);
    earlier.delete(key);
    const units = scaleOf(before, row.scorer) === scaleOf(after, row.scorer) ? 'same' : 'other';
    const change = changeOf(old, row, units);
    if (change === undefined) unchanged++;
    else changes.push(change);
  }
  for (const row of earlier.values()) changes.push({ ...nameOf(row), type: 'removed', before: row });
  return { changes, unchanged };
}

function changeOf(
  before: EstimateRow | undefined,
  after: EstimateRow,
  units: 'same' | 'other',
): EstimateChange | undefined {
  const name = nameOf(after);
  if (before === undefined) return { ...name, type: 'added', after };
  if (before.status === 'ok' && after.status === 'ok') {
    if (units === 'other') return { ...name, type: 'other-units', before, after };
    const same =
      before.estimate === after.estimate &&
      before.standardError === after.standardError &&
      before.lower === after.lower &&
      before.upper === after.upper;
    return same ? undefined : { ...name, type: 'moved', before, after, delta: after.estimate - before.estimate };
  }
  if (before.status === 'ok') {
    return after.status === 'refused' ? { ...name, type: 'newly-refused', before, after } : undefined;
  }
  if (after.status === 'ok') return { ...name, type: 'newly-estimated', before, after };
  return before.gate === after.gate ? undefined : { ...name, type: 'refused-otherwise', before, after };
}

const nameOf = ({ scorer, ablation, policy }: CellName): CellName => ({ scorer, ablation, policy });
