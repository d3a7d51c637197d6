/** The order of policies by one ablation's estimates, and how far that order can be trusted. */

import type { EstimatedRow, PolicyComparisons, RefusedRow } from '../../datasets/results.ts';
import { byEstimate } from '../../stats/index.ts';
import { cellsOf } from './cells.ts';
import { areSeparated, comparisonsOf } from './comparisons.ts';
import type { ReportData } from './data.ts';
import { correctsByLabels, ESTIMATOR_PREFERENCE, needsNoJudge, readsNoLabel } from './estimator-note.ts';

export interface RankedPolicy {
  /** From 1, the highest estimate; null where the judge alone has scored the policies, which is no ranking. */
  readonly rank: number | null;
  readonly row: EstimatedRow;
  /** The policy's exact value where the world is simulated. */
  readonly truth: number | null;
  /**
   * Whether this policy is separated from the next one; null for the last. By the paired comparison, family-wise; where
   * there is none, by whether its interval lies wholly above the next one's.
   */
  readonly aboveNext: boolean | null;
  /** Share of draws from the estimates' joint law in which this policy is on top; null without comparisons. */
  readonly probabilityOfBest: number | null;
}

export interface Ranking {
  readonly scorer: string;
  readonly ablation: string;
  readonly estimator: string;
  readonly ranked: readonly RankedPolicy[];
  /** In the pipeline's order of policies. */
  readonly refused: readonly RefusedRow[];
  /** Target policies of which this ablation has no row. */
  readonly absent: readonly string[];
  /** Pairs of ranked policies with a known truth, and how many of them the estimates put in the true order. */
  readonly order: { readonly pairs: number; readonly agreeing: number } | null;
  /** Undefined with fewer than two estimated policies. */
  readonly comparisons: PolicyComparisons | undefined;
  /** The ablation that would have led, when it gave no estimate at all. */
  readonly insteadOf: string | null;
  /** Whether these are the judge's scores alone: no label has a part in them, so they say nothing of the oracle. */
  readonly judgeAlone: boolean;
}

/** Policies by an ablation's estimates, highest first; equal estimates keep the pipeline's order. */
export function rankPolicies(data: ReportData, scorer: string, ablation: string): Ranking {
  const cells = cellsOf(data.estimates);
  const estimated: EstimatedRow[] = [];
  const refused: RefusedRow[] = [];
  const absent: string[] = [];
  for (const policy of data.policies) {
    const row = cells.get(scorer, ablation, policy);
    if (row === undefined) absent.push(policy);
    else if (row.status === 'ok') estimated.push(row);
    else refused.push(row);
  }
  estimated.sort(byEstimate);
  const comparisons = comparisonsOf(data, scorer, ablation);
  const best = new Map(comparisons?.ranks.map((entry) => [entry.policy, entry.probabilityOfBest]));
  const estimator = estimated[0]?.estimator ?? refused[0]?.estimator ?? ablation;
  const ranked = estimated.map((row, index): RankedPolicy => {
    const next = estimated[index + 1];
    return {
      rank: index + 1,
      row,
      truth: truthOf(data, row.policy),
      aboveNext:
        next === undefined ? null : (areSeparated(comparisons, row.policy, next.policy) ?? row.lower > next.upper),
      probabilityOfBest: best.get(row.policy) ?? null,
    };
  });
  return {
    scorer,
    ablation,
    estimator,
    ranked,
    refused,
    absent,
    order: orderAgreement(ranked),
    comparisons,
    insteadOf: null,
    judgeAlone: readsNoLabel(estimator),
  };
}

/**
 * The ranking to show first: by the pipeline's first scorer, and of the ablations that gave an estimate one that is right whatever the
 * judge does, where it estimates every policy, else the one that uses most of the evidence and compares policies with it. Undefined
 * when there is no row at all.
 */
