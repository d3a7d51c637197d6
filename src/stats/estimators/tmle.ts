import { z } from 'zod';
import { evaluateIsotonic } from '../numeric/isotonic.ts';
import { indicesWhere } from '../numeric/moments.ts';
import { defineEstimator } from '../study/estimator.ts';
import type { FreshView, LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import {
  ALL_THE_EVIDENCE,
  DR_WEIGHTS,
  doublyRobust,
  doublyRobustWeights,
  type OutcomePredictions,
} from './doubly-robust.ts';
import { hashFoldTraining, isotonicOutcome } from './outcome-models.ts';

export const TMLE_OPTIONS = DR_WEIGHTS.extend({
  /** The scale of the tilt: `logit` keeps predictions between 0 and 1, `identity` cuts them off there. */
  tmleLink: z.enum(['logit', 'identity']),
});
type TmleOptions = z.infer<typeof TMLE_OPTIONS>;

/**
 * Targeted minimum loss estimation (van der Laan and Rubin 2006; arXiv 2512.11150 appendix): the cross-fitted isotonic
 * outcome model is tilted along a clever covariate h(s) until the weighted residuals average to zero, then the
 * common doubly robust formula applies.
 *
 *   logit link: g* = expit(logit g + ε h) with Σ h (R − g*) = 0;  identity link: g* = clip(g + ε h; 0, 1)
 */
export const tmle = defineEstimator({
  name: 'tmle',
  note: 'doubly robust, with an outcome model tilted until the weighted residuals vanish',
  needs: { log: true, draws: true, labels: 'calibration' },
  options: TMLE_OPTIONS,
  defaults: ({ weights }) => ({ weights, tmleLink: 'logit' as const }),
  leads: { rank: 3, because: ALL_THE_EVIDENCE },
  compute: ({ study, logged, fresh }, options) => tmleWith(study, logged!, fresh!, options),
});

export function tmleWith(study: Study, view: LoggedView, fresh: FreshView, { weights, tmleLink }: TmleOptions) {
  const u = doublyRobustWeights(study, view, weights);
  const initial = isotonicOutcome(study, view, fresh, hashFoldTraining(study, view, fresh));
  return doublyRobust(study, view, fresh, u, target(study, view, fresh, { u, initial, tmleLink }));
}

interface Targeting extends Pick<TmleOptions, 'tmleLink'> {
  /** Mean-one weights. */
  readonly u: Float64Array;
  readonly initial: OutcomePredictions;
}

function target(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
  { u, initial, tmleLink }: Targeting,
): OutcomePredictions {
  const scores = Float64Array.from(view.rows, (i) => study.logged.judgeScores[i]!);
  const covariates = cleverCovariates(scores, u, view.folds);
  const h = scores.map((s, i) => evaluateIsotonic(covariates.get(view.folds[i]!)!, s));
  const hDraws = fresh.draws.judgeScores.map((s, j) => {
    const covariate = covariates.get(fresh.folds[j]!);
    // No logged row in this fold: the draw's prompt is outside the view and its value is never used.
    return covariate === undefined ? 0 : evaluateIsotonic(covariate, s);
  });
  const epsilon =
    tmleLink === 'logit'
      ? logitEpsilon(h, view.rewards, initial.logged)
      : linearEpsilon(h, view.rewards, initial.logged);
  const tilt = (g: Float64Array, along: Float64Array) =>
    g.map((value, i) =>
      tmleLink === 'logit'
        ? expit(logit(value) + epsilon * along[i]!)
        : Math.min(Math.max(value + epsilon * along[i]!, 0), 1),
    );
  return {
    logged: tilt(initial.logged, h),
    draws: tilt(initial.draws, hDraws),
    folds: initial.folds,
    untargeted: initial.logged,
  };
}

/** For each fold, the mean weight at each distinct score of that fold's rows, to be interpolated linearly. */
function cleverCovariates(
  scores: Float64Array,
  u: Float64Array,
  folds: Int32Array,
): Map<number, { readonly x: Float64Array; readonly y: Float64Array }> {
  const out = new Map<number, { x: Float64Array; y: Float64Array }>();
  for (const fold of new Set(folds)) {
    const rows = indicesWhere(folds.length, (i) => folds[i] === fold).sort((a, b) => scores[a]! - scores[b]!);
    const x: number[] = [];
    const totals: number[] = [];
    const counts: number[] = [];
    for (const i of rows) {
      if (x.length === 0 || scores[i] !== x[x.length - 1]) {
        x.push(scores[i]!);
        totals.push(0);
        counts.push(0);
      }
      totals[x.length - 1]! += u[i]!;
      counts[x.length - 1]!++;
    }
    out.set(fold, { x: Float64Array.from(x), y: Float64Array.from(totals, (t, i) => t / counts[i]!) });
  }
  return out;
}

/** ε of the logit fluctuation by Newton's method from 0. */
function logitEpsilon(h: Float64Array, rewards: Float64Array, g: Float64Array): number {
  const offset = g.map(logit);
  let epsilon = 0;
  for (let iteration = 0; iteration < 50; iteration++) {
    let score = 0;
    let fisher = 0;
    for (let i = 0; i < h.length; i++) {
      const p = expit(offset[i]! + epsilon * h[i]!);
      score += h[i]! * (rewards[i]! - p);
      fisher += h[i]! * h[i]! * p * (1 - p);
    }
    if (fisher <= 1e-12 || Math.abs(score) / Math.sqrt(fisher) <= 1e-8) break;
    epsilon += Math.min(Math.max(score / fisher, -5), 5);
  }
  return epsilon;
}

/** ε of the linear fluctuation, Σ h(R − g)/Σ h². */
function linearEpsilon(h: Float64Array, rewards: Float64Array, g: Float64Array): number {
  let numerator = 0;
  let denominator = 0;
  for (let i = 0; i < h.length; i++) {
    numerator += h[i]! * (rewards[i]! - g[i]!);
    denominator += h[i]! * h[i]!;
  }
  return denominator > 0 ? numerator / denominator : 0;
}

function logit(p: number): number {
  const inside = Math.min(Math.max(p, 1e-7), 1 - 1e-7);
  return Math.log(inside / (1 - inside));
}

function expit(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}
