/** Everything in which two builds differ: what `cje diff` prints and the viewer shows. */

import type { BuildRecord, Store } from '../core/storage.ts';
import { type Edits, editsBetween } from './edits.ts';
import {
  type ComparedEstimates,
  compareEstimates,
  compareRankings,
  leadingAblation,
  type RankingChange,
  reportOf,
} from './estimates.ts';
import { openPast } from './past-build.ts';
import { compareMeasured, type ScoreChanges } from './scores.ts';

export interface BuildDifference {
  readonly a: BuildRecord;
  readonly b: BuildRecord;
  readonly edits: Edits;
  readonly estimates: ComparedEstimates;
  readonly rankings: readonly RankingChange[];
  readonly scores: ScoreChanges;
  readonly labels: ScoreChanges;
}

/**
 * @param all pair the estimates of every ablation and not of the leading one alone.
 * @throws ProblemError where outputs of either build are no longer in the cache.
 */
export function differenceOf(
  a: BuildRecord,
  b: BuildRecord,
  store: Pick<Store, 'actions' | 'blobs'>,
  all: boolean,
): BuildDifference {
  const [before, after] = [openPast(a, store), openPast(b, store)];
  const [oldReport, newReport] = [reportOf(before), reportOf(after)];
  const leading = newReport === undefined ? undefined : leadingAblation(newReport);
  return {
    a,
    b,
    edits: editsBetween(before, after),
    scores: compareMeasured(before, after, 'scores'),
    labels: compareMeasured(before, after, 'oracle'),
    // Without a report there is no estimator that leads.
    estimates: compareEstimates(before, after, leading, all || leading === undefined),
    rankings: oldReport === undefined || newReport === undefined ? [] : compareRankings(oldReport, newReport),
  };
}
