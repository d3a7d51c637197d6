import type { ScoreInputs } from '../data/data.ts';
import { balancedFolds, foldsOfPrompts, type PromptFolds } from '../data/folds.ts';
import { isConstant } from '../numeric/isotonic.ts';
import { indicesWhere, mean, range, take } from '../numeric/moments.ts';
import {
  applyByFold,
  type CrossFit,
  fitSelected,
  fitWithout,
  type LabelledSlice,
  labelledSlice,
  predictByFold,
  selectRows,
} from './cross-fit.ts';
import type { ModeRule } from './mode-choice.ts';
import { predictReward, type RewardFunction, rewardIndex } from './reward-function.ts';

interface CalibrationOptions {
  readonly mode: 'auto' | 'monotone' | 'two-stage';
  readonly folds: number;
  readonly seed: number;
  /** Groups of the oracle-uncertainty jackknife; null jackknifes over the cross-fitting folds. */
  readonly jackknifeGroups: number | null;
  /** Weight of each row's label, mean one; absent or null for equal ones. */
  readonly labelWeights?: Float64Array | null;
  /** How `auto` chooses; absent means by the margin. */
  readonly modeRule?: ModeRule;
  /** Cross-fitting folds of prompts; absent means the prompt-hash folds. */
  readonly promptFolds?: PromptFolds;
}

export interface CalibrationDiagnostics {
  readonly labels: number;
  readonly rmse: number;
  readonly outOfFoldRmse: number;
  /** Of the labels on their out-of-fold predictions: below 1 the curve is steeper than the labels are. */
  readonly slope: number;
  /** Share of labelled rows whose prediction is within 0.1 of the label, in sample and out of fold. */
  readonly within: number;
  readonly outOfFoldWithin: number;
  /** Smallest and largest reward on labelled rows. */
  readonly rewardRange: readonly [number, number];
  /** Smallest and largest labelled judge score. */
  readonly labelledScoreRange: readonly [number, number];
  readonly distinctLevels: number;
  /** The fit is one constant although labels vary: the judge is uninformative, or inverted under a monotone fit. */
  readonly collapsed: boolean;
}

/** AutoCal-R (arXiv 2512.11150 §4): a reward function on all labels, and K more, each without one fold's labels. */
export interface RewardCalibration {
  readonly selected: 'monotone' | 'two-stage';
  readonly full: RewardFunction;
  /** full fit without fold k's labels, k = 0..K−1. */
  readonly withoutFold: readonly RewardFunction[];
  /** The fits of the oracle-uncertainty jackknife, each without one group of labels. */
  readonly jackknife: readonly RewardFunction[];
  /** The jackknife's group of each prompt with a label: the fit of that number lacks its labels. */
  readonly groupOf: ReadonlyMap<string, number>;
  /** Fold of every row, labelled or not. */
  readonly foldOfRow: Int32Array;
  readonly labelledRows: Int32Array;
  /** Labels of all rows, NaN where there is none. */
  readonly labels: Float64Array;
  /** The labels' weights, m of them; null for equal ones. */
  readonly labelledWeights: Float64Array | null;
  /** Their scores and covariates: what the full fit learnt on. */
  readonly labelledInputs: ScoreInputs;
  readonly diagnostics: CalibrationDiagnostics;
}

/**
 * Fits the reward calibration, see `fitSelected` for the modes. Monotone mode preserves the mean: rewards of labelled
 * rows average to their labels.
 *
 * @param inputs N rows; labels NaN where absent. Callers refuse fewer than two labels a fold beforehand.
 */
export function calibrateRewards(
  inputs: ScoreInputs,
  labels: Float64Array,
  promptIds: readonly string[],
  options: CalibrationOptions,
): RewardCalibration {
  const labelledRows = indicesWhere(labels.length, (i) => !Number.isNaN(labels[i]!));
  const { labelWeights: weights = null } = options;
  const labelledWeights = weights === null ? null : take(weights, labelledRows);
  const foldOfRow = (options.promptFolds ?? hashFolds(options))(promptIds);
  const slice = labelledSlice(selectRows(inputs, labelledRows), take(labels, labelledRows), labelledWeights);
  const folds = Int32Array.from(labelledRows, (row) => foldOfRow[row]!);
  const fitted = fitSelected(options.mode, slice, folds, options.folds, options.modeRule);
  const ids = Array.from(labelledRows, (row) => promptIds[row]!);
  const groups =
    options.jackknifeGroups === null ? folds : balancedFolds(ids, options.jackknifeGroups, options.seed)(ids);
  return {
    ...fitted,
    jackknife: options.jackknifeGroups === null ? fitted.withoutFold : withoutGroups(fitted, slice, groups),
    groupOf: new Map(ids.map((id, i) => [id, groups[i]!])),
    foldOfRow,
    labelledRows,
    labels,
    labelledWeights,
    labelledInputs: slice.inputs,
    diagnostics: diagnose(fitted, slice, folds),
  };
}

