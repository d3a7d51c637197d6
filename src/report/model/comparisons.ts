/** Which policies an ablation tells apart: paired differences, and how likely each policy is the best. */

import type { PairComparison, PolicyComparisons } from '../../datasets/results.ts';
import type { ReportData } from './data.ts';

/** Undefined where fewer than two policies were estimated, so that there is nothing to compare. */
export function comparisonsOf(
  data: Pick<ReportData, 'comparisons'>,
  scorer: string,
  ablation: string,
): PolicyComparisons | undefined {
  const found = data.comparisons.find((entry) => entry.scorer === scorer && entry.ablation === ablation);
  return found === undefined || found.pairs.length === 0 ? undefined : found;
}

/** A pair with the policy of the higher estimate first. */
export interface OrderedPair {
  readonly better: string;
  readonly worse: string;
  /** Of better minus worse, at least 0; the interval holds together with those of all other pairs. */
  readonly difference: number;
  readonly lower: number;
  readonly upper: number;
  readonly standardError: number;
  /** Adjusted for the chance of any false separation. */
  readonly familyP: number;
  /** Adjusted for the share of false discoveries. */
  readonly discoveryP: number;
  /** Whether the family-wise test tells the two apart. */
  readonly separated: boolean;
}

/** Pairs by the rank of the better policy, then of the worse. */
export function orderedPairs(comparisons: PolicyComparisons): OrderedPair[] {
  const rank = new Map(comparisons.ranks.map(({ policy, rank: of }) => [policy, of]));
  const rankOf = (policy: string) => rank.get(policy) ?? Number.POSITIVE_INFINITY;
  return comparisons.pairs
    .map((pair) => oriented(pair, rankOf(pair.a) <= rankOf(pair.b), 1 - comparisons.confidence))
    .sort((a, b) => rankOf(a.better) - rankOf(b.better) || rankOf(a.worse) - rankOf(b.worse));
}

function oriented(pair: PairComparison, forwards: boolean, alpha: number): OrderedPair {
  const { a, b, difference, simultaneousLower, simultaneousUpper, standardError, familyP, discoveryP } = pair;
  const common = { standardError, familyP, discoveryP, separated: familyP < alpha };
  return forwards
    ? { better: a, worse: b, difference, lower: simultaneousLower, upper: simultaneousUpper, ...common }
    : { better: b, worse: a, difference: -difference, lower: -simultaneousUpper, upper: -simultaneousLower, ...common };
}

/** Null where the two were not compared. */
export function areSeparated(comparisons: PolicyComparisons | undefined, a: string, b: string): boolean | null {
  const pair = comparisons?.pairs.find((entry) => (entry.a === a && entry.b === b) || (entry.a === b && entry.b === a));
  return pair === undefined ? null : pair.familyP < 1 - comparisons!.confidence;
}
