/** Everything in which two builds differ: what `cje diff` prints and the viewer shows. */

import type { BuildRecord } from '../core/storage.ts';
import { LABELS, SCORES } from '../datasets/row-types.ts';
import type { Edits } from './edits.ts';
import { editsBetween } from './edits.ts';
import type { ComparedEstimates, RankingChange } from './estimates.ts';
import { compareEstimates, compareRankings, leadingAblation, reportOf } from './estimates.ts';
import { openPast, type PastPorts } from './past-build.ts';
import type { MeasuredChanges, ScoreChanges } from './scores.ts';
import { compareMeasured } from './scores.ts';
import { compareServed, type ServedChange } from './served.ts';

export interface BuildDifference {
  readonly a: BuildRecord;
  readonly b: BuildRecord;
  readonly edits: Edits;
  readonly estimates: ComparedEstimates;
  readonly rankings: readonly RankingChange[];
  readonly scores: ScoreChanges;
  readonly labels: ScoreChanges;
  /** Nodes whose replies came under other names; absent where none did. */
  readonly served?: readonly ServedChange[];
  /** What kinds of other rows measure; absent where none does. */
  readonly measures?: readonly MeasuredChanges[];
}

/**
 * @param all pair the estimates of every ablation and not of the leading one alone.
 * @throws ProblemError where outputs of either build are no longer in the cache.
 */
export function differenceOf(a: BuildRecord, b: BuildRecord, ports: PastPorts, all: boolean): BuildDifference {
  const [before, after] = [openPast(a, ports), openPast(b, ports)];
  const [oldReport, newReport] = [reportOf(before), reportOf(after)];
  const leading = newReport === undefined ? undefined : leadingAblation(newReport);
  const measured = compareMeasured(before, after);
  const served = compareServed(before, after);
  const changesOf = (rows: string): ScoreChanges => {
    const { changes = [], unchanged = 0 } = measured.find((group) => group.rows === rows) ?? {};
    return { changes, unchanged };
  };
  const others = measured.filter(({ rows }) => rows !== SCORES.name && rows !== LABELS.name);
  return {
    a,
    b,
    edits: editsBetween(before, after),
    ...(served.length === 0 ? {} : { served }),
    scores: changesOf(SCORES.name),
    labels: changesOf(LABELS.name),
    ...(others.length === 0 ? {} : { measures: others }),
    // Without a report there is no estimator that leads.
    estimates: compareEstimates(before, after, leading, all || leading === undefined),
    rankings: oldReport === undefined || newReport === undefined ? [] : compareRankings(oldReport, newReport),
  };
}
