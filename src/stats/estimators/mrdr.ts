import { z } from 'zod';
import { shuffledViewFolds } from '../compat/cje-eval/rows.ts';
import { defineEstimator } from '../study/estimator.ts';
import type { FreshView, LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { ALL_THE_EVIDENCE, DR_WEIGHTS, doublyRobust, doublyRobustWeights } from './doubly-robust.ts';
import { isotonicOutcome, type OutcomeTraining } from './outcome-models.ts';

const OPTIONS = DR_WEIGHTS.extend({
  /** How the outcome model weighs a row: by |u|, by u², or by (u − 1)². */
  mrdrWeighting: z.enum(['w', 'w2', 'snips']),
});
type MrdrOptions = z.infer<typeof OPTIONS>;

/**
 * MRDR: more robust doubly robust (Farajtabar et al. 2018; arXiv 2512.11150 appendix). The outcome model is isotonic
 * regression of the reward, weighted so that the DR estimate's variance is small: ω = |u| (`w`), u² (`w2`) or (u − 1)² (`snips`),
 * floored at 1e-8. As R is itself a function of the score, the weighting changes little.
 * Recommended cross-fits on the calibration's prompt-hash folds; parity on the library's shuffled folds.
 */
export const mrdr = defineEstimator({
  name: 'mrdr',
  note: 'doubly robust, with an outcome model fitted to make the correction’s variance small',
  needs: { log: true, draws: true, labels: 'calibration' },
  options: OPTIONS,
  defaults: ({ weights }) => ({ weights, mrdrWeighting: 'w' as const }),
  leads: { rank: 4, because: ALL_THE_EVIDENCE },
  compute: ({ study, logged, fresh }, options) => mrdrWith(study, logged!, fresh!, options),
});

export function mrdrWith(study: Study, view: LoggedView, fresh: FreshView, options: MrdrOptions) {
  const u = doublyRobustWeights(study, view, options.weights);
  const folds = mrdrFolds(study, view, fresh);
  const outcome = isotonicOutcome(study, view, fresh, {
    rows: view.rows,
    folds: folds.viewFolds,
    ...folds,
    weights: u.map((weight) => Math.max(omega(options.mrdrWeighting, weight), 1e-8)),
  });
  return doublyRobust(study, view, fresh, u, outcome);
}

function omega(weighting: MrdrOptions['mrdrWeighting'], u: number): number {
  switch (weighting) {
    case 'w':
      return Math.abs(u);
    case 'w2':
      return u * u;
    case 'snips':
      return (u - 1) ** 2;
  }
}

function mrdrFolds(study: Study, view: LoggedView, fresh: FreshView): Pick<OutcomeTraining, 'viewFolds' | 'drawFolds'> {
  if (study.config.choices.weightedOutcomeFolds === 'shuffled') return shuffledViewFolds(study, view, fresh);
  return { viewFolds: view.folds, drawFolds: fresh.folds };
}
