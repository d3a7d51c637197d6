/** How far several raters of the same things agree. */

import { mean, quantileOfSorted } from './numeric/moments.ts';
import { randomSource } from './numeric/random.ts';

/** The ratings of one thing: at least two say something. */
type Ratings = readonly number[];

/**
 * Krippendorff's α for numbers (interval metric): 1 − D_observed / D_expected, where D is the mean squared difference of
 * two ratings, of one thing or of any two. 1: always the same; 0: as if drawn at random; below: worse than that.
 *
 * Krippendorff (2011), "Computing Krippendorff's alpha-reliability".
 *
 * @param units the ratings of each thing; those with fewer than two say nothing of agreement.
 * @returns null where no thing has two ratings, or all ratings are equal.
 */
export function krippendorffAlpha(units: readonly Ratings[]): number | null {
  const paired = units.filter((ratings) => ratings.length > 1);
  const all = paired.flat();
  if (all.length < 2) return null;
  // Σ over pairs of (a − b)² is n Σ a² − (Σ a)², over ordered pairs twice that.
  const spread = (values: readonly number[]): number => {
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    return 2 * values.length * values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  };
  const observed = paired.reduce((sum, ratings) => sum + spread(ratings) / (ratings.length - 1), 0) / all.length;
  const expected = spread(all) / (all.length * (all.length - 1));
  return expected === 0 ? null : 1 - observed / expected;
}

/**
 * Cohen's κ of two raters with quadratic weights: 1 − mean (a − b)² / the same were the two independent.
 *
 * Cohen (1968), "Weighted kappa". Quadratic weights make it Lin's concordance with population moments.
 *
 * @param a, b what the two say of the same things, in the same order.
 * @returns null for fewer than two things, or where both always say the same number.
 */
export function weightedKappa(a: readonly number[], b: readonly number[]): number | null {
  const n = a.length;
  if (n < 2) return null;
  const [centreA, centreB] = [mean(a), mean(b)];
  const variance = (values: readonly number[], centre: number) => mean(values.map((value) => (value - centre) ** 2));
  const expected = variance(a, centreA) + variance(b, centreB) + (centreA - centreB) ** 2;
  if (expected === 0) return null;
  return 1 - mean(a.map((value, index) => (value - b[index]!) ** 2)) / expected;
}

/** Bootstrap samples of an interval; fewer where each takes long. */
const RESAMPLES = 1_000;
const DRAWS_AT_MOST = 2_000_000;
/** Fewer things than these, drawn again, say nothing of others. */
const LEAST = 10;
/** Of the samples in order; fixed, so that equal ratings give equal text. */
const SEED = 20_130;

interface Agreement {
  /** Null where it is not defined. */
  readonly value: number | null;
  /** The 95 % percentile interval over resampled things; null for few things, or where fewer than half of the samples define it. */
  readonly interval: readonly [low: number, high: number] | null;
}

/**
 * A measure of agreement with what other prompts would leave open.
 *
 * @param byPrompt what is rated, each prompt to be drawn as a whole; taken by id, so that no order of rows decides what is drawn.
 */
export function agreementOf<T>(
  byPrompt: ReadonlyMap<string, T>,
  measure: (things: readonly T[]) => number | null,
): Agreement {
  const things = [...byPrompt].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => of);
  const value = measure(things);
  if (value === null || things.length < LEAST) return { value, interval: null };
  const samples = Math.max(200, Math.min(RESAMPLES, Math.floor(DRAWS_AT_MOST / things.length)));
  const random = randomSource(SEED, things.length);
  const found: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const drawn = things.map(() => things[Math.floor(random.uniform() * things.length)]!);
    const again = measure(drawn);
    if (again !== null) found.push(again);
  }
  if (found.length < samples / 2) return { value, interval: null };
  const sorted = Float64Array.from(found).sort();
  return { value, interval: [quantileOfSorted(sorted, 0.025), quantileOfSorted(sorted, 0.975)] };
}

/** Such as `0.62 [0.51, 0.70]`. */
export function agreementText({ value, interval }: Agreement, unknown: string): string {
  if (value === null) return unknown;
  const [low, high] = interval ?? [null, null];
  return low === null || high === null
    ? value.toFixed(2)
    : `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}
