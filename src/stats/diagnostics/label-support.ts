import { type RewardFunction, rewardIndex } from '../calibration/reward-function.ts';
import type { ScoreInputs } from '../data/data.ts';
import { type IsotonicFit, segmentOf } from '../numeric/isotonic.ts';
import { dot, mean, sampleVariance, sum } from '../numeric/moments.ts';

/** How much of the labelled slice speaks about one policy. */
export interface LabelSupport {
  /** Kish's effective number of labels behind the policy's mean reward. */
  readonly effective: number;
  readonly labels: number;
  /** effective / labels. */
  readonly share: number;
  /** Of each block of the fit the share of the policy's rows, and how many labels it has. */
  readonly blockShares: Float64Array;
  readonly blockLabels: Float64Array;
  /** The mean of its labels. */
  readonly blockLevels: Float64Array;
  /** Mean judge score of the policy's rows, and the spread of the labelled ones. */
  readonly meanScore: number;
  readonly labelledScoreVariance: number;
  /** Of the labels about the calibration, out of fold. */
  readonly residualVariance: number;
  /** Of the labels on the calibration, out of fold. */
  readonly slope: number;
}

/** Kish's number of labels behind a difference, and what it is of one unit of label variance. */
export interface DifferenceSupport {
  readonly effective: number;
  readonly unitVariance: number;
  /** Variance from blocks whose labels all lie at one end of the scale, which tell none themselves. */
  readonly endVariance: number;
}

/**
 * How many labels carry the difference of two calibrated means: Σ d_j Y_j with d_j the difference of the labels' weights,
 * Kish's (Σ|d|)²/Σd². Most labels may lie where both policies score alike, and say nothing of it. Its variance is Σd_j² for
 * labels of unit variance, and no less than a straight line's, (S̄_a − S̄_b)²/(m s_S²): a fit that has pooled all labels
 * has d = 0, and is not certain of it. A curve ends in blocks that are all 0 or all 1, the more so the fewer labels they
 * have, and no refit moves those: two labels of either end join such a block's (Agresti and Coull 1998). Null where the two
 * are of different fits.
 */
export function differenceSupport(a: LabelSupport, b: LabelSupport): DifferenceSupport | null {
  if (a.blockShares.length !== b.blockShares.length) return null;
  let total = 0;
  let squares = 0;
  let endVariance = 0;
  a.blockShares.forEach((share, block) => {
    const labels = a.blockLabels[block]!;
    const difference = Math.abs(share - b.blockShares[block]!);
    total += difference;
    if (labels > 0) squares += difference ** 2 / labels;
    if (labels > 0 && isEnd(a.blockLevels[block]!)) endVariance += difference ** 2 * varianceOfAlike(labels);
  });
  const line =
    a.labelledScoreVariance > 0 ? (a.meanScore - b.meanScore) ** 2 / (a.labels * a.labelledScoreVariance) : 0;
  return { effective: squares > 0 ? total ** 2 / squares : 0, unitVariance: Math.max(squares, line), endVariance };
}

const isEnd = (level: number): boolean => level === 0 || level === 1;

/** Of the mean of labels that are all 0, or all 1: p̃(1 − p̃)/(k + 4) with p̃ = 2/(k + 4). */
const varianceOfAlike = (labels: number): number => (2 * (labels + 2)) / (labels + 4) ** 3;

/**
 * How many labels carry a calibrated mean. The mean of f̂ over a policy's rows is a weighted mean of labels,
 *
 *   Σ_i w_i f̂(x_i) / Σ_i w_i = Σ_j a_j Y_j,
 *
 * since an isotonic fit averages the labels of each of its blocks, and between blocks it is a convex combination of two.
 * The a_j are the blocks' shares of the policy's rows, spread evenly over the block's labels. Their effective number is
 * (Σ a_j)² / Σ a_j² (Kish 1965): all m where the policy scores like the labelled rows, a handful where most of its rows
 * lie in a block with a handful of labels.
 *
 * @param fit the calibration. @param labelled its m training rows. @param rows the policy's n rows.
 * @param weights n row weights, absent for 1. @param labelWeights m weights of the labels, null for equal ones.
 */
export function labelSupport(
  fit: RewardFunction,
  labelled: ScoreInputs,
  rows: ScoreInputs,
  weights?: ArrayLike<number>,
  labelWeights: ArrayLike<number> | null = null,
): Omit<LabelSupport, 'residualVariance' | 'slope'> {
  const { isotonic } = fit;
  const blocks = blocksOf(isotonic);
  const labels = new Float64Array(isotonic.y.length);
  const index = rewardIndex(fit, labelled);
  if (labelWeights === null) spread(isotonic, index, undefined, blocks, labels);
  else {
    // Of labels that count unequally a block has Kish's number.
    const squares = new Float64Array(labels.length);
    spread(isotonic, index, labelWeights, blocks, labels);
    spread(
      isotonic,
      index,
      Float64Array.from(labelWeights, (w) => w * w),
      blocks,
      squares,
    );
    labels.forEach((total, block) => {
      labels[block] = squares[block]! > 0 ? total ** 2 / squares[block]! : 0;
    });
  }
  const shares = new Float64Array(isotonic.y.length);
  spread(isotonic, rewardIndex(fit, rows), weights, blocks, shares);
  let total = 0;
  let squares = 0;
  shares.forEach((share, block) => {
    total += share;
    if (share > 0) squares += share ** 2 / labels[block]!;
  });
  const count = labelled.scores.length;
  const effective = Math.min(total ** 2 / squares, count);
  const blockShares = total > 0 ? shares.map((share) => share / total) : shares;
  const meanScore = weights === undefined ? mean(rows.scores) : dot(rows.scores, weights) / sum(weights);
  return {
    effective,
    labels: count,
    share: effective / count,
    blockShares,
    blockLabels: labels,
    blockLevels: levelsOf(isotonic, blocks),
    meanScore,
    labelledScoreVariance: sampleVariance(labelled.scores),
  };
}

/** The block of each breakpoint: neighbours at one level share one. */
function blocksOf({ y }: IsotonicFit): Int32Array {
  const blocks = new Int32Array(y.length);
  for (let k = 1; k < y.length; k++) blocks[k] = y[k] === y[k - 1] ? blocks[k - 1]! : blocks[k - 1]! + 1;
  return blocks;
}

function levelsOf({ y }: IsotonicFit, blocks: Int32Array): Float64Array {
  const levels = new Float64Array(y.length);
  blocks.forEach((block, k) => {
    levels[block] = y[k]!;
  });
  return levels;
}

/** Adds the weight of each value to its block, or, between two blocks, to both by nearness. */
function spread(
  { x }: IsotonicFit,
  values: Float64Array,
  weights: ArrayLike<number> | undefined,
  blocks: Int32Array,
  into: Float64Array,
): void {
  const last = x.length - 1;
  for (let i = 0; i < values.length; i++) {
    const weight = weights === undefined ? 1 : weights[i]!;
    const at = Math.min(Math.max(values[i]!, x[0]!), x[last]!);
    const low = segmentOf(x, at);
    const high = Math.min(low + 1, last);
    const upper = high === low ? 0 : (at - x[low]!) / (x[high]! - x[low]!);
    into[blocks[low]!]! += weight * (1 - upper);
    into[blocks[high]!]! += weight * upper;
  }
}
