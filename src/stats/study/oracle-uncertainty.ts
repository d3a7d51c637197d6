import { mean } from '../numeric/moments.ts';

/**
 * Oracle-uncertainty-aware variance: the delete-one-fold jackknife over the labelled slice,
 * (K − 1)/K · Σ_k (ψ^(−k) − mean ψ^(−k))²  (arXiv 2512.11150, Algorithm 6). It measures how much the estimate moves
 * when the reward calibration is refitted without a K-th of its labels.
 *
 * @param leaveOneOut the K estimates ψ^(−k), in the estimate's unit.
 * @returns variance in squared units; 0 for fewer than two folds.
 */
export function jackknifeVariance(leaveOneOut: ArrayLike<number>): number {
  const folds = leaveOneOut.length;
  if (folds < 2) return 0;
  const centre = mean(leaveOneOut);
  let squares = 0;
  for (let k = 0; k < folds; k++) squares += (leaveOneOut[k]! - centre) ** 2;
  return ((folds - 1) / folds) * squares;
}

/**
 * Welch–Satterthwaite degrees of freedom of a sum of independent variance estimates. Terms of zero variance do not
 * count; all zero gives the smallest df.
 */
export function satterthwaite(
  parts: readonly { readonly variance: number; readonly degreesOfFreedom: number }[],
): number {
  let total = 0;
  let denominator = 0;
  for (const { variance, degreesOfFreedom } of parts) {
    total += variance;
    denominator += variance ** 2 / degreesOfFreedom;
  }
  return denominator > 0 ? total ** 2 / denominator : Math.min(...parts.map((p) => p.degreesOfFreedom));
}
