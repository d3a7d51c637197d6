import type { ScoreInputs } from '../data/data.ts';
import {
  evaluateIsotonic,
  fitIsotonic,
  fitIsotonicInOrder,
  type IsotonicFit,
  predictIsotonicInOrder,
} from '../numeric/isotonic.ts';
import { sortedOrder, sortedOrderBy, take } from '../numeric/moments.ts';
import { fitRidge } from './ridge.ts';
import { type SplineBasis, splineBasis, splineColumns, splineValue } from './spline.ts';

/** A smooth index g of score and covariates: ridge regression on spline bases. */
interface SmoothIndex {
  readonly bases: readonly (SplineBasis | null)[];
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly penalty: number;
}

/**
 * A fitted map from judge score (and covariates) to reward on [0, 1].
 * `monotone`: isotonic in the score. `two-stage`: isotonic in the rank of a smooth index, so it may bend either way.
 * `rank`: isotonic in the rank of the score, which two-stage falls back to below 20 labels.
 */
export type RewardFunction =
  | { readonly kind: 'monotone'; readonly isotonic: IsotonicFit }
  | { readonly kind: 'rank'; readonly ranks: RankScale; readonly isotonic: IsotonicFit }
  | {
      readonly kind: 'two-stage';
      readonly index: SmoothIndex;
      readonly ranks: RankScale;
      readonly isotonic: IsotonicFit;
    };

/** The training values in ascending order, and (weighted fits) the weight up to and including each; null for equal weights. */
interface RankScale {
  readonly sorted: Float64Array;
  readonly cumulative: Float64Array | null;
}

/** Below this many labels a spline is not fitted. */
const SMALLEST_TWO_STAGE = 20;

/** Index values closer than this are a tie: a rank must not hang on the last bit of a sum. */
const TIE = 1e-12;

/**
 * Isotonic regression of label on score.
 * @param order the rows to fit, by (score, label). @param inputs m labelled rows. @param labels m labels on [0, 1].
 */
export function fitMonotone(
  order: Int32Array,
  inputs: Pick<ScoreInputs, 'scores'>,
  labels: Float64Array,
  weights?: Float64Array,
): RewardFunction {
  const options = { bounds: [0, 1] as const, ...(weights === undefined ? {} : { weights }) };
  return { kind: 'monotone', isotonic: fitIsotonicInOrder(order, inputs.scores, labels, options) };
}

/**
 * Two-stage calibration (arXiv 2512.11150, AutoCal-R): a spline index g, its rank among the training rows, and
 * isotonic regression on the rank. Weights enter the ridge fit, the ranks (as a weighted distribution function) and
 * the isotonic fit.
 */
export function fitTwoStage(
  inputs: Pick<ScoreInputs, 'scores' | 'covariates'>,
  labels: Float64Array,
  fallback: 'monotone' | 'rank',
  weights?: Float64Array,
): RewardFunction {
  if (labels.length < SMALLEST_TWO_STAGE) {
    if (fallback === 'monotone') return fitMonotone(sortedOrderBy(inputs.scores, labels), inputs, labels, weights);
    const ranks = rankScale(inputs.scores, weights);
    return { kind: 'rank', ranks, isotonic: fitOnRank(inputs.scores, ranks, labels, weights) };
  }
  const all = [inputs.scores, ...inputs.covariates];
  const bases = all.map(splineBasis);
  const columns = all.flatMap((values, i) => (bases[i] === null ? [] : splineColumns(bases[i]!, values)));
  const index: SmoothIndex = { bases, ...fitRidge(columns, labels, weights) };
  const g = smoothIndex(index, inputs);
  const ranks = rankScale(g, weights);
  return { kind: 'two-stage', index, ranks, isotonic: fitOnRank(g, ranks, labels, weights) };
}

function rankScale(g: Float64Array, weights: Float64Array | undefined): RankScale {
  if (weights === undefined) return { sorted: g.slice().sort(), cumulative: null };
  const order = sortedOrder(g);
  let mass = 0;
  return {
    sorted: take(g, order),
    cumulative: Float64Array.from(order, (i) => {
      mass += weights[i]!;
      return mass;
    }),
  };
}

function fitOnRank(g: Float64Array, ranks: RankScale, labels: Float64Array, weights?: Float64Array): IsotonicFit {
  const at = g.map((value) => rank(ranks, value));
  return fitIsotonic(at, labels, { bounds: [0, 1], ...(weights === undefined ? {} : { weights }) });
}

/**
 * (#{training ≤ value} − ½)/size, with values within 1e-12 counted as equal; with weights the share of weight up to the
 * value, less half the mean weight.
 */
function rank({ sorted, cumulative }: RankScale, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value + TIE) low = middle + 1;
    else high = middle;
  }
  if (cumulative === null) return (low - 0.5) / sorted.length;
  const total = cumulative[cumulative.length - 1]!;
  return ((low === 0 ? 0 : cumulative[low - 1]!) - (0.5 * total) / sorted.length) / total;
}

function smoothIndex(index: SmoothIndex, inputs: Pick<ScoreInputs, 'scores' | 'covariates'>): Float64Array {
  const all = [inputs.scores, ...inputs.covariates];
  const out = new Float64Array(inputs.scores.length).fill(index.intercept);
  let offset = 0;
  all.forEach((values, i) => {
    const basis = index.bases[i];
    if (basis === null || basis === undefined) return;
    for (let row = 0; row < out.length; row++)
      out[row]! += splineValue(basis, index.coefficients, offset, values[row]!);
    offset += basis.columns;
  });
  return out;
}

/** The scalar the last isotonic step reads: the score itself, or a rank. */
export function rewardIndex(fit: RewardFunction, inputs: ScoreInputs): Float64Array {
  switch (fit.kind) {
    case 'monotone':
      return inputs.scores;
    case 'rank':
      return inputs.scores.map((s) => rank(fit.ranks, s));
    case 'two-stage':
      return smoothIndex(fit.index, inputs).map((g) => rank(fit.ranks, g));
  }
}

/** Calibrated rewards on [0, 1], one a row. */
export function predictReward(fit: RewardFunction, inputs: ScoreInputs): Float64Array {
  const index = rewardIndex(fit, inputs);
  const out = new Float64Array(index.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.min(Math.max(evaluateIsotonic(fit.isotonic, index[i]!), 0), 1);
  }
  return out;
}

/** Rewards of the same rows under many fits: the rows are sorted once, and each monotone fit is one pass. */
export function predictRewards(fits: readonly RewardFunction[], inputs: ScoreInputs): Float64Array[] {
  return fits.map((fit) =>
    // A monotone fit on [0, 1] is in bounds already.
    fit.kind === 'monotone'
      ? predictIsotonicInOrder(fit.isotonic, inputs.scores, inputs.order)
      : predictReward(fit, inputs),
  );
}
