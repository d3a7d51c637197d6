import { centred, indicesWhere, mean, quantileOfSorted, sampleVariance, take } from '../numeric/moments.ts';
import { studentQuantile, studentTwoSidedP } from '../numeric/special-functions.ts';
import type { Stabilisation } from '../study/computation.ts';
import type { EstimatorConfig } from '../study/config.ts';
import { bootstrapDifference } from './bootstrap-inference.ts';
import { type DifferenceComponents, isRounding, pairedByPrompt, SAME } from './difference-variance.ts';
import { correctedSkewness, intervalOf, statisticOf } from './inference.ts';
import {
  differenceCovariance,
  drawNormals,
  groupwiseDifference,
  jointCovariance,
  pairedContributions,
  SIMULATION,
  type SimulationOptions,
} from './joint-inference.ts';
import { bettingDifference } from './label-betting.ts';
import type { EstimatedPolicy, EstimateResult } from './result.ts';

/** The difference of two policies' values under one estimator. */
export interface PolicyComparison {
  readonly a: string;
  readonly b: string;
  /** ψ_a − ψ_b, in label units. */
  readonly difference: number;
  readonly standardError: number;
  /** The 1 − alpha interval of this difference alone. */
  readonly interval: readonly [low: number, high: number];
  /** Infinity for the normal. */
  readonly degreesOfFreedom: number;
  /** Third standardised cumulant that the interval is corrected for; 0 where it is not. */
  readonly skewness: number;
  readonly pValue: number;
  /** Benjamini–Hochberg over all pairs of its family: controls the share of false discoveries. */
  readonly adjustedP: number;
  /** Single-step max-t over all pairs of its family: controls the chance of any false one. */
  readonly maxTP: number;
  /**
   * Holds its difference together with the intervals of all other pairs of its family at 1 − alpha: the max-t critical
   * value times the standard error.
   */
  readonly simultaneousInterval: readonly [low: number, high: number];
}

type Unadjusted = Omit<PolicyComparison, 'adjustedP' | 'maxTP' | 'simultaneousInterval'>;

/**
 * Paired difference by influence functions, over the prompts that both policies have: per prompt Σφ_a/n_a − Σφ_b/n_b,
 * clustered by prompt, plus the jackknife variance of the difference (the calibration is shared, so most of its error cancels) and,
 * under stabilised weights, the second moment of the bias that they may have left. What a
 * calibration may overstate the difference by is added too, see `difference-variance.ts`.
 * Policies without a common prompt are compared as independent.
 *
 * With bootstrap replicates: their paired differences. By betting: see `bettingDifference`. Paired by position: no oracle term, and a
 * normal test.
 *
 * @example
 * comparePolicies(first, second, resolveConfig({ estimator: 'direct' })).difference // -0.0874564
 */
export function comparePolicies(
  first: EstimatedPolicy,
  second: EstimatedPolicy,
  config: Pick<EstimatorConfig, 'alpha' | 'choices'>,
): Unadjusted {
  const betting = first.bets !== null && second.bets !== null;
  // Bets are on all of a policy's labels.
  const common = config.choices.pairedPrompts === 'common' && !betting;
  const [a, b] = common ? onCommonPrompts(first, second) : [first, second];
  const difference = a.estimate - b.estimate;
  const { variance, degreesOfFreedom } =
    config.choices.pairing === 'position' ? pairedByPosition(a, b) : pairedByPrompt(a, b, config);
  if (a.replicates !== null && b.replicates !== null) {
    const ends = { a: a.replicates, b: b.replicates, difference, analytic: Math.sqrt(variance) };
    const paired = bootstrapDifference(ends, config.alpha);
    return { a: a.policy, b: b.policy, difference, degreesOfFreedom: Number.POSITIVE_INFINITY, skewness: 0, ...paired };
  }
  const standardError = isRounding(variance, a, b) ? 0 : Math.sqrt(variance);
  if (a.bets !== null && b.bets !== null) {
    const bet = bettingDifference(a.bets, b.bets, config.alpha);
    return { a: a.policy, b: b.policy, difference, standardError, degreesOfFreedom, skewness: 0, ...bet };
  }
  const quantile = studentQuantile(1 - config.alpha / 2, degreesOfFreedom);
  const byWeights = a.skewed || b.skewed;
  const skewness = config.choices.skewness === 'correct' ? skewnessOf(a, b, { standardError, byWeights, quantile }) : 0;
  const certain = Math.abs(difference) <= SAME * Math.max(Math.abs(a.estimate), Math.abs(b.estimate)) ? 1 : 0;
  return {
    a: a.policy,
    b: b.policy,
    difference,
    standardError,
    interval: intervalOf(difference, standardError, { quantile, skewness, byWeights }),
    degreesOfFreedom,
    skewness,
    pValue:
      standardError > 0
        ? studentTwoSidedP(statisticOf(difference / standardError, { skewness, byWeights }), degreesOfFreedom)
        : certain,
  };
}

