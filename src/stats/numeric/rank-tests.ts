/** Two-sample tests that need no scale: whether two groups of values could be one sample. */

import { sum } from './moments.ts';
import { normalTwoSidedP } from './special-functions.ts';

/** Ranks 1…n; equal values share the mean of theirs. */
export function midranks(values: ArrayLike<number>): Float64Array {
  const order = Int32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) ranks[order[k]!] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/**
 * Two-sided p of the rank-sum test (Wilcoxon 1945; Mann and Whitney 1947), ties averaged, by its normal approximation; 1
 * where a group is empty or all values are equal. With clusters the variance of the difference of mean ranks is
 * G/(G − 1) Σ_g T_g², T_g the cluster's sum of (rank − its group's mean) over the group's size, signed by group.
 *
 * @param inFirst whether value i belongs to the first group. @param cluster number of each value's cluster; absent for
 * independent values.
 *
 * @example
 * rankSumP([1, 2, 3, 4, 5, 6], (i) => i < 3) // 0.0495346
 */
export function rankSumP(
  values: ArrayLike<number>,
  inFirst: (i: number) => boolean,
  cluster?: ArrayLike<number>,
): number {
  const n = values.length;
  const ranks = midranks(values);
  const sizes = [0, 0];
  const totals = [0, 0];
  for (let i = 0; i < n; i++) {
    const group = inFirst(i) ? 0 : 1;
    sizes[group]!++;
    totals[group]! += ranks[i]!;
  }
  if (sizes[0] === 0 || sizes[1] === 0) return 1;
  const means = [totals[0]! / sizes[0]!, totals[1]! / sizes[1]!];
  const difference = means[0]! - means[1]!;
  const variance =
    cluster === undefined
      ? independentVariance(ranks, sizes)
      : clusteredVariance(ranks, inFirst, { cluster, sizes, means });
  return variance > 0 ? normalTwoSidedP(difference / Math.sqrt(variance)) : 1;
}

/** Of the difference of mean ranks where any assignment to groups is as likely: Σ(r − r̄)²/(n − 1) · (1/n₁ + 1/n₂). */
function independentVariance(ranks: Float64Array, sizes: readonly number[]): number {
  const n = ranks.length;
  const centre = (n + 1) / 2;
  const squares = sum(ranks.map((r) => (r - centre) ** 2));
  return n < 2 ? 0 : (squares / (n - 1)) * (1 / sizes[0]! + 1 / sizes[1]!);
}

interface Groups {
  readonly cluster: ArrayLike<number>;
  readonly sizes: readonly number[];
  readonly means: readonly number[];
}

function clusteredVariance(
  ranks: Float64Array,
  inFirst: (i: number) => boolean,
  { cluster, sizes, means }: Groups,
): number {
  const totals = new Map<number, number>();
  ranks.forEach((rank, i) => {
    const group = inFirst(i) ? 0 : 1;
    const term = ((group === 0 ? 1 : -1) * (rank - means[group]!)) / sizes[group]!;
    totals.set(cluster[i]!, (totals.get(cluster[i]!) ?? 0) + term);
  });
  const count = totals.size;
  return count < 2 ? 0 : (count / (count - 1)) * [...totals.values()].reduce((s, t) => s + t * t, 0);
}

/**
 * Two-sided p of the weighted mean rank of some values against the mean rank of all: whether values drawn with known
 * probabilities, weighted by their inverses, stand for all. Normal, clustered: Σ_g T_g², T_g the cluster's Σ ω(r − r̄_ω)/Σω
 * − (r − r̄)/n.
 *
 * @param weights 0 for a value that was not drawn.
 */
export function weightedRankP(
  values: ArrayLike<number>,
  weights: ArrayLike<number>,
  cluster: ArrayLike<number>,
): number {
  const ranks = midranks(values);
  const n = ranks.length;
  let [total, weighted] = [0, 0];
  for (let i = 0; i < n; i++) {
    total += weights[i]!;
    weighted += weights[i]! * ranks[i]!;
  }
  if (!(total > 0)) return 1;
  const [drawn, all] = [weighted / total, (n + 1) / 2];
  const totals = new Map<number, number>();
  ranks.forEach((rank, i) => {
    const term = (weights[i]! * (rank - drawn)) / total - (rank - all) / n;
    totals.set(cluster[i]!, (totals.get(cluster[i]!) ?? 0) + term);
  });
  const count = totals.size;
  const variance = count < 2 ? 0 : (count / (count - 1)) * [...totals.values()].reduce((s, t) => s + t * t, 0);
  return variance > 0 ? normalTwoSidedP((drawn - all) / Math.sqrt(variance)) : 1;
}

/**
 * p of the two-sample Kolmogorov–Smirnov test by its limit law, with Stephens' correction (1970) for small samples; too large
 * where values are tied. 1 where a group is empty.
 *
 * @example
 * kolmogorovSmirnovP([1, 2, 3, 4], (i) => i < 2) // 0.0970269
 */
export function kolmogorovSmirnovP(values: ArrayLike<number>, inFirst: (i: number) => boolean): number {
  const n = values.length;
  const order = Int32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  let first = 0;
  for (let i = 0; i < n; i++) if (inFirst(i)) first++;
  const second = n - first;
  if (first === 0 || second === 0) return 1;
  let [low, high, largest] = [0, 0, 0];
  for (let k = 0; k < n; k++) {
    if (inFirst(order[k]!)) low++;
    else high++;
    // Between equal values the empirical distributions have no value of their own.
    if (k + 1 === n || values[order[k + 1]!] !== values[order[k]!]) {
      largest = Math.max(largest, Math.abs(low / first - high / second));
    }
  }
  const root = Math.sqrt((first * second) / n);
  return kolmogorovTail((root + 0.12 + 0.11 / root) * largest);
}

/** 2 Σ_{k ≥ 1} (−1)^{k − 1} e^(−2 k² x²), the chance that the limit exceeds x. */
function kolmogorovTail(x: number): number {
  if (x < 0.2) return 1;
  let total = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    total += k % 2 === 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return Math.min(1, Math.max(0, 2 * total));
}
