/** A column of numbers in a few words. */

export interface NumberColumn {
  readonly name: string;
  readonly n: number;
  readonly mean: number;
  readonly standardDeviation: number;
  /** Minimum, quartiles and maximum. */
  readonly quantiles: readonly [number, number, number, number, number];
  /** Counts in equal bins from the minimum to the maximum; empty unless this is what the node measures. */
  readonly histogram: readonly number[];
}

const BINS = 30;

/** @param values NaN where a row has no number */
export function describeColumn(name: string, values: Float64Array, binned: boolean): NumberColumn | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const n = sorted.length;
  if (n === 0) return undefined;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const at = (share: number): number => quantile(sorted, share);
  return {
    name,
    n,
    mean,
    standardDeviation: n < 2 ? 0 : Math.sqrt(squares / (n - 1)),
    quantiles: [at(0), at(0.25), at(0.5), at(0.75), at(1)],
    histogram: binned ? histogram(sorted) : [],
  };
}

/** Between the two nearest values, in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const value = sorted[below]!;
  return below === place ? value : value + (place - below) * (sorted[below + 1]! - value);
}

function histogram(sorted: Float64Array): number[] {
  const [from, to] = [sorted[0]!, sorted.at(-1)!];
  if (!(to > from)) return [];
  const counts = new Array<number>(BINS).fill(0);
  for (const value of sorted) counts[Math.min(BINS - 1, Math.floor(((value - from) / (to - from)) * BINS))]!++;
  return counts;
}
