import { z } from 'zod';
import { labelWeights } from '../data/label-weights.ts';
import { refusal } from '../data/refusal.ts';
import { centred, dot, indicesWhere, mean, sampleVariance, sum, take } from '../numeric/moments.ts';
import { type Computation, NO_EXTRAS, type OwnLabels } from '../study/computation.ts';
import { defineEstimator, promptClusteredVariance } from '../study/estimator.ts';
import { satterthwaite } from '../study/oracle-uncertainty.ts';
import type { FreshView } from '../study/policy-view.ts';
import { judgeWeights } from '../study/power-tuning.ts';
import type { Study } from '../study/study.ts';
import { effectivePrompts } from '../weights/diagnostics.ts';

const OPTIONS = z.object({
  /** Whether the judge's weight λ is tuned by how well its rewards follow the labels. */
  tuning: z.enum(['tuned', 'none']),
  /** λ where it is not tuned: 1 takes the judge's rewards whole, 0 leaves the labels alone. */
  judgeWeight: z.number().min(0).max(1),
  /**
   * `normal`: Student's, with pseudo-labels where labels are nearly all of one value. `betting`: wider, of the labels
   * alone, with no normal law behind it.
   */
  interval: z.enum(['normal', 'betting']),
});

/**
 * Direct method augmented by the policy's own labels (cje-eval 0.6; prediction-powered inference, Angelopoulos et al.
 * 2023): the mean prediction over all draws, plus the mean residual over the m labelled ones.
 *
 *   ψ = mean g(S′) + c,  c = mean over labelled (Y − g*(S′)),  g = f̄ + λ(f̂ − f̄),  p = m/M
 *   φ_j = g(S′_j) + c + (O_j/p)(Y_j − g*_j − c) − ψ
 *
 * with f̄ the mean of f̂ over all draws, which for one λ cancels. Labels drawn with known probabilities π count by 1/π
 * (Hájek): c is their weighted mean residual, and O/p is O/π over its mean.
 *
 * λ is tuned, see `tunedWeights`, by prompt fold; 1 with fewer than 20 labelled prompts, and in parity.
 *
 * Unbiased whatever the judge does on this policy, as long as the labelled draws are a random sample of its draws; the
 * calibration only buys precision. When every draw is labelled it is the mean label. f̂* is cross-fitted for draws the
 * calibration was fitted on (parity, data without a log of its own, and the policy that wrote the log), the full fit
 * otherwise. Refuses a policy with fewer than `minimumOwnLabels` labelled prompts.
 *
 * Recommended: calibration on the log alone; degrees of freedom weigh the m residuals and the M predictions. Parity
 * (cje-eval 0.6.0, analytic path): calibration on the pooled labelled draws of all policies, balanced folds; a policy without
 * labels gets the plug-in mean.
 */
export const directAugmented = defineEstimator({
  name: 'direct-augmented',
  note: 'is the direct method corrected by the mean residual of the policy’s own labels, so it does not trust the calibration; it needs labels on every policy',
  needs: { log: false, draws: true, labels: 'correction' },
  inference: ['analytic', 'bootstrap'],
  library: '0.6',
  options: OPTIONS,
  defaults: ({ judgeTuning }) => ({ tuning: judgeTuning, judgeWeight: 1, interval: 'normal' as const }),
  leads: {
    rank: 7,
    whateverTheJudgeDoes: true,
    because:
      'Own labels make it right whatever the judge does on one policy, and it needs no overlap between policies.',
  },
  compute: ({ study, policy, fresh }, options) => {
    const view = fresh!;
    const { oracleLabels, promptIds } = view.draws;
    const labelled = indicesWhere(oracleLabels.length, (j) => !Number.isNaN(oracleLabels[j]!));
    const prompts = new Set(Array.from(labelled, (j) => promptIds[j]!)).size;
    const { minimumOwnLabels } = study.config.gates;
    if (study.config.choices.failedGate === 'refuse' && prompts < minimumOwnLabels) {
      const missing = `Oracle labels on ${minimumOwnLabels - prompts} more randomly chosen responses of ${policy}.`;
      const message = `${prompts} of ${policy}'s own responses have a label; at least ${minimumOwnLabels} are needed`;
      return { refusal: refusal('too-few-own-labels', message, missing) };
    }
    const computed =
      labelled.length === oracleLabels.length ? meanLabel(view) : augmented(study, view, labelled, options);
    if (options.interval === 'normal') return computed;
    const drawn = labelWeights(view.draws);
    const bets: OwnLabels = {
      promptIds: Array.from(labelled, (j) => promptIds[j]!),
      labels: take(oracleLabels, labelled),
      weights: drawn === null ? null : take(drawn, labelled),
      seed: study.config.seed,
    };
    return { ...computed, bets };
  },
});