function hashFolds({ folds, seed }: CalibrationOptions): PromptFolds {
  return (promptIds) => foldsOfPrompts(promptIds, folds, seed);
}

function withoutGroups(fit: CrossFit, slice: LabelledSlice, groups: Int32Array): RewardFunction[] {
  const count = groups.reduce((m, g) => Math.max(m, g + 1), 0);
  return Array.from({ length: count }, (_, g) => fitWithout(g, fit, slice, groups));
}

/** Cross-fitted rewards: row i by the fit without fold `folds[i]`, clipped to [0, 1]. */
export function outOfFoldRewards(
  calibration: Pick<RewardCalibration, 'withoutFold'>,
  inputs: ScoreInputs,
  folds: Int32Array,
): Float64Array {
  return predictByFold(calibration.withoutFold, inputs, folds);
}

/** Cross-fitted index (score or rank) of each row, see {@link rewardIndex}. */
export function outOfFoldIndex(
  calibration: Pick<RewardCalibration, 'withoutFold'>,
  inputs: ScoreInputs,
  folds: Int32Array,
): Float64Array {
  return applyByFold(calibration.withoutFold, inputs, folds, rewardIndex);
}

function diagnose(fit: CrossFit, slice: LabelledSlice, folds: Int32Array): CalibrationDiagnostics {
  const { inputs, labels: y } = slice;
  const inSample = predictReward(fit.full, inputs);
  const crossFitted = predictByFold(fit.withoutFold, inputs, folds);
  const rmse = (p: Float64Array) => Math.sqrt(mean(p.map((v, i) => (y[i]! - v) ** 2)));
  const within = (p: Float64Array) => mean(p.map((v, i) => (Math.abs(v - y[i]!) <= 0.1 ? 1 : 0)));
  const [lowest, highest] = range(y);
  return {
    labels: y.length,
    rmse: rmse(inSample),
    outOfFoldRmse: rmse(crossFitted),
    slope: slopeWithinFolds(crossFitted, slice, folds),
    within: within(inSample),
    outOfFoldWithin: within(crossFitted),
    rewardRange: range(inSample),
    labelledScoreRange: range(inputs.scores),
    distinctLevels: new Set(Array.from(inSample, (v) => Math.round(v * 1e6))).size,
    collapsed: highest > lowest && isConstant(fit.full.isotonic),
  };
}

/** A spread of predictions below this is one of roundings. */
const NO_SPREAD = 1e-20;

/**
 * The calibration slope (Cox 1958) of labels on predictions by the other folds' fits, Σ w (f − f̄_k)(Y − Ȳ_k)/Σ w (f −
 * f̄_k)²: about the fold's own means, as a fold whose labels are high is predicted low. 1 where predictions do not vary
 * within a fold.
 */
function slopeWithinFolds(predicted: Float64Array, { labels, weights }: LabelledSlice, folds: Int32Array): number {
  const weightOf = (i: number) => weights?.[i] ?? 1;
  const sums = new Map<number, { weight: number; predicted: number; label: number }>();
  folds.forEach((fold, i) => {
    const of = sums.get(fold) ?? { weight: 0, predicted: 0, label: 0 };
    sums.set(fold, of);
    of.weight += weightOf(i);
    of.predicted += weightOf(i) * predicted[i]!;
    of.label += weightOf(i) * labels[i]!;
  });
  let [squares, products] = [0, 0];
  folds.forEach((fold, i) => {
    const of = sums.get(fold)!;
    const apart = predicted[i]! - of.predicted / of.weight;
    squares += weightOf(i) * apart ** 2;
    products += weightOf(i) * apart * (labels[i]! - of.label / of.weight);
  });
  return squares > NO_SPREAD * labels.length ? products / squares : 1;
}
