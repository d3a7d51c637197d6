import { labelWeights } from '../data/label-weights.ts';
import { refusal } from '../data/refusal.ts';
import { centred, indicesWhere, mean, sum, tabulate, take } from '../numeric/moments.ts';
import { type Computation, NO_EXTRAS } from '../study/computation.ts';
import { defineEstimator, promptClusteredVariance } from '../study/estimator.ts';
import { satterthwaite } from '../study/oracle-uncertainty.ts';
import { type FreshView, type LoggedView, meanOverDraws } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { effectivePrompts } from '../weights/diagnostics.ts';
import { freshJudgeVariance } from './doubly-robust.ts';

/**
 * Augmented inverse-propensity weighting of the log's labels (Robins, Rotnitzky and Zhao 1994; cross-fitted as in Chernozhukov et
 * al. 2018), in Hájek's form:
 *
 *   ψ = mean g^fresh + c,  c = Σ_L v_i (Y_i − f̂^(−k)(S_i)) / Σ_L v_i,  v_i = w_i/π_i
 *   φ_i = g_i^fresh − mean g^fresh + n O_i v_i (Y_i − f̂^(−k)(S_i) − c)/Σ_L v
 *
 * with g_i^fresh the mean of f̂^(−k) over the draws of row i's prompt, w the policy's weight and π the probability of a label: the
 * share of labelled rows unless it is known. Consistent if weights and π are right whatever the calibration does, or if the
 * calibration is right whatever the weights are. Replacing f̂ by f̂ + δ moves both terms against each other, so there is no
 * oracle term to first order. Refused below 30 effective labels, (Σv)²/Σv².
 */
export const drLabelled = defineEstimator({
  name: 'dr-labelled',
  note: 'averages calibrated rewards of the policy’s own draws and corrects them by the log’s labels, each by its importance weight; right if either the weights or the calibration are',
  needs: { log: true, draws: true, labels: 'correction' },
  leads: {
    rank: 5,
    because:
      'It uses all the evidence, and reads the labels themselves: it is right if either the weights or the judge’s calibration are.',
  },
  compute: ({ study, policy, logged, fresh }) => {
    if (study.calibration !== null) return labelled(study, logged!, fresh!);
    const message = `${policy} cannot be corrected by labels without a calibration to correct`;
    return { refusal: refusal('no-oracle-labels', message, 'Estimate with a reward calibration.') };
  },
});

function labelled(study: Study, view: LoggedView, fresh: FreshView): Computation {
  const { promptIds } = view;
  const n = promptIds.length;
  const labels = take(study.logged.oracleLabels, view.rows);
  const rows = indicesWhere(n, (i) => !Number.isNaN(labels[i]!));
  const predictions = take(study.outOfFoldRewards!, view.rows);
  const freshMeans = meanOverDraws(view, fresh.outOfFoldRewards);
  const outcome = mean(freshMeans);
  const drawn = labelWeights(study.logged);
  const design = drawn === null ? null : take(take(drawn, view.rows), rows);
  const weights = take(view.weights, rows).map((w, j) => (design === null ? w : w * design[j]!));
  const total = sum(weights);
  const residuals = Float64Array.from(rows, (i) => labels[i]! - predictions[i]!);
  const correction = total > 0 ? residuals.reduce((t, r, j) => t + weights[j]! * r, 0) / total : 0;
  const terms = new Float64Array(n);
  rows.forEach((row, j) => {
    if (total > 0) terms[row] = (n * weights[j]! * (residuals[j]! - correction)) / total;
  });
  const influence = tabulate(n, (i) => freshMeans[i]! - outcome + terms[i]!);
  const predicted = promptClusteredVariance(centred(freshMeans), promptIds);
  const labelledIds = Array.from(rows, (row) => promptIds[row]!);
  const effective = effectivePrompts(labelledIds, weights);
  return {
    ...NO_EXTRAS,
    estimate: outcome + correction,
    influence,
    promptIds,
    sampling: {
      ...promptClusteredVariance(influence, promptIds),
      degreesOfFreedom: satterthwaite([
        predicted,
        {
          variance: promptClusteredVariance(terms, promptIds).variance,
          degreesOfFreedom: Math.max(effective - 1, 1),
        },
      ]),
    },
    judgeVariance: freshJudgeVariance(study, view, fresh),
    weights: view.weights,
    parts: { outcome, correction },
    weightedLabels: effective,
    corrected: {
      promptIds: labelledIds,
      labels: take(labels, rows),
      residuals,
      weights,
      effective,
      meanPrediction: outcome,
      predictionVariance: predicted.variance,
    },
  };
}
