import type { ScoreInputs } from '../data.ts';
import { balancedFolds, foldsOfPrompts, type PromptFolds } from '../folds.ts';
import { isConstant } from '../isotonic.ts';
import { indicesWhere, mean, range, sampleVariance, sortedOrder, take } from '../moments.ts';
import { fitMonotone, fitTwoStage, predictReward, type RewardFunction, rewardIndex } from './reward-function.ts';

export interface CalibrationOptions {
  readonly mode: 'auto' | 'monotone' | 'two-stage';
  readonly folds: number;
  readonly seed: number;
  /** Groups of the oracle-uncertainty jackknife; null jackknifes over the cross-fitting folds. */
  readonly jackknifeGroups: number | null;
  /** Cross-fitting folds of prompts; absent means the prompt-hash folds. */
  readonly promptFolds?: PromptFolds;
}

export interface CalibrationDiagnostics {
  readonly labels: number;
  readonly rmse: number;
  readonly outOfFoldRmse: number;
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
  /** Fold of every row, labelled or not. */
  readonly foldOfRow: Int32Array;
  readonly labelledRows: Int32Array;
  readonly diagnostics: CalibrationDiagnostics;
}

/**
 * Fits the reward calibration.
 *
 * Monotone mode preserves the mean: rewards of labelled rows average to their labels. `auto` cross-fits both modes and
 * takes two-stage when its out-of-fold RMSE is smaller by one standard error, or smaller in two of three score
 * thirds (the paper's rule); covariates always mean two-stage.
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
  const foldOfRow = (options.promptFolds ?? hashFolds(options))(promptIds);
  const slice = selectRows(inputs, labelledRows);
  const y = take(labels, labelledRows);
  const folds = Int32Array.from(labelledRows, (row) => foldOfRow[row]!);

  const monotone = () => crossFit(slice, y, folds, options.folds, 'monotone');
  const twoStage = () => crossFit(slice, y, folds, options.folds, 'two-stage');
  const fitted = select(options.mode, inputs.covariates.length > 0, slice, y, folds, monotone, twoStage);
  const ids = Array.from(labelledRows, (row) => promptIds[row]!);
  return {
    ...fitted,
    jackknife:
      options.jackknifeGroups === null
        ? fitted.withoutFold
        : withoutGroups(fitted, slice, y, balancedFolds(ids, options.jackknifeGroups, options.seed)(ids)),
    foldOfRow,
    labelledRows,
    diagnostics: diagnose(fitted, slice, y, folds),
  };
}

function hashFolds({ folds, seed }: CalibrationOptions): PromptFolds {
  return (promptIds) => foldsOfPrompts(promptIds, folds, seed);
}

type CrossFit = Pick<RewardCalibration, 'selected' | 'full' | 'withoutFold'>;

function select(
  mode: CalibrationOptions['mode'],
  hasCovariates: boolean,
  slice: ScoreInputs,
  y: Float64Array,
  folds: Int32Array,
  monotone: () => CrossFit,
  twoStage: () => CrossFit,
): CrossFit {
  if (hasCovariates || mode === 'two-stage') return twoStage();
  if (mode === 'monotone') return monotone();
  const candidates = { monotone: monotone(), twoStage: twoStage() };
  const errors = (fit: CrossFit) => {
    const predicted = outOfFold(fit.withoutFold, slice, folds);
    return predicted.map((p, i) => (y[i]! - p) ** 2);
  };
  const better = twoStageIsBetter(slice.scores, errors(candidates.monotone), errors(candidates.twoStage));
  return better ? candidates.twoStage : candidates.monotone;
}

/** The paper's choice between the two modes, from out-of-fold squared errors of the m labelled rows. */
function twoStageIsBetter(scores: Float64Array, monotone: Float64Array, twoStage: Float64Array): boolean {
  const m = scores.length;
  const rmseMonotone = Math.sqrt(mean(monotone));
  const rmseTwoStage = Math.sqrt(mean(twoStage));
  const standardError = Math.sqrt(sampleVariance(monotone) / m) / (2 * Math.max(rmseMonotone, 1e-12));
  if (rmseTwoStage < rmseMonotone - standardError) return true;
  const order = sortedOrder(scores);
  const third = Math.floor(m / 3);
  let wins = 0;
  for (const [from, to] of [
    [0, third],
    [third, 2 * third],
    [2 * third, m],
  ] as const) {
    const rows = order.subarray(from, to);
    if (mean(take(twoStage, rows)) < mean(take(monotone, rows))) wins++;
  }
  return wins >= 2;
}