/** Of the sum of two variances: below it those of their difference are drawn from its own. */
const NEARLY_ALIKE = 1e-4;

/** Of the difference: raw weights and long-tailed labels leave it as skewed as its levels. */
function skewnessOf(
  a: EstimatedPolicy,
  b: EstimatedPolicy,
  { standardError, ...by }: { readonly standardError: number; readonly byWeights: boolean; readonly quantile: number },
): number {
  const leaveOneOut = groupwiseDifference(a.oracleJackknife, b.oracleJackknife);
  const totals = groupwiseDifference(a.labelledTotals, b.labelledTotals);
  return correctedSkewness(pairedContributions(a, b), { leaveOneOut, totals, standardError }, by);
}

/** Both estimates restricted to the prompts of both, to first order: ψ + the mean of φ there. */
function onCommonPrompts(a: EstimatedPolicy, b: EstimatedPolicy): readonly [EstimatedPolicy, EstimatedPolicy] {
  if (a.replicates !== null || b.replicates !== null) return [a, b];
  const [ofA, ofB] = [new Set(a.influencePromptIds), new Set(b.influencePromptIds)];
  const common = [...ofA].filter((id) => ofB.has(id)).length;
  if (common === 0 || (common === ofA.size && common === ofB.size)) return [a, b];
  return [restricted(a, ofB), restricted(b, ofA)];
}

function restricted(p: EstimatedPolicy, prompts: ReadonlySet<string>): EstimatedPolicy {
  const rows = indicesWhere(p.influence.length, (i) => prompts.has(p.influencePromptIds[i]!));
  if (rows.length === p.influence.length) return p;
  const influence = take(p.influence, rows);
  return {
    ...p,
    estimate: p.estimate + mean(influence),
    influence: centred(influence),
    influencePromptIds: Array.from(rows, (i) => p.influencePromptIds[i]!),
    stabilisation: p.stabilisation === null ? null : restrictedShift(p.stabilisation, rows),
  };
}

function restrictedShift({ shift, influence }: Stabilisation, rows: Int32Array): Stabilisation {
  const kept = take(influence, rows);
  return { shift: shift + mean(kept), influence: centred(kept) };
}

/**
 * What makes the variance of the paired difference of two policies: what more prompts would lower, what more labels, and what
 * neither. Of the same prompts and by the same rules as {@link comparePolicies}.
 *
 * @example
 * differenceComponents(first, second, resolveConfig({ estimator: 'direct' })).extrapolationVariance // 3.64008e-9
 */
export function differenceComponents(
  first: EstimatedPolicy,
  second: EstimatedPolicy,
  config: Pick<EstimatorConfig, 'alpha' | 'choices'>,
): DifferenceComponents {
  const [a, b] = onCommonPrompts(first, second);
  return pairedByPrompt(a, b, config).parts;
}

function pairedByPosition(a: EstimatedPolicy, b: EstimatedPolicy) {
  const n = a.influence.length;
  const variance =
    n === b.influence.length
      ? sampleVariance(a.influence.map((value, i) => value - b.influence[i]!)) / n
      : a.standardError ** 2 + b.standardError ** 2;
  return { variance, degreesOfFreedom: Number.POSITIVE_INFINITY };
}

/**
 * All pairs of estimated policies of one result, with p-values adjusted for their number. Where the policy that wrote the log is
 * among them there are two families: the targets among themselves, and each against that one, so that a policy to compare
 * with takes nothing from what the targets' own answers can tell.
 *
 * @example
 * compareAll(estimate({ estimator: 'direct' }, data)).map(({ a, b }) => [a, b]) // [["clone","moderate"],["clone","severe"],["moderate","severe"]]
 */
export function compareAll(result: EstimateResult, simulation: SimulationOptions = SIMULATION): PolicyComparison[] {
  const ok = result.policies.filter((p) => p.status === 'ok');
  const targets = ok.filter(({ policy }) => policy !== result.logger);
  const among = targets.flatMap((_, i) => targets.slice(i + 1).map((_, j) => [i, i + 1 + j] as const));
  const families = [compareFamily(targets, among, result.config, simulation)];
  const logger = ok.findIndex(({ policy }) => policy === result.logger);
  if (logger !== -1) {
    const against = ok.flatMap((_, i) => (i === logger ? [] : [[i, logger] as const]));
    families.push(compareFamily(ok, against, result.config, simulation));
  }
  return families.flat();
}