function meanLabel({ draws }: FreshView): Computation {
  const estimate = mean(draws.oracleLabels);
  const influence = draws.oracleLabels.map((y) => y - estimate);
  const sampling = promptClusteredVariance(influence, draws.promptIds);
  const { oracleLabels: labels, promptIds } = draws;
  const effective = effectivePrompts(promptIds, null);
  const rest = { weights: null, effective, meanPrediction: 0, predictionVariance: 0 };
  const corrected = { promptIds, labels, residuals: labels, ...rest };
  return { ...NO_EXTRAS, estimate, influence, promptIds: draws.promptIds, sampling, corrected };
}

function augmented(study: Study, view: FreshView, labelled: Int32Array, options: z.infer<typeof OPTIONS>): Computation {
  const { choices } = study.config;
  const { promptIds, oracleLabels, judgeVariances } = view.draws;
  const total = promptIds.length;
  const labels = take(oracleLabels, labelled);
  const drawn = labelWeights(view.draws);
  // Equal weights are left out, so that sums are those of plain means.
  const design = drawn === null ? null : take(drawn, labelled);
  const average = (values: Float64Array) => (design === null ? mean(values) : dot(design, values) / sum(design));
  const held = choices.calibrationRows === 'pooled-draws' ? view.outOfFoldRewards : view.heldOutRewards;
  const weights = judgeWeights(view, options);
  // About the mean prediction, so that folds of different λ do not differ by the level of f̂.
  const weighed = (predictions: Float64Array, centre = mean(predictions)) =>
    predictions.map((f, j) => centre + weights[j]! * (f - centre));
  const residuals = (predictions: Float64Array) => labels.map((y, i) => y - predictions[labelled[i]!]!);
  const correctionBy = (predictions: Float64Array) => (labelled.length === 0 ? 0 : average(residuals(predictions)));

  const rewards = weighed(view.rewards);
  const own = residuals(weighed(held, mean(view.rewards)));
  const correction = labelled.length === 0 ? 0 : average(own);
  const estimate = mean(rewards) + correction;
  const influence = rewards.map((r) => r + correction - estimate);
  const share = labelled.length / total;
  own.forEach((residual, i) => {
    influence[labelled[i]!]! += ((design === null ? 1 : design[i]!) * (residual - correction)) / share;
  });
  const sampling = promptClusteredVariance(influence, promptIds);
  const labelledIds = Array.from(labelled, (j) => promptIds[j]!);
  const effective = effectivePrompts(labelledIds, design);
  return {
    ...NO_EXTRAS,
    estimate,
    influence,
    promptIds,
    sampling:
      choices.degreesOfFreedom === 'smallest' || labelled.length < 2
        ? sampling
        : {
            ...sampling,
            degreesOfFreedom: satterthwaite([
              { variance: sampleVariance(rewards) / total, degreesOfFreedom: total - 1 },
              { variance: sampleVariance(own) / labelled.length, degreesOfFreedom: Math.max(effective - 1, 1) },
            ]),
          },
    leaveOneOut:
      view.jackknifeRewards.length === 0
        ? null
        : Float64Array.from(view.jackknifeRewards, (of) => mean(weighed(of)) + correctionBy(weighed(of))),
    judgeVariance: (study.judgeVarianceScale * mean(judgeVariances)) / total,
    corrected:
      labelled.length === 0
        ? null
        : {
            promptIds: labelledIds,
            labels,
            residuals: own,
            weights: design,
            effective,
            meanPrediction: mean(rewards),
            predictionVariance: promptClusteredVariance(centred(rewards), promptIds).variance,
          },
    parts: { outcome: mean(rewards), correction },
  };
}