function crossFit(
  slice: ScoreInputs,
  y: Float64Array,
  folds: Int32Array,
  count: number,
  selected: 'monotone' | 'two-stage',
): CrossFit {
  const full = train(selected, slice, y, 'monotone');
  const withoutFold = Array.from({ length: count }, (_, k) => without(k, { selected, full }, slice, y, folds));
  return { selected, full, withoutFold };
}

function withoutGroups(
  fit: Pick<CrossFit, 'selected' | 'full'>,
  slice: ScoreInputs,
  y: Float64Array,
  groups: Int32Array,
): RewardFunction[] {
  const count = groups.reduce((m, g) => Math.max(m, g + 1), 0);
  return Array.from({ length: count }, (_, g) => without(g, fit, slice, y, groups));
}

/** The selected mode fitted without the labels of one fold. */
function without(
  fold: number,
  { selected, full }: Pick<CrossFit, 'selected' | 'full'>,
  slice: ScoreInputs,
  y: Float64Array,
  folds: Int32Array,
): RewardFunction {
  const rows = indicesWhere(folds.length, (i) => folds[i] !== fold);
  // A fold that holds every label leaves nothing to train on: keep the full fit.
  if (rows.length === 0) return full;
  return train(selected, selectRows(slice, rows), take(y, rows), 'rank');
}

function train(
  selected: CrossFit['selected'],
  inputs: ScoreInputs,
  labels: Float64Array,
  fallback: 'monotone' | 'rank',
): RewardFunction {
  return selected === 'monotone' ? fitMonotone(inputs, labels) : fitTwoStage(inputs, labels, fallback);
}

/** Row i predicted by the fit without its fold. */
function outOfFold(withoutFold: readonly RewardFunction[], inputs: ScoreInputs, folds: Int32Array): Float64Array {
  return byFold(withoutFold.length, inputs, folds, (k, part) => predictReward(withoutFold[k]!, part));
}

/** Applies `predict` to each fold's rows apart and puts the results back in row order. */
function byFold(
  count: number,
  inputs: ScoreInputs,
  folds: Int32Array,
  predict: (fold: number, part: ScoreInputs) => Float64Array,
): Float64Array {
  const out = new Float64Array(folds.length);
  for (let k = 0; k < count; k++) {
    const rows = indicesWhere(folds.length, (i) => folds[i] === k);
    if (rows.length === 0) continue;
    const predicted = predict(k, selectRows(inputs, rows));
    rows.forEach((row, i) => {
      out[row] = predicted[i]!;
    });
  }
  return out;
}

/** Cross-fitted rewards: row i by the fit without fold `folds[i]`, clipped to [0, 1]. */
export function outOfFoldRewards(
  calibration: Pick<RewardCalibration, 'withoutFold'>,
  inputs: ScoreInputs,
  folds: Int32Array,
): Float64Array {
  return outOfFold(calibration.withoutFold, inputs, folds);
}

/** Cross-fitted index (score or rank) of each row, see {@link rewardIndex}. */
export function outOfFoldIndex(
  calibration: Pick<RewardCalibration, 'withoutFold'>,
  inputs: ScoreInputs,
  folds: Int32Array,
): Float64Array {
  return byFold(calibration.withoutFold.length, inputs, folds, (k, part) =>
    rewardIndex(calibration.withoutFold[k]!, part),
  );
}

/** The given rows of calibration inputs. */
export function selectRows(inputs: ScoreInputs, rows: ArrayLike<number>): ScoreInputs {
  return { scores: take(inputs.scores, rows), covariates: inputs.covariates.map((c) => take(c, rows)) };
}

function diagnose(fit: CrossFit, slice: ScoreInputs, y: Float64Array, folds: Int32Array): CalibrationDiagnostics {
  const inSample = predictReward(fit.full, slice);
  const crossFitted = outOfFold(fit.withoutFold, slice, folds);
  const rmse = (p: Float64Array) => Math.sqrt(mean(p.map((v, i) => (y[i]! - v) ** 2)));
  const within = (p: Float64Array) => mean(p.map((v, i) => (Math.abs(v - y[i]!) <= 0.1 ? 1 : 0)));
  const [lowest, highest] = range(y);
  return {
    labels: y.length,
    rmse: rmse(inSample),
    outOfFoldRmse: rmse(crossFitted),
    within: within(inSample),
    outOfFoldWithin: within(crossFitted),
    rewardRange: range(inSample),
    labelledScoreRange: range(slice.scores),
    distinctLevels: new Set(Array.from(inSample, (v) => Math.round(v * 1e6))).size,
    collapsed: highest > lowest && isConstant(fit.full.isotonic),
  };
}
