import { quantileOfSorted, sum } from '../numeric/moments.ts';
import { normalQuantile } from '../numeric/special-functions.ts';
import { differenceSupport, type LabelSupport } from './label-support.ts';

/** Fewer effective labels than this of the rarer sort, and a normal interval is too short by as much as they are missing. */
export const FEW_RARE_LABELS = 10;
/** Fewer own labels than this are no sample to learn from of what answers there are. */
export const FEW_TO_SHOW = 20;

/** Labels that are nearly all of one value, and what the interval is made of instead. */
export interface RareLabels {
  /** The value of more than half of the labels; null where none has so many, and yet a few make their spread. */
  readonly usual: number | null;
  /** Effective number of labels behind the estimate that are of any other value, or that make the spread. */
  readonly others: number;
  /** Kish's number of all labels behind it. */
  readonly effective: number;
  /** How the labels enter: by the calibration alone, as a correction of their own, or as scores that are taken for labels. */
  readonly by: RareCalibration | RareCorrection | RareScores;
}

interface RareCalibration {
  readonly kind: 'calibration';
  readonly support: LabelSupport;
}

/** An estimate that adds the mean residual of its labels to a mean prediction. */
export interface RareCorrection {
  readonly kind: 'correction';
  /** Label minus prediction, and the weight of each; null for equal weights. */
  readonly residuals: Float64Array;
  readonly weights: Float64Array | null;
  readonly meanPrediction: number;
  /** Sampling variance of the mean prediction alone. */
  readonly predictionVariance: number;
}

/** A mean of judge scores as they are. */
interface RareScores {
  readonly kind: 'scores';
  readonly scores: Float64Array;
}

/** The value that more than half of the labels have, and at least two; null where none has. */
export function usualLabel(labels: ArrayLike<number>): number | null {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i]!, (counts.get(labels[i]!) ?? 0) + 1);
  for (const [value, count] of counts) if (count > 1 && 2 * count > labels.length) return value;
  return null;
}

/** Kurtosis of what a few make; of numbers spread evenly it is 1.8, of normal ones 3. */
const FEW_MAKE_IT = 6;
/** Labels that all lie within this share of the scale say nothing of those that do not. */
const NARROW = 0.05;

/**
 * Effective number of values that make the spread about the median, (Σd²)²/Σd⁴, where they are few of many: then the others, equal
 * but for noise, know it no better than equal labels do. 0 where all lie close together; null where many make it.
 */
export function fewWithTheSpread(values: ArrayLike<number>): number | null {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length < 2) return null;
  if (sorted.at(-1)! - sorted[0]! < NARROW) return 0;
  const middle = quantileOfSorted(sorted, 0.5);
  const squares = sorted.map((value) => (value - middle) ** 2);
  const carriers = sum(squares) ** 2 / sum(squares.map((square) => square ** 2));
  return carriers < FEW_RARE_LABELS && FEW_MAKE_IT * carriers < sorted.length ? carriers : null;
}

/** How far labels stay away from either end of the scale, and how many of them there are to show it. */
export interface LabelGap {
  /** From 0 to the lowest label, and from the highest to 1. */
  readonly below: number;
  readonly above: number;
  readonly count: number;
  /** Whether they correct the estimate, or calibrate it alone. */
  readonly kind: 'calibration' | 'correction';
}

/**
 * The share of answers beyond all of k labels on one side that these do not rule out at 1 − α: none of them is there with
 * probability (1 − share)^k (at 95 % about three in k: Hanley and Lippman-Hand 1983).
 */
export function unseenShare(count: number, alpha: number): number {
  return 1 - alpha ** (1 / count);
}

/**
 * How far answers beyond all labels could move the mean down and up: E Y ≥ E max(Y, lowest) − P(Y < lowest)·lowest for
 * labels that are at least 0, whatever lies down there. Nothing in the labels tells it.
 */
export function unseenShifts({ below, above, count }: LabelGap, alpha: number): readonly [down: number, up: number] {
  const share = unseenShare(count, alpha);
  return [share * below, share * above];
}

