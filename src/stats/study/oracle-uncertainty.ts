import { centred, dot, mean } from '../numeric/moments.ts';

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

/**
 * Σ of the influence values of each jackknife group's prompts, over n: what leaving the group's rows out of the evaluation
 * moves, as ψ^(−k) is what leaving its labels out of the calibration moves. Prompts without a label belong to no group.
 *
 * @param groups how many there are.
 * @returns one total a group, centred; null where no evaluated prompt has a label.
 */
export function groupTotals(
  influence: ArrayLike<number>,
  promptIds: readonly string[],
  groupOf: ReadonlyMap<string, number>,
  groups: number,
): Float64Array | null {
  const totals = new Float64Array(groups);
  let shared = false;
  promptIds.forEach((id, i) => {
    const group = groupOf.get(id);
    if (group === undefined) return;
    totals[group]! += influence[i]! / promptIds.length;
    shared = true;
  });
  return shared ? centred(totals) : null;
}

/**
 * Covariance of an estimate's sampling error with another's (or its own) calibration error, from what the prompts with
 * labels contribute to both: K/(K − 1) Σ A_k B_k, with A_k the group's sampling total and B_k = −(K − 1)/K (ψ^(−k) − mean
 * ψ^(−k)) its total in the calibration's error. Together with the sampling variance and the jackknife's, twice of it makes
 * the delete-a-group jackknife over labels and draws at once (Kott 2001), to first order.
 */
export function sharedCovariance(totals: Float64Array, leaveOneOut: Float64Array): number {
  return -dot(totals, centred(leaveOneOut));
}

/** K/(K − 1) Σ A_k² of centred group totals: the groups' part of the sampling variance. */
export function variationOfTotals(totals: Float64Array): number {
  return (totals.length / (totals.length - 1)) * dot(totals, totals);
}