/** @param index the pairs, as positions among the policies */
function compareFamily(
  ok: readonly EstimatedPolicy[],
  index: readonly (readonly [number, number])[],
  config: EstimatorConfig,
  simulation: SimulationOptions,
): PolicyComparison[] {
  const pairs = index.map(([i, j]) => comparePolicies(ok[i]!, ok[j]!, config));
  const adjusted = benjaminiHochberg(pairs.map((p) => p.pValue));
  const largest = largestStatistics(ok, index, simulation);
  const maxT = maxTPValues(pairs, largest);
  const critical = pairs.length === 0 ? 0 : quantileOfSorted(largest, 1 - config.alpha);
  return pairs.map((p, i) => {
    const ends = index[i]!.map((k) => ok[k]!) as [EstimatedPolicy, EstimatedPolicy];
    const byBets = familyByBets(p, ends, { pairs: pairs.length, alpha: config.alpha });
    const family = byBets ?? { maxTP: maxT[i]!, simultaneousInterval: widened(p, critical, config.alpha) };
    return { ...p, adjustedP: adjusted[i]!, ...family };
  });
}

/** Bets have no joint law of which a largest statistic could be: by Bonferroni. */
function familyByBets(
  { pValue }: Unadjusted,
  [a, b]: readonly [EstimatedPolicy, EstimatedPolicy],
  { pairs, alpha }: { readonly pairs: number; readonly alpha: number },
): Pick<PolicyComparison, 'maxTP' | 'simultaneousInterval'> | null {
  if (a.bets === null || b.bets === null) return null;
  const simultaneousInterval = bettingDifference(a.bets, b.bets, alpha / pairs).interval;
  return { maxTP: Math.min(1, pValue * pairs), simultaneousInterval };
}

/**
 * A pair's interval at the family's critical value; its own Student quantile can be the wider one, as the joint law is
 * normal. One that is corrected for skewness grows by the same factor on either side: half of its length says nothing of
 * the shorter one.
 */
function widened(
  { difference, standardError, degreesOfFreedom, skewness, interval: [low, high] }: Unadjusted,
  critical: number,
  alpha: number,
): readonly [number, number] {
  if (skewness === 0) {
    const half = Math.max(critical * standardError, (high - low) / 2);
    return [difference - half, difference + half];
  }
  const factor = Math.max(1, critical / studentQuantile(1 - alpha / 2, degreesOfFreedom));
  return [difference - factor * (difference - low), difference + factor * (high - difference)];
}

/** The largest |difference|/se of all pairs in draws from the joint normal law of the estimates under equality, ascending. */
function largestStatistics(
  policies: readonly EstimatedPolicy[],
  index: readonly (readonly [number, number])[],
  simulation: SimulationOptions,
): Float64Array {
  if (index.length === 0) return new Float64Array();
  const covariance = jointCovariance(policies);
  const shareOf = ([i, j]: readonly [number, number]) => {
    const both = covariance[i]![i]! + covariance[j]![j]!;
    return both > 0 ? (both - 2 * covariance[i]![j]!) / both : 0;
  };
  // Two that are the same but for roundings have no statistic.
  const apart = index.filter((pair) => shareOf(pair) > SAME);
  // Levels that are nearly alike leave a difference of their draws too few digits.
  const alike = apart.some((pair) => shareOf(pair) < NEARLY_ALIKE);
  const drawn = alike ? differenceCovariance(policies, apart) : covariance;
  const variances = apart.map(([i, j], k) =>
    alike ? drawn[k]![k]! : drawn[i]![i]! + drawn[j]![j]! - 2 * drawn[i]![j]!,
  );
  const largest = new Float64Array(simulation.draws);
  let at = 0;
  drawNormals(drawn, simulation, (vector) => {
    let most = 0;
    apart.forEach(([i, j], k) => {
      const difference = alike ? vector[k]! : vector[i]! - vector[j]!;
      most = Math.max(most, Math.abs(difference) / Math.sqrt(variances[k]!));
    });
    largest[at++] = most;
  });
  return largest.sort();
}

/**
 * Single-step max-t (Westfall and Young 1993): the chance that the largest statistic of all pairs reaches the observed
 * one; at least the pair's own p-value.
 */
function maxTPValues(pairs: readonly Unadjusted[], largest: Float64Array): number[] {
  return pairs.map((p) => {
    if (!(p.standardError > 0)) return p.pValue;
    const statistic = Math.abs(p.difference) / p.standardError;
    const reached = largest.length - lowerBound(largest, statistic);
    // Counting the observed one itself keeps a Monte Carlo p-value above zero (Davison and Hinkley 1997, §4.2).
    return Math.max((reached + 1) / (largest.length + 1), p.pValue);
  });
}

/** How many of the ascending values lie below `at`. */
function lowerBound(ascending: Float64Array, at: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Adjusted p-values p_(r) = min over l ≥ r of p_(l)·m/l, at most 1 (Benjamini and Hochberg 1995). */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]! || i - j);
  const out = new Array<number>(m);
  let smallest = 1;
  for (let rank = m; rank >= 1; rank--) {
    const i = order[rank - 1]!;
    smallest = Math.min(smallest, (pValues[i]! * m) / rank);
    out[i] = smallest;
  }
  return out;
}
