/** How far several raters of the same things agree. */

import { mean } from './numeric/moments.ts';

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
