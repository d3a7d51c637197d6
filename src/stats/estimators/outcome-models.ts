import { selectRows } from '../calibration/cross-fit.ts';
import { outOfFoldIndex } from '../calibration/reward-calibration.ts';
import { rewardIndex } from '../calibration/reward-function.ts';
import { rowsWithSomeTarget } from '../compat/cje-eval/rows.ts';
import { evaluateIsotonic, fitIsotonic, type IsotonicFit } from '../numeric/isotonic.ts';
import { indicesWhere, take } from '../numeric/moments.ts';
import type { FreshView, LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import type { OutcomePredictions } from './doubly-robust.ts';

/** dr-cpo's outcome model: the cross-fitted calibration itself, g^(−k) = f̂^(−k). */
export function calibrationOutcome(view: LoggedView, fresh: FreshView, crossFitted: Float64Array): OutcomePredictions {
  return { logged: crossFitted, draws: fresh.outOfFoldRewards, folds: view.folds };
}

/** Rows an isotonic outcome model is trained on, as positions in the study's logged rows. */
export interface OutcomeTraining {
  readonly rows: Int32Array;
  /** Fold of each training row. */
  readonly folds: Int32Array;
  /** Fold of each logged row of the view, and of each fresh draw. */
  readonly viewFolds: Int32Array;
  readonly drawFolds: Int32Array;
  readonly weights: Float64Array | null;
}

/**
 * A cross-fitted isotonic outcome model of reward on the calibration's index: the score in monotone mode; in
 * two-stage mode the cross-fitted rank for training and the full model's rank for prediction.
 */
export function isotonicOutcome(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
  training: OutcomeTraining,
): OutcomePredictions {
  const { calibration } = study;
  const scores = study.logged.judgeScores;
  const logIndex = take(calibration === null ? scores : rewardIndex(calibration.full, study.inputs), view.rows);
  const drawIndex = calibration === null ? fresh.draws.judgeScores : rewardIndex(calibration.full, fresh.inputs);
  const x =
    calibration === null
      ? take(scores, training.rows)
      : outOfFoldIndex(calibration, selectRows(study.inputs, training.rows), training.folds);
  const y = take(study.rewards, training.rows);
  const fits = new Map<number, IsotonicFit>();
  const fitWithout = (fold: number): IsotonicFit => {
    let fit = fits.get(fold);
    if (fit === undefined) {
      const rows = indicesWhere(x.length, (i) => training.folds[i] !== fold);
      const weights = training.weights === null ? {} : { weights: take(training.weights, rows) };
      fit = fitIsotonic(take(x, rows), take(y, rows), weights);
      fits.set(fold, fit);
    }
    return fit;
  };
  return {
    logged: logIndex.map((s, i) => evaluateIsotonic(fitWithout(training.viewFolds[i]!), s)),
    draws: drawIndex.map((s, j) => evaluateIsotonic(fitWithout(training.drawFolds[j]!), s)),
    folds: training.viewFolds,
  };
}

/** Training on prompt-hash folds, on the rows usable for this policy or, as a choice, for any. */
export function hashFoldTraining(study: Study, view: LoggedView, fresh: FreshView): OutcomeTraining {
  const rows = study.config.choices.outcomeRows === 'any-policy' ? rowsWithSomeTarget(study) : view.rows;
  return {
    rows,
    folds: Int32Array.from(rows, (i) => study.promptFolds[i]!),
    viewFolds: view.folds,
    drawFolds: fresh.folds,
    weights: null,
  };
}