/**
 * Effective number of labels unlike the usual one behind an estimate that rests on `effective` labels: exact for labels of
 * two values, where the estimate's distance from the usual one is the other's share; at most that for others.
 */
export function otherLabels(estimate: number, usual: number, effective: number): number {
  return (effective * Math.min(Math.abs(estimate - usual), 1)) / Math.max(usual, 1 - usual);
}

/** Labels of either end that join: two at 95 %, more at higher confidence (Agresti and Coull 1998: half the squared quantile). */
function pseudoLabels(alpha: number): number {
  return Math.max(2, normalQuantile(1 - alpha / 2) ** 2 / 2);
}

interface RareInterval {
  /** Variance that the labels cause. */
  readonly labelVariance: number;
  readonly samplingVariance: number;
  readonly centre: number;
  /** Infinity for the normal. */
  readonly degreesOfFreedom: number;
}

/**
 * With c labels 0 and c labels 1 beside the given ones. By a calibration: ψ̃ = (kψ + c)/(k + 2c), variance ψ̃(1 − ψ̃)/(k +
 * 2c). By a correction: the pseudo-labels stand at the mean prediction f̄, so residuals −f̄ and 1 − f̄ join, centre and
 * variance from all k + 2c. Scores as they are correct a prediction of 0, and their variance is that of sampling.
 */
export function rareInterval(
  estimate: number,
  { effective: k, by }: RareLabels,
  samplingVariance: number,
  alpha: number,
): RareInterval {
  const c = pseudoLabels(alpha);
  const size = k + 2 * c;
  if (by.kind === 'calibration') {
    const centre = (k * estimate + c) / size;
    return {
      centre,
      labelVariance: (centre * (1 - centre)) / size,
      samplingVariance,
      degreesOfFreedom: Number.POSITIVE_INFINITY,
    };
  }
  if (by.kind === 'scores') {
    const asLabels = { residuals: by.scores, weights: null, meanPrediction: 0, predictionVariance: 0 };
    const { labelVariance, ...rest } = rareCorrection(estimate, k, asLabels, c);
    return { ...rest, labelVariance: 0, samplingVariance: labelVariance };
  }
  return rareCorrection(estimate, k, by, c);
}

function rareCorrection(
  estimate: number,
  k: number,
  { residuals, weights, meanPrediction: f, predictionVariance }: Omit<RareCorrection, 'kind'>,
  c: number,
): RareInterval {
  const size = k + 2 * c;
  const share = (i: number) => (weights === null ? 1 / residuals.length : weights[i]! / sum(weights));
  const correction = residuals.reduce((total, r, i) => total + share(i) * r, 0);
  const centred = (k * correction + c * (1 - 2 * f)) / size;
  const squares =
    k * residuals.reduce((total, r, i) => total + share(i) * (r - centred) ** 2, 0) +
    c * ((-f - centred) ** 2 + (1 - f - centred) ** 2);
  return {
    centre: estimate + centred - correction,
    labelVariance: squares / (size - 1) / size,
    samplingVariance: predictionVariance,
    degreesOfFreedom: size - 1,
  };
}

/**
 * Variance that the labels cause in the difference of two calibrated means: p(1 − p) times that of labels of unit variance, see
 * {@link differenceSupport}. p is the larger of the two estimates with pseudo-labels.
 */
export function rareDifferenceVariance(
  a: { readonly estimate: number; readonly rare: RareLabels },
  b: { readonly estimate: number; readonly rare: RareLabels },
  alpha: number,
): number {
  const [ofA, ofB] = [a.rare.by, b.rare.by];
  if (ofA.kind !== 'calibration' || ofB.kind !== 'calibration') return 0;
  const spread = Math.max(
    ...[a, b].map(({ estimate, rare }) => {
      const { centre } = rareInterval(estimate, rare, 0, alpha);
      return centre * (1 - centre);
    }),
  );
  return spread * (differenceSupport(ofA.support, ofB.support)?.unitVariance ?? 0);
}
