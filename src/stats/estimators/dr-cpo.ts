import type { WeightKind } from '../study/choices.ts';
import type { Computation } from '../study/computation.ts';
import { defineEstimator } from '../study/estimator.ts';
import type { FreshView, LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { ALL_THE_EVIDENCE, DR_WEIGHTS, doublyRobust, doublyRobustWeights } from './doubly-robust.ts';
import { calibrationOutcome, hashFoldTraining, isotonicOutcome } from './outcome-models.ts';

/**
 * DR-CPO: doubly robust with the cross-fitted reward calibration as outcome model, g^(−k) = f̂^(−k)
 * (arXiv 2512.11150 eq. 13); without a calibration, isotonic regression of reward on score, cross-fitted.
 * Formula and standard error: see `doublyRobust`.
 */
export const drCpo = defineEstimator({
  name: 'dr-cpo',
  note: 'averages the outcome model over the target policy’s own fresh draws and corrects it by the weighted residuals of the log',
  needs: { log: true, draws: true, labels: 'calibration' },
  options: DR_WEIGHTS,
  defaults: ({ weights }) => ({ weights }),
  leads: { rank: 1, because: ALL_THE_EVIDENCE },
  compute: ({ study, logged, fresh }, { weights }) => drCpoWith(study, logged!, fresh!, weights),
});

export function drCpoWith(study: Study, view: LoggedView, fresh: FreshView, weights: WeightKind): Computation {
  const outcome =
    view.outOfFoldRewards === null
      ? isotonicOutcome(study, view, fresh, hashFoldTraining(study, view, fresh))
      : calibrationOutcome(view, fresh, view.outOfFoldRewards);
  return doublyRobust(study, view, fresh, doublyRobustWeights(study, view, weights), outcome);
}