export function headlineRanking(data: ReportData): Ranking | undefined {
  const cells = cellsOf(data.estimates);
  const [scorer] = cells.scorers;
  if (scorer === undefined) return undefined;
  const names = [...cells.ablationsOf(scorer)];
  const estimatorOf = new Map(data.estimates.map((row) => [row.ablation, row.estimator]));
  const preference = (ablation: string) => {
    const byName = ESTIMATOR_PREFERENCE.indexOf(ablation);
    if (byName >= 0) return byName;
    const byEstimator = ESTIMATOR_PREFERENCE.indexOf(estimatorOf.get(ablation) ?? '');
    // A variant of an estimator, such as one without reward calibration, comes right after the plain one.
    return byEstimator >= 0 ? byEstimator + 0.5 : ESTIMATOR_PREFERENCE.length;
  };
  names.sort((a, b) => preference(a) - preference(b));
  const rankings = names.map((ablation) => rankPolicies(data, scorer, ablation));
  const safest = rankings.find(
    ({ estimator, ranked, refused, absent }) =>
      needsNoJudge(estimator) && ranked.length > 0 && refused.length + absent.length === 0,
  );
  if (safest !== undefined) return safest;
  const first = rankings[0]!;
  // The policy that wrote the log alone is no ranking of what was measured on it, and one policy alone is none at all;
  // but what never leads, such as the judge's own word, is no better than that.
  const targets = ({ ranked }: Ranking) => ranked.filter(({ row }) => row.policy !== data.logger).length;
  const leading =
    rankings.find((ranking) => targets(ranking) > 1 && preference(ranking.ablation) < ESTIMATOR_PREFERENCE.length) ??
    rankings.find((ranking) => targets(ranking) > 0) ??
    rankings.find(({ ranked }) => ranked.length > 0);
  if (leading === undefined || leading === first) return first?.judgeAlone === true ? unclaimed(first) : first;
  const judgeAlone = leading.judgeAlone || (leading.ranked.every(isUncalibrated) && first.refused.some(wantsLabels));
  // The judge's scores where an estimate of labels was asked for do not say which policy is the better one.
  const told = judgeAlone ? { ...unclaimed(leading), comparisons: undefined } : leading;
  return { ...told, insteadOf: first.ablation, judgeAlone };
}

/** How far apart the judge scores two policies may be said; not which is the best. */
function unclaimed(ranking: Ranking): Ranking {
  const ranked = ranking.ranked.map((policy) => ({ ...policy, rank: null, aboveNext: null, probabilityOfBest: null }));
  return { ...ranking, ranked };
}

/** Where no calibration can be learnt, what still gives an estimate without labels of its own to correct it has none. */
const wantsLabels = ({ gate }: RefusedRow): boolean => gate === 'no-oracle-labels' || gate === 'too-few-oracle-labels';
const isUncalibrated = ({ row }: RankedPolicy): boolean =>
  row.oracleStandardError === 0 && !correctsByLabels(row.estimator);

/**
 * The ranking that an earlier build led with, where it puts two policies the other way round that both builds rank;
 * undefined where none is turned.
 */
export function turnedRanking(before: ReportData, now: Ranking): Ranking | undefined {
  const earlier = headlineRanking(before);
  if (earlier === undefined) return undefined;
  const places = new Map(now.ranked.map(({ row }, place) => [row.policy, place]));
  const order = earlier.ranked.flatMap(({ row }) => places.get(row.policy) ?? []);
  return order.some((place, index) => index > 0 && place < order[index - 1]!) ? earlier : undefined;
}

/** Neighbours in the ranking that are not separated, better one first. */
export function unseparated(ranking: Ranking): (readonly [better: RankedPolicy, worse: RankedPolicy])[] {
  return ranking.ranked.flatMap((policy, index) => {
    const next = ranking.ranked[index + 1];
    return policy.aboveNext === false && next !== undefined ? [[policy, next] as const] : [];
  });
}

export function truthOf(data: ReportData, policy: string): number | null {
  return data.truth.available && Object.hasOwn(data.truth.values, policy) ? data.truth.values[policy]! : null;
}

/** Whether the interval holds the policy's true value; null where that is unknown. */
export function holdsTruth(data: ReportData, row: EstimatedRow): boolean | null {
  const truth = truthOf(data, row.policy);
  return truth === null ? null : row.lower <= truth && truth <= row.upper;
}

/** How many of the estimated cells hold the truth, over those where it is known. */
export function truthCoverage(
  data: ReportData,
  rows: readonly EstimatedRow[],
): { readonly inside: number; readonly known: number } {
  const verdicts = rows.map((row) => holdsTruth(data, row)).filter((verdict) => verdict !== null);
  return { inside: verdicts.filter(Boolean).length, known: verdicts.length };
}

function orderAgreement(ranked: readonly RankedPolicy[]): Ranking['order'] {
  const known = ranked.filter((policy) => policy.truth !== null);
  let pairs = 0;
  let agreeing = 0;
  for (let first = 0; first < known.length; first++) {
    for (let second = first + 1; second < known.length; second++) {
      const difference = known[first]!.truth! - known[second]!.truth!;
      if (difference === 0) continue;
      pairs++;
      if (difference > 0) agreeing++;
    }
  }
  return pairs === 0 ? null : { pairs, agreeing };
}
