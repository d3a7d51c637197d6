import { outOfFoldRewards } from '../calibration/reward-calibration.ts';
import { labelWeights } from '../data/label-weights.ts';
import { fitIsotonic, predictIsotonic } from '../numeric/isotonic.ts';
import { dot, indicesWhere, mean, sampleVariance, take } from '../numeric/moments.ts';
import type { WeightKind } from '../study/choices.ts';
import { type Computation, NO_EXTRAS } from '../study/computation.ts';
import { defineEstimator, promptClusteredVariance } from '../study/estimator.ts';
import { satterthwaite } from '../study/oracle-uncertainty.ts';
import type { LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { effectivePrompts } from '../weights/diagnostics.ts';
import { ALL_THE_EVIDENCE, DR_WEIGHTS, doublyRobustWeights } from './doubly-robust.ts';
import { drCpoWith } from './dr-cpo.ts';

/**
 * DR-CPO with oracle-slice augmentation: dr-cpo plus the weighted mean residual of the logged labels. Ours; the library
 * had and removed it, so that its DR never reads a label except through f̂.
 *
 *   ψ = ψ_dr-cpo + c,  c = Σ_labelled m̂(S_i)(Y_i − f̂^(−k)(S_i)) / m,  m̂(s) = E[w | S = s]
 *   φ_i = φ_i^dr-cpo + (O_i/p)(m̂_i(Y_i − f̂_i^(−k)) − c),  p = m/n
 *
 * m̂ is the isotonic regression of the raw weights on the score (the direction that fits better), cross-fitted, mean one.
 * To first order the estimate no longer depends on the calibration's error: replacing f̂ by f̂ + δ moves the two terms
 * against each other. With few labels one of them can have most of the weight, so fewer than 10 effective ones are refused.
 * Assumes random labels, and that given the score the label's law is the same under both policies: with m̂ in place of w
 * the mean of m̂(S)(Y − f̂(S)) is 0 whatever the shift, so right weights do not help against a calibration that is wrong
 * for the policy (`dr-labelled`). The oracle-uncertainty jackknife recomputes both terms with the calibration that lacks a
 * group, the residuals' labels held.
 */
export const drAugmented = defineEstimator({
  name: 'dr-augmented',
  note: 'is dr-cpo corrected by the weighted residuals of the log’s labels, so that to first order it does not rest on the calibration’s error; it trusts that labels at one score are alike under both policies',
  needs: { log: true, draws: true, labels: 'correction' },
  options: DR_WEIGHTS,
  defaults: ({ weights }) => ({ weights }),
  leads: { rank: 6, because: ALL_THE_EVIDENCE },
  compute: ({ study, logged, fresh }, { weights }) => {
    const base = drCpoWith(study, logged!, fresh!, weights);
    return study.calibration === null ? base : augment(study, logged!, base, weights);
  },
});

function augment(study: Study, view: LoggedView, base: Computation, weights: WeightKind): Computation {
  const labels = take(study.logged.oracleLabels, view.rows);
  const labelled = indicesWhere(labels.length, (i) => !Number.isNaN(labels[i]!));
  // Where rewards are the labels, dr-cpo's own correction already reads them.
  if (study.fullyLabelled) return base;
  if (labelled.length < 2) return { ...base, effectiveLabels: labelled.length };

  const drawn = labelWeights(study.logged);
  const ofLabels = drawn === null ? null : take(drawn, view.rows);
  const projected = projectedWeights(study, view, doublyRobustWeights(study, view, weights)).map((w, i) =>
    ofLabels === null || Number.isNaN(ofLabels[i]!) ? w : w * ofLabels[i]!,
  );
  const inputs = study.inputs;
  const crossFitted = take(outOfFoldRewards(study.calibration!, inputs, study.promptFolds), view.rows);
  const terms = Float64Array.from(labelled, (i) => projected[i]! * (labels[i]! - crossFitted[i]!));
  const correction = mean(terms);
  const share = labelled.length / labels.length;
  const influence = base.influence.slice();
  terms.forEach((term, j) => {
    influence[labelled[j]!]! += (term - correction) / share;
  });
  const sampling = promptClusteredVariance(influence, view.promptIds);
  const weightsOfLabels = take(projected, labelled);
  const held = take(labels, labelled);
  const labelledIds = Array.from(labelled, (i) => view.promptIds[i]!);
  return {
    ...NO_EXTRAS,
    ...base,
    estimate: base.estimate + correction,
    effectiveLabels: effectivePrompts(labelledIds, weightsOfLabels),
    influence,
    sampling: {
      ...sampling,
      degreesOfFreedom: satterthwaite([
        base.sampling,
        {
          variance: sampleVariance(terms) / terms.length,
          degreesOfFreedom: Math.max(new Set(labelledIds).size - 1, 1),
        },
      ]),
    },
    leaveOneOut:
      base.leaveOneOut?.map((value, k) => {
        const rewards = take(take(study.jackknifeRewards[k]!, view.rows), labelled);
        return (
          value +
          dot(
            weightsOfLabels,
            held.map((y, j) => y - rewards[j]!),
          ) /
            held.length
        );
      }) ?? null,
    parts: { outcome: base.parts!.outcome, correction: base.parts!.correction + correction },
  };
}

/** m̂(S_i): cross-fitted isotonic regression of the weights on the score, in the direction with the smaller error; mean one. */
function projectedWeights(study: Study, view: LoggedView, weights: Float64Array): Float64Array {
  const scores = take(study.logged.judgeScores, view.rows);
  const increasing = fitsBetterIncreasing(scores, weights);
  const out = new Float64Array(weights.length);
  for (const fold of new Set(view.folds)) {
    const training = indicesWhere(out.length, (i) => view.folds[i] !== fold);
    const test = indicesWhere(out.length, (i) => view.folds[i] === fold);
    if (training.length === 0) return weights;
    const fit = fitIsotonic(take(scores, training), take(weights, training), { increasing });
    predictIsotonic(fit, take(scores, test)).forEach((w, j) => {
      out[test[j]!] = w;
    });
  }
  const centre = mean(out);
  return centre > 0 ? out.map((w) => w / centre) : weights;
}

function fitsBetterIncreasing(scores: Float64Array, weights: Float64Array): boolean {
  const error = (increasing: boolean) => {
    const fitted = predictIsotonic(fitIsotonic(scores, weights, { increasing }), scores);
    return fitted.reduce((s, w, i) => s + (weights[i]! - w) ** 2, 0);
  };
  return error(true) <= error(false);
}
