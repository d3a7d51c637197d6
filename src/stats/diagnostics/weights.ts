import { mean, populationVariance, sampleVariance } from '../moments.ts';

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

/** Hill (1975) on the largest k = max(10, ⌊n/20⌋) of n ≥ 50 weights, k at most ⌊n/10⌋. */
export function hillTailIndex(weights: ArrayLike<number>): TailIndex {
  const n = weights.length;
  if (n < 50) return { kind: 'unavailable', reason: 'too-few-rows' };
  return hillOfSorted(Float64Array.from(weights).sort());
}

function hillOfSorted(ascending: Float64Array): TailIndex {
  const n = ascending.length;
  if (n < 50) return { kind: 'unavailable', reason: 'too-few-rows' };
  const k = Math.min(Math.max(10, Math.floor(0.05 * n)), Math.floor(0.1 * n));
  const threshold = ascending[n - 1 - k]!;
  if (!(threshold > 0)) return { kind: 'unavailable', reason: 'zero-in-tail' };
  let total = 0;
  for (let j = 0; j < k; j++) total += Math.log(ascending[n - 1 - j]!) - Math.log(threshold);
  if (total < 1e-10) return { kind: 'uniform' };
  return { kind: 'estimated', value: k / total, topRows: k };
}

/** All of {@link WeightDiagnostics} for n weights; O(n log n). */
export function weightDiagnostics(weights: Float64Array): WeightDiagnostics {
  const n = weights.length;
  // Weights that overflow a double must not overflow their own squares: shares do not depend on the scale.
  const largest = weights.reduce((m, w) => Math.max(m, w), 0);
  const scaled = largest > 0 ? weights.map((w) => w / largest) : weights;
  const sorted = scaled.slice().sort();
  const total = sorted.reduce((s, w) => s + w, 0);
  const centre = total / n;
  let top = 0;
  const rows = Math.max(1, Math.floor(0.05 * n));
  for (let i = n - rows; i < n; i++) top += sorted[i]!;
  let affinity = 0;
  for (const w of scaled) affinity += Math.sqrt(Math.max(w / (centre > 0 ? centre : 1), 1e-10));
  const ess = effectiveSampleSize(scaled);
  return {
    ess,
    essFraction: n > 0 ? ess / n : 0,
    mean: mean(weights),
    meanStandardError: largest * Math.sqrt(sampleVariance(scaled) / Math.max(n, 1)),
    maximum: largest,
    maximumShare: total > 0 ? (sorted[n - 1] ?? 0) / total : 0,
    topFivePercentShare: total > 0 ? top / total : 0,
    coefficientOfVariation: centre > 0 ? Math.sqrt(populationVariance(scaled)) / centre : 0,
    tailIndex: hillOfSorted(sorted),
    hellingerAffinity: Math.min(1, affinity / Math.max(n, 1)),
    nearZeroShare: weights.reduce((s, w) => s + (w < 1e-10 ? 1 : 0), 0) / Math.max(n, 1),
  };
}
