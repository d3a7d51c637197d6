import type { Estimator } from '../study/estimator.ts';
import { doublyRobust, doublyRobustWeights } from './doubly-robust.ts';
import { calibrationOutcome, hashFoldTraining, isotonicOutcome } from './outcome-models.ts';

/**
 * DR-CPO: doubly robust with the cross-fitted reward calibration as outcome model, g^(−k) = f̂^(−k)
 * (arXiv 2512.11150 eq. 13); without a calibration, isotonic regression of reward on score, cross-fitted.
 * Formula and standard error: see `doublyRobust`.
 */
export const drCpo: Estimator = {
  usesLog: true,
  usesFreshDraws: true,
  compute: ({ study, logged, fresh }) => {
    const view = logged!;
    const draws = fresh!;
    const outcome =
      view.outOfFoldRewards === null
        ? isotonicOutcome(study, view, draws, hashFoldTraining(study, view, draws))
        : calibrationOutcome(view, draws, view.outOfFoldRewards);
    return doublyRobust(study, view, draws, doublyRobustWeights(study, view), outcome);
  },
};
