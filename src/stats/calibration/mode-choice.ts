import { mean } from '../numeric/moments.ts';

/** Out-of-fold squared errors of both modes on the m labelled rows, and what the choice reads beside them. */
export interface ModeErrors {
  readonly monotone: Float64Array;
  readonly twoStage: Float64Array;
  readonly scores: Float64Array;
  /** The rows by score, ties in any order. */
  readonly order: Int32Array;
  /** Null for equal weights. */
  readonly weights: Float64Array | null;
}

/**
 * Which mode `auto` takes. `margin`: two-stage where its root mean squared error is smaller by one standard error, over all
 * labels or in two of three score thirds; thirds are cut at score values, so that equal scores stay together and the order
 * of rows decides nothing. `library` (cje-eval): the thirds need no margin, and are cut at row counts.
 */
export type ModeRule = 'margin' | 'library';

export function twoStageIsBetter(errors: ModeErrors, rule: ModeRule): boolean {
  if (isCloser(errors, errors.order)) return true;
  const parts = rule === 'library' ? thirdsByCount(errors.order) : thirdsByScore(errors);
  const better = (rows: Int32Array) =>
    rule === 'library'
      ? weightedMean(errors, errors.twoStage, rows) < weightedMean(errors, errors.monotone, rows)
      : rows.length > 1 && isCloser(errors, rows);
  return parts.filter(better).length >= 2;
}

/** By one standard error of the monotone root mean squared error: that of a mean over 2 √mean, by the delta method. */
function isCloser(errors: ModeErrors, rows: Int32Array): boolean {
  const mse = weightedMean(errors, errors.monotone, rows);
  const squares = errors.monotone.map((e) => (e - mse) ** 2);
  const size = rows.length;
  const variance = (weightedMean(errors, squares, rows) * size) / (size - 1);
  const rmse = Math.sqrt(mse);
  const standardError = Math.sqrt(variance / size) / (2 * Math.max(rmse, 1e-12));
  return Math.sqrt(weightedMean(errors, errors.twoStage, rows)) < rmse - standardError;
}

function thirdsByCount(order: Int32Array): Int32Array[] {
  const third = Math.floor(order.length / 3);
  return [order.subarray(0, third), order.subarray(third, 2 * third), order.subarray(2 * third)];
}

/** Below the score a third of the way up, from there to two thirds, and from there on. */
function thirdsByScore({ order, scores }: ModeErrors): Int32Array[] {
  const third = Math.floor(order.length / 3);
  const [first, second] = [scores[order[third]!]!, scores[order[2 * third]!]!];
  return [
    order.filter((i) => scores[i]! < first),
    order.filter((i) => scores[i]! >= first && scores[i]! < second),
    order.filter((i) => scores[i]! >= second),
  ];
}

function weightedMean({ weights }: ModeErrors, values: Float64Array, rows: Int32Array): number {
  if (weights === null) return mean(Float64Array.from(rows, (i) => values[i]!));
  let total = 0;
  let mass = 0;
  for (const i of rows) {
    total += weights[i]! * values[i]!;
    mass += weights[i]!;
  }
  return total / mass;
}
