import { centred, dot, mean, sum, take } from '../numeric/moments.ts';
import { type Computation, NO_EXTRAS } from '../study/computation.ts';
import { defineEstimator, samplingVariance } from '../study/estimator.ts';
import type { LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';

/** Why an estimate from importance weights alone heads a report. */
export const WEIGHTS_ALONE =
  'No estimate from fresh draws is available, so the ranking rests on importance weights alone.';

/**
 * Importance sampling, un-normalised (Horvitz and Thompson 1952): unbiased when the log probabilities are right.
 *
 *   ψ = mean(w R),  φ_i = w_i R_i − ψ,  w = π′/π₀
 *
 * Recommended: the interval is corrected for the skewness of φ (Hall 1992).
 */
export const ips = defineEstimator({
  name: 'ips',
  note: 'weights each logged reward by exp(log ratio) and averages; unbiased under overlap, with a long-tailed variance',
  needs: { log: true, draws: false, labels: 'calibration' },
  defaults: ({ plainWeightsOracleTerm }) => ({ oracleUncertainty: plainWeightsOracleTerm }),
  leads: { rank: 11, because: WEIGHTS_ALONE },
  compute: ({ study, logged }) => {
    const view = logged!;
    const { rawWeights, rewards, rows } = view;
    const products = new Float64Array(rows.length);
    for (let i = 0; i < products.length; i++) products[i] = rawWeights[i]! * rewards[i]!;
    const leaveOneOut = study.jackknifeRewards.map((r) => dot(rawWeights, take(r, rows)) / rows.length);
    const computed = weighted(study, view, rawWeights, mean(products), centred(products), leaveOneOut);
    return { ...computed, skewed: true };
  },
});

/**
 * Self-normalised importance sampling (Hájek 1964): free of the weights' scale, with a bias of order 1/n.
 *
 *   ψ = Σ w R / Σ w,  φ_i = w_i (R_i − ψ)/mean(w)
 *
 * Recommended: prompt-clustered standard error, oracle-uncertainty term by the jackknife. Parity: independent rows,
 * normal interval, no oracle term unless `oracleUncertainty` says so (then φ uses cross-fitted rewards).
 */
export const snips = defineEstimator({
  name: 'snips',
  note: 'divides the weighted sum by the sum of the weights, which trades a little bias for much variance',
  needs: { log: true, draws: false, labels: 'calibration' },
  defaults: ({ plainWeightsOracleTerm }) => ({ oracleUncertainty: plainWeightsOracleTerm }),
  leads: { rank: 10, because: WEIGHTS_ALONE },
  compute: ({ study, logged }) => {
    const view = logged!;
    const { weights } = view;
    const total = sum(weights);
    const ratio = (rewards: Float64Array) => dot(weights, rewards) / total;
    const estimate = ratio(view.rewards);
    const { choices, oracleUncertainty } = study.config;
    const useCrossFitted = choices.weightedInfluence === 'cross-fitted' && oracleUncertainty;
    const rewards = useCrossFitted ? view.influenceRewards : view.rewards;
    const centre = total / weights.length;
    const influence = new Float64Array(weights.length);
    for (let i = 0; i < influence.length; i++) influence[i] = (weights[i]! * (rewards[i]! - estimate)) / centre;
    const leaveOneOut = study.jackknifeRewards.map((r) => ratio(take(r, view.rows)));
    return weighted(study, view, weights, estimate, centred(influence), leaveOneOut);
  },
});

function weighted(
  study: Study,
  view: LoggedView,
  weights: Float64Array,
  estimate: number,
  influence: Float64Array,
  leaveOneOut: readonly number[],
): Computation {
  const { choices } = study.config;
  const { promptIds } = view;
  return {
    ...NO_EXTRAS,
    estimate,
    influence,
    promptIds,
    sampling: samplingVariance(choices, influence, { promptIds, folds: null }),
    normalInterval: choices.clusters === 'fold',
    leaveOneOut: leaveOneOut.length === 0 ? null : Float64Array.from(leaveOneOut),
    judgeVariance: weightedJudgeVariance(study, view, weights),
    weights: view.weights,
  };
}

/** mean(w² γ̂V)/n: what the judge's own variance adds to a weighted mean of its scores. */
export function weightedJudgeVariance(study: Study, view: LoggedView, weights: Float64Array): number {
  const { judgeVarianceScale, logged } = study;
  const { rows } = view;
  let total = 0;
  for (let i = 0; i < rows.length; i++) {
    total += weights[i]! * weights[i]! * judgeVarianceScale * logged.judgeVariances[rows[i]!]!;
  }
  return total / rows.length ** 2;
}
