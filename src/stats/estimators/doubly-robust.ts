import { z } from 'zod';
import { leaveOneOutWithOutcomeHeld } from '../compat/cje-eval/jackknife.ts';
import { orthogonality } from '../diagnostics/orthogonality.ts';
import { mean } from '../numeric/moments.ts';
import type { WeightKind } from '../study/choices.ts';
import { type Computation, NO_EXTRAS } from '../study/computation.ts';
import { samplingVariance } from '../study/estimator.ts';
import { drawCounts, type FreshView, type LoggedView, meanOverDraws } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { workingWeights } from './calibrated-ips.ts';

/** An outcome model's predictions for one policy. */
export interface OutcomePredictions {
  /** g^(−k(i))(S_i) of each logged row, n entries. */
  readonly logged: Float64Array;
  /** g^(−k)(S′) of each fresh draw, k the fold of the draw's prompt. */
  readonly draws: Float64Array;
  /** The folds the model was cross-fitted on: the clusters of the library's standard error. */
  readonly folds: Int32Array;
  /** What the library's jackknife takes for g^log, where it is not `logged`: TMLE's predictions before targeting. */
  readonly untargeted?: Float64Array;
}

/** Why a doubly robust estimate heads a report. */
export const ALL_THE_EVIDENCE =
  'It uses all the evidence: fresh draws of each target policy, the log and the labels. It needs less overlap than weighting alone, and trusts that the judge’s calibration carries over to the target policy.';

/** The setting that all doubly robust estimators have. */
export const DR_WEIGHTS = z.object({
  /** Self-normalised raw weights in the correction, or SIMCal-stabilised ones. */
  weights: z.enum(['raw', 'calibrated']),
});

/** The DR family's mean-one weights: self-normalised raw ones, or SIMCal-stabilised ones on the outcome model's folds. */
export function doublyRobustWeights(study: Study, view: LoggedView, weights: WeightKind): Float64Array {
  if (weights === 'raw') return view.weights;
  return workingWeights(study, view, view.folds, study.config.seed).weights;
}

/**
 * The common doubly robust formula (arXiv 2512.11150 eq. 13):
 *
 *   ψ = mean(g^fresh) + mean(u (R − g^log)),  φ_i = g_i^fresh + u_i (R_i − g_i^log) − ψ
 *
 * g^fresh_i is the mean prediction over the fresh draws of row i's prompt, R the calibrated reward. It is robust to a
 * wrong outcome model given R; not to a calibration that is wrong for the policy, since R, not the label, enters.
 *
 * Recommended: standard error clustered by prompt, and the oracle-uncertainty jackknife recomputes every term with
 * the same fold's calibration, so the correction vanishes and Direct's jackknife remains. Parity: clustered by outcome
 * fold, and the jackknife holds g^log fixed, which counts the calibration's shift twice.
 */
export function doublyRobust(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
  weights: Float64Array,
  outcome: OutcomePredictions,
): Computation {
  const { choices } = study.config;
  const { promptIds } = view;
  const freshMeans = meanOverDraws(view, outcome.draws);
  const corrections = weights.map((u, i) => u * (view.rewards[i]! - outcome.logged[i]!));
  const parts = { outcome: mean(freshMeans), correction: mean(corrections) };
  const estimate = parts.outcome + parts.correction;
  const influence = freshMeans.map((g, i) => g + corrections[i]! - estimate);
  return {
    ...NO_EXTRAS,
    estimate,
    influence,
    promptIds,
    sampling: samplingVariance(choices, influence, { promptIds, folds: outcome.folds }),
    leaveOneOut:
      choices.jackknifeMoves === 'all'
        ? leaveOneOut(view, fresh)
        : leaveOneOutWithOutcomeHeld(study, view, fresh, { weights, outcome: outcome.untargeted ?? outcome.logged }),
    judgeVariance: freshJudgeVariance(study, view, fresh),
    weights,
    orthogonality: orthogonality(corrections),
    parts,
  };
}

/** ψ^(−k) = mean over rows of the prompt's mean f̂^(−k)(S′); with g = f̂^(−k) the weighted residual is zero. */
function leaveOneOut(view: LoggedView, fresh: FreshView): Float64Array | null {
  if (fresh.jackknifeRewards.length === 0) return null;
  return Float64Array.from(fresh.jackknifeRewards, (rewards) => mean(meanOverDraws(view, rewards)));
}

/**
 * Judge variance of a DR estimate: that of the fresh term, Σ_i (γ̂/M_i)·mean_j V′_ij / n². The weighted residual moves
 * with R and g alike, so the logged scores' variance cancels.
 */
export function freshJudgeVariance(study: Study, view: LoggedView, fresh: FreshView): number {
  const counts = drawCounts(view);
  const variances = meanOverDraws(view, fresh.draws.judgeVariances);
  let total = 0;
  variances.forEach((v, i) => {
    total += v / counts[i]!;
  });
  return (study.judgeVarianceScale * total) / variances.length ** 2;
}
