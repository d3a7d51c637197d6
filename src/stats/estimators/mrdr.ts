import { shuffledFolds } from '../compat/python/shuffled-folds.ts';
import type { MrdrWeighting } from '../study/config.ts';
import type { Estimator } from '../study/estimator.ts';
import type { FreshView, LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { doublyRobust, doublyRobustWeights } from './doubly-robust.ts';
import { isotonicOutcome, type OutcomeTraining } from './outcome-models.ts';

/**
 * MRDR: more robust doubly robust (Farajtabar et al. 2018; arXiv 2512.11150 appendix). The outcome model is isotonic
 * regression of the reward, weighted so that the DR estimate's variance is small: ω = |u| (`w`), u² (`w2`) or (u − 1)² (`snips`),
 * floored at 1e-8. As R is itself a function of the score, the weighting changes little.
 * Recommended cross-fits on the calibration's prompt-hash folds; parity on the library's shuffled folds.
 */
export const mrdr: Estimator = {
  usesLog: true,
  usesFreshDraws: true,
  compute: ({ study, logged, fresh }) => mrdrWith(study, logged!, fresh!, study.config.mrdrWeighting),
};

export function mrdrWith(study: Study, view: LoggedView, fresh: FreshView, weighting: MrdrWeighting) {
  const u = doublyRobustWeights(study, view);
  const folds = mrdrFolds(study, view, fresh);
  const outcome = isotonicOutcome(study, view, fresh, {
    rows: view.rows,
    folds: folds.viewFolds,
    ...folds,
    weights: u.map((weight) => Math.max(omega(weighting, weight), 1e-8)),
  });
  return doublyRobust(study, view, fresh, u, outcome);
}

function omega(weighting: MrdrWeighting, u: number): number {
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
  if (study.config.mode === 'recommended') return { viewFolds: view.folds, drawFolds: fresh.folds };
  const viewFolds = shuffledFolds(view.rows.length, study.config.folds, study.config.seed);
  // A draw takes the fold of its prompt's last logged row; draws of prompts outside the log are never used.
  const ofPrompt = new Map(view.promptIds.map((id, i) => [id, viewFolds[i]!]));
  return { viewFolds, drawFolds: Int32Array.from(fresh.draws.promptIds, (id) => ofPrompt.get(id) ?? 0) };
}
