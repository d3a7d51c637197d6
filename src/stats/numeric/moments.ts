/** Sums, means and variances over typed arrays, in plain left-to-right double arithmetic. */

/** Sum of `values`; 0 when empty. */
export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

/** Arithmetic mean of `values`; 0 when empty (callers refuse empty input before they come here). */
export function mean(values: ArrayLike<number>): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** Inner product of two vectors of equal length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** Σ (v − mean)². */
function sumOfSquaredDeviations(values: ArrayLike<number>): number {
  const centre = mean(values);
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const deviation = values[i]! - centre;
    total += deviation * deviation;
  }
  return total;
}

/** Variance that divides by n (numpy's default); 0 when empty. */
export function populationVariance(values: ArrayLike<number>): number {
  return values.length === 0 ? 0 : sumOfSquaredDeviations(values) / values.length;
}

/** Variance that divides by n − 1; 0 for fewer than two values. */
export function sampleVariance(values: ArrayLike<number>): number {
  return values.length < 2 ? 0 : sumOfSquaredDeviations(values) / (values.length - 1);
}

/** Standard error of a mean of independent values: sd (n − 1) / √n. */
export function standardErrorOfMean(values: ArrayLike<number>): number {
  return values.length < 2 ? 0 : Math.sqrt(sampleVariance(values) / values.length);
}

/** Smallest and largest value. Empty input gives [Infinity, −Infinity]. */
export function range(values: ArrayLike<number>): [minimum: number, maximum: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** The elements of `values` at `indices`, as a new array. */
export function take(values: ArrayLike<number>, indices: ArrayLike<number>): Float64Array {
  const out = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) out[i] = values[indices[i]!]!;
  return out;
}

/**
 * The values of a function at 0..count−1. `Float64Array.from` with a callback goes through an iterator and takes ten times
 * as long.
 */
export function tabulate(count: number, at: (i: number) => number): Float64Array {
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = at(i);
  return out;
}

/** `values` minus their mean, as a new array. */
export function centred(values: ArrayLike<number>): Float64Array {
  const centre = mean(values);
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i]! - centre;
  return out;
}

/** Quantile q of already sorted values by linear interpolation at (n − 1)q (Hyndman and Fan's type 7). */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const position = (sorted.length - 1) * q;
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (position - low) * (sorted[high]! - sorted[low]!);
}

/** Indices that sort `values` ascending; equal values keep their order. */
export function sortedOrder(values: ArrayLike<number>): Int32Array {
  return sortedOrderBy(values, values);
}

/** Indices that sort by `values`, then by `ties`, then by position. */
export function sortedOrderBy(values: ArrayLike<number>, ties: ArrayLike<number>): Int32Array {
  const order = new Int32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((a, b) => values[a]! - values[b]! || ties[a]! - ties[b]! || a - b);
}

/** The indices 0..count−1 for which `holds`. */
export function indicesWhere(count: number, holds: (i: number) => boolean): Int32Array {
  const out = new Int32Array(count);
  let found = 0;
  for (let i = 0; i < count; i++) if (holds(i)) out[found++] = i;
  return out.slice(0, found);
}

/** The given arrays end to end. */
export function concatenate(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
