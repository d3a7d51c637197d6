import { mean, populationVariance, quantileOfSorted, sampleVariance, sum, tabulate } from '../numeric/moments.ts';
import { normalQuantile } from '../numeric/special-functions.ts';

/** What a column of importance weights looks like. Shares and fractions are on [0, 1]. */
export interface WeightDiagnostics {
  /** Effective sample size (Σw)²/Σw², in rows. */
  readonly ess: number;
  readonly essFraction: number;
  readonly mean: number;
  /** Standard error of the mean. */
  readonly meanStandardError: number;
  readonly maximum: number;
  /** The largest row's share of all weight. */
  readonly maximumShare: number;
  /** Share of all weight on the top 5 % of rows. */
  readonly topFivePercentShare: number;
  /** Population sd over mean. */
  readonly coefficientOfVariation: number;
  readonly tailIndex: TailIndex;
  /** min(1, mean √w) of mean-one weights: 1 for equal policies, 0 without overlap. */
  readonly hellingerAffinity: number;
  /** Share of rows with weight below 1e-10. */
  readonly nearZeroShare: number;
}

/** Hill's estimate of the tail index: below 2 the variance is infinite, below 1 the mean. */
export type TailIndex =
  | { readonly kind: 'estimated'; readonly value: number; readonly topRows: number }
  /** The upper tail is flat: no heavier than uniform. */
  | { readonly kind: 'uniform' }
  | { readonly kind: 'unavailable'; readonly reason: 'too-few-rows' | 'zero-in-tail' };

/** Effective sample size (Kish 1965) in rows; 0 when all weights are zero. */
export function effectiveSampleSize(weights: ArrayLike<number>): number {
  let total = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    squares += weights[i]! * weights[i]!;
  }
  return (total * total) / Math.max(squares, 1e-12);
}

/** The same of prompts, by the weight that the rows of each have together: labels of one prompt know its spread as one. */
export function effectivePrompts(promptIds: readonly string[], weights: ArrayLike<number> | null): number {
  const byPrompt = new Map<string, number>();
  promptIds.forEach((id, i) => {
    byPrompt.set(id, (byPrompt.get(id) ?? 0) + (weights === null ? 1 : weights[i]!));
  });
  return byPrompt.size === 0 ? 0 : effectiveSampleSize(Float64Array.from(byPrompt.values()));
}

/**
 * The effective share of rows that the upper half of the log ratios implies: with ln w normal there, of spread
 * σ = (q₀.₉ − q₀.₅)/z₀.₉, it is 1/E[(w/E w)²] = exp(−σ²). The share of the weights themselves is too high wherever the few
 * rows that hold most of the weight happen to be missing from the sample, and then the estimate is off too.
 */
export function impliedEssFraction(logRatios: Float64Array): number {
  const sorted = logRatios.slice().sort();
  const spread = (quantileOfSorted(sorted, 0.9) - quantileOfSorted(sorted, 0.5)) / normalQuantile(0.9);
  return Math.exp(-(spread ** 2));
}

/** Hill (1975) on the largest k = max(10, ⌊n/20⌋) of n ≥ 50 weights, k at most ⌊n/10⌋. */
export function hillTailIndex(weights: ArrayLike<number>): TailIndex {
  return hillOfTop(largestSorted(Float64Array.from(weights), hillRows(weights.length) + 1), weights.length);
}

/** k, the rows that Hill's index reads; one more is its threshold. */
function hillRows(n: number): number {
  return Math.min(Math.max(10, Math.floor(0.05 * n)), Math.floor(0.1 * n));
}

/** @param top the largest weights, at least k + 1 of n, ascending. */
function hillOfTop(top: Float64Array, n: number): TailIndex {
  if (n < 50) return { kind: 'unavailable', reason: 'too-few-rows' };
  const k = hillRows(n);
  const threshold = top[top.length - 1 - k]!;
  if (!(threshold > 0)) return { kind: 'unavailable', reason: 'zero-in-tail' };
  let total = 0;
  for (let j = 0; j < k; j++) total += Math.log(top[top.length - 1 - j]!) - Math.log(threshold);
  if (total < 1e-10) return { kind: 'uniform' };
  return { kind: 'estimated', value: k / total, topRows: k };
}

/** The `count` largest values in ascending order. Hoare's selection first, O(n): only the tail is sorted. */
function largestSorted(values: Float64Array, count: number): Float64Array {
  const from = Math.max(values.length - count, 0);
  const work = values.slice();
  let low = 0;
  let high = work.length - 1;
  while (low < high) {
    const pivot = work[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (work[i]! < pivot) i++;
      while (work[j]! > pivot) j--;
      if (i > j) break;
      const held = work[i]!;
      work[i++] = work[j]!;
      work[j--] = held;
    }
    if (from <= j) high = j;
    else if (from >= i) low = i;
    else break;
  }
  return work.subarray(from).sort();
}

/**
 * All of {@link WeightDiagnostics} for n weights; O(n).
 *
 * @example
 * weightDiagnostics(Float64Array.of(1, 1, 2)).ess // 2.66667
 */
export function weightDiagnostics(weights: Float64Array): WeightDiagnostics {
  const n = weights.length;
  const rows = Math.max(1, Math.floor(0.05 * n));
  let largest = 0;
  let nearZero = 0;
  for (let i = 0; i < n; i++) {
    const w = weights[i]!;
    if (w > largest) largest = w;
    if (w < 1e-10) nearZero++;
  }
  // Weights that overflow a double must not overflow their own squares: shares do not depend on the scale.
  const scale = largest > 0 ? largest : 1;
  const scaled = tabulate(n, (i) => weights[i]! / scale);
  const total = sum(scaled);
  const centre = total / n;
  let affinity = 0;
  for (let i = 0; i < n; i++) affinity += Math.sqrt(Math.max(scaled[i]! / (centre > 0 ? centre : 1), 1e-10));
  const top = largestSorted(scaled, Math.max(rows, hillRows(n) + 1));
  const ess = effectiveSampleSize(scaled);
  return {
    ess,
    essFraction: n > 0 ? ess / n : 0,
    mean: mean(weights),
    meanStandardError: largest * Math.sqrt(sampleVariance(scaled) / Math.max(n, 1)),
    maximum: largest,
    maximumShare: total > 0 ? (top[top.length - 1] ?? 0) / total : 0,
    topFivePercentShare: total > 0 ? sum(top.subarray(Math.max(top.length - rows, 0))) / total : 0,
    coefficientOfVariation: centre > 0 ? Math.sqrt(populationVariance(scaled)) / centre : 0,
    tailIndex: hillOfTop(top, n),
    hellingerAffinity: Math.min(1, affinity / Math.max(n, 1)),
    nearZeroShare: nearZero / Math.max(n, 1),
  };
}
