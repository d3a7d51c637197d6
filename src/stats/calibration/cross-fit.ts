import { inputsOf, type ScoreInputs } from '../data/data.ts';
import { indicesWhere, sortedOrderBy, take } from '../numeric/moments.ts';
import { type ModeRule, twoStageIsBetter } from './mode-choice.ts';
import { fitMonotone, fitTwoStage, predictReward, type RewardFunction } from './reward-function.ts';

/** The labelled rows a calibration learns from: m scores, labels and (null for 1) weights. */
export interface LabelledSlice {
  readonly inputs: ScoreInputs;
  readonly labels: Float64Array;
  readonly weights: Float64Array | null;
  /** Rows by (score, label): every fold's fit reads a part of it, so nothing is sorted again. */
  readonly order: Int32Array;
}

/** One mode fitted on all labels, and K times without a fold's. */
export interface CrossFit {
  readonly selected: 'monotone' | 'two-stage';
  readonly full: RewardFunction;
  readonly withoutFold: readonly RewardFunction[];
}

/** The given rows of calibration inputs. */
export function selectRows(inputs: ScoreInputs, rows: ArrayLike<number>): ScoreInputs {
  return inputsOf(
    take(inputs.scores, rows),
    inputs.covariates.map((c) => take(c, rows)),
  );
}

/** The slice of m labelled rows. */
export function labelledSlice(inputs: ScoreInputs, labels: Float64Array, weights: Float64Array | null): LabelledSlice {
  return { inputs, labels, weights, order: sortedOrderBy(inputs.scores, labels) };
}

/**
 * Fits the wanted mode. `auto` cross-fits both and takes two-stage where its out-of-fold error is clearly smaller (see
 * `ModeRule`); covariates always mean two-stage.
 *
 * @param folds fold 0..count−1 of each labelled row.
 */
export function fitSelected(
  mode: 'auto' | 'monotone' | 'two-stage',
  slice: LabelledSlice,
  folds: Int32Array,
  count: number,
  rule: ModeRule = 'margin',
): CrossFit {
  const fitMode = (selected: CrossFit['selected']) => crossFit(selected, slice, folds, count);
  if (slice.inputs.covariates.length > 0 || mode === 'two-stage') return fitMode('two-stage');
  if (mode === 'monotone') return fitMode('monotone');
  const [monotone, twoStage] = [fitMode('monotone'), fitMode('two-stage')];
  const errors = (fit: CrossFit) => {
    const predicted = predictByFold(fit.withoutFold, slice.inputs, folds);
    return predicted.map((p, i) => (slice.labels[i]! - p) ** 2);
  };
  const { inputs, weights } = slice;
  const both = { monotone: errors(monotone), twoStage: errors(twoStage), scores: inputs.scores, order: inputs.order };
  return twoStageIsBetter({ ...both, weights }, rule) ? twoStage : monotone;
}

function crossFit(selected: CrossFit['selected'], slice: LabelledSlice, folds: Int32Array, count: number): CrossFit {
  const full = train(selected, slice, 'monotone');
  const withoutFold = Array.from({ length: count }, (_, k) => fitWithout(k, { selected, full }, slice, folds));
  return { selected, full, withoutFold };
}

/** The selected mode fitted without the labels of one fold. */
export function fitWithout(
  fold: number,
  { selected, full }: Pick<CrossFit, 'selected' | 'full'>,
  slice: LabelledSlice,
  folds: Int32Array,
): RewardFunction {
  const order = slice.order.filter((i) => folds[i] !== fold);
  // A fold that holds every label leaves nothing to train on: keep the full fit.
  if (order.length === 0) return full;
  return train(selected, { ...slice, order }, 'rank');
}

/** Fits the rows in `slice.order`. */
function train(selected: CrossFit['selected'], slice: LabelledSlice, fallback: 'monotone' | 'rank'): RewardFunction {
  const { inputs, labels, order } = slice;
  const weights = slice.weights ?? undefined;
  if (selected === 'monotone') return fitMonotone(order, inputs, labels, weights);
  if (order.length === labels.length) return fitTwoStage(inputs, labels, fallback, weights);
  // In file order, not score order: sums of the ridge fit are then those of the recorded ones.
  const rows = order.slice().sort();
  const part = { scores: take(inputs.scores, rows), covariates: inputs.covariates.map((c) => take(c, rows)) };
  return fitTwoStage(part, take(labels, rows), fallback, weights === undefined ? undefined : take(weights, rows));
}

/** Row i predicted by the fit of its fold. */
export function predictByFold(fits: readonly RewardFunction[], inputs: ScoreInputs, folds: Int32Array): Float64Array {
  return applyByFold(fits, inputs, folds, predictReward);
}

/** Applies each fold's fit to that fold's rows and puts the results back in row order. */
export function applyByFold(
  fits: readonly RewardFunction[],
  inputs: ScoreInputs,
  folds: Int32Array,
  apply: (fit: RewardFunction, part: ScoreInputs) => Float64Array,
): Float64Array {
  const out = new Float64Array(folds.length);
  fits.forEach((fit, k) => {
    const rows = indicesWhere(folds.length, (i) => folds[i] === k);
    if (rows.length === 0) return;
    const values = apply(fit, selectRows(inputs, rows));
    rows.forEach((row, i) => {
      out[row] = values[i]!;
    });
  });
  return out;
}
