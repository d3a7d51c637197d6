import { outOfFoldRewards } from '../../calibration/reward-calibration.ts';
import { fitRidgeWithPenalty } from '../../calibration/ridge.ts';
import { independentVariance } from '../../data/clustering.ts';
import { centred, dot, indicesWhere, mean, sampleVariance, take } from '../../numeric/moments.ts';
import { type Computation, NO_EXTRAS, type PolicyInput } from '../../study/computation.ts';
import { defineEstimator } from '../../study/estimator.ts';
import type { FreshView, LoggedView } from '../../study/policy-view.ts';
import { meanOverDraws } from '../../study/policy-view.ts';
import type { Study } from '../../study/study.ts';
import { toMeanOne } from '../../weights/importance-weights.ts';
import { shuffledFolds } from '../python/shuffled-folds.ts';
import { originalCalibratedWeights, originalWeights } from './original-weights.ts';

/**
 * The estimators of the original Arena 10K Oracle experiment (July 2025), as they were, so that a reader can see what they did.
 * None is recommended; docs/statistics.md says what is wrong with each. Rewards: labelled rows carry cross-fitted
 * rewards. Standard errors assume independent rows and leave out calibration error; intervals are normal. Where the
 * original bootstrapped an influence mean with an unseeded generator, its limit sd/√n stands here.
 */

/** Self-normalised despite its name: W ← W/mean(W), ψ = mean(W R). Same point estimate as original-snips. */
export const originalIps = defineEstimator({
  name: 'original-ips',
  note: 'is the original experiment’s: self-normalised despite its name, its interval without the calibration’s error',
  needs: { log: true, draws: false, labels: 'calibration' },
  compute: ({ study, logged }) => {
    const view = logged!;
    return weightedMean(view, toMeanOne(originalWeights(view.logRatios)), originalRewards(study, view));
  },
});

/** ψ = ΣWR/ΣW; its row bootstrap's limit is the delta method's W(R − ψ)/mean(W). */
export const originalSnips = defineEstimator({
  name: 'original-snips',
  note: 'is the original experiment’s, its interval without the calibration’s error',
  needs: { log: true, draws: false, labels: 'calibration' },
  compute: ({ study, logged }) => {
    const view = logged!;
    const weights = toMeanOne(originalWeights(view.logRatios));
    const rewards = originalRewards(study, view);
    const estimate = dot(weights, rewards) / weights.length;
    const influence = centred(weights.map((w, i) => w * (rewards[i]! - estimate)));
    return original(view, estimate, influence, weights);
  },
});

/** IPS on weights that only keep ranks (`originalCalibratedWeights`). */
export const originalCalibratedIps = defineEstimator({
  name: 'original-calibrated-ips',
  numbersRows: true,
  note: 'is the original experiment’s: weights made of ranks alone, nearly equal, so every policy is pulled towards the logged one',
  needs: { log: true, draws: false, labels: 'calibration' },
  compute: ({ study, logged }) => {
    const view = logged!;
    const weights = originalCalibratedWeights(originalWeights(view.logRatios), 42);
    return weightedMean(view, toMeanOne(weights), originalRewards(study, view));
  },
});

/** DR-CPO whose reported estimate is the plug-in mean(μ): the weighted residual enters the standard error only. */
export const originalDrCpo = defineEstimator({
  name: 'original-dr-cpo',
  numbersRows: true,
  note: 'is the original experiment’s: the outcome model’s mean without the weighted correction that its standard error assumes',
  needs: { log: true, draws: true, labels: 'calibration' },
  compute: (input) => plugIn(input, 'influence'),
});

/** The same estimate; the standard error subtracts a control variate α̂(μ − m). */
export const originalMrdr = defineEstimator({
  name: 'original-mrdr',
  numbersRows: true,
  note: 'is the original experiment’s: the estimate of original-dr-cpo with a smaller standard error',
  needs: { log: true, draws: true, labels: 'calibration' },
  compute: (input) => plugIn(input, 'influence-less-control'),
});

/**
 * The uncertainty-aware DR-CPO that the code base had for a while: weights shrunk by the judge's calibrated variance
 * v = γ̂V, w* = w/(1 + λv) with λ = max(0, cov(w²v, w(r − ψ)²)/mean(w²v²)), ψ = mean(w* r) and
 * SE² = (var(w*(r − ψ)) + mean(w*² v))/n: judge noise mixed into the standard error.
 */
export const originalUncertaintyDrCpo = defineEstimator({
  name: 'original-uncertainty-dr-cpo',
  note: 'is the original code base’s: weights shrunk where the judge was unsure, the judge’s variance mixed into the standard error',
  needs: { log: true, draws: false, labels: 'calibration' },
  compute: ({ study, logged }) => {
    const view = logged!;
    const rewards = view.rewards;
    const weights = toMeanOne(originalWeights(view.logRatios));
    const v = Float64Array.from(view.rows, (i) => study.judgeVarianceScale * study.logged.judgeVariances[i]!);
    const centre = dot(weights, rewards) / weights.length;
    const lambda = shrinkage(weights, v, rewards, centre);
    const shrunk = toMeanOne(weights.map((w, i) => w / (1 + lambda * v[i]!)));
    const estimate = dot(shrunk, rewards) / shrunk.length;
    const influence = centred(shrunk.map((w, i) => w * (rewards[i]! - estimate)));
    const judgeVariance = shrunk.reduce((s, w, i) => s + w * w * v[i]!, 0) / shrunk.length ** 2;
    const sampling = independentVariance(influence);
    return {
      ...original(view, estimate, influence, shrunk),
      sampling: { ...sampling, variance: sampling.variance + judgeVariance },
      judgeVariance,
    };
  },
});

function shrinkage(w: Float64Array, v: Float64Array, r: Float64Array, centre: number): number {
  const denominator = mean(w.map((weight, i) => weight ** 2 * v[i]! ** 2));
  if (denominator < 1e-10) return 0;
  const a = centred(w.map((weight, i) => weight ** 2 * v[i]!));
  const b = centred(w.map((weight, i) => weight * (r[i]! - centre) ** 2));
  return Math.max(0, dot(a, b) / (w.length - 1) / denominator);
}

function weightedMean(view: LoggedView, weights: Float64Array, rewards: Float64Array): Computation {
  const products = weights.map((w, i) => w * rewards[i]!);
  return original(view, mean(products), centred(products), weights);
}

function original(view: LoggedView, estimate: number, influence: Float64Array, weights: Float64Array): Computation {
  const sampling = independentVariance(influence);
  return { ...NO_EXTRAS, estimate, influence, promptIds: view.promptIds, sampling, normalInterval: true, weights };
}

/** Labelled rows were scored out of fold, the others by the fit on all labels. */
function originalRewards(study: Study, view: LoggedView): Float64Array {
  if (study.calibration === null) return view.rewards;
  const crossFitted = outOfFoldRewards(study.calibration, study.inputs, study.promptFolds);
  return Float64Array.from(view.rows, (row, i) =>
    Number.isNaN(study.logged.oracleLabels[row]!) ? view.rewards[i]! : crossFitted[row]!,
  );
}

/**
 * μ: ridge regression (penalty 1; the mean below 20 rows) of reward on score and response length, cross-fitted on five
 * shuffled folds; at the policy's own draws where it has them. The original's features were embeddings of context and
 * response, which a table of scores does not carry.
 */
function plugIn({ study, logged, fresh }: PolicyInput, error: 'influence' | 'influence-less-control'): Computation {
  const view = logged!;
  const draws = fresh!;
  const rewards = originalRewards(study, view);
  const weights = originalCalibratedWeights(originalWeights(view.logRatios), 42);
  const { onLog, onDraws } = outcomes(study, view, draws, rewards);
  const estimate = mean(onDraws);
  let influence = centred(onDraws.map((mu, i) => mu + weights[i]! * (rewards[i]! - onLog[i]!) - estimate));
  if (error === 'influence-less-control') {
    const centre = mean(rewards);
    const control = centred(onDraws);
    const variance = sampleVariance(control);
    const signal = centred(weights.map((w, i) => w * (rewards[i]! - centre)));
    const alpha = variance <= 1e-10 ? 0 : dot(signal, control) / (control.length - 1) / variance;
    influence = influence.map((value, i) => value - alpha * control[i]!);
  }
  return {
    ...original(view, estimate, influence, weights),
    parts: { outcome: estimate, correction: mean(weights.map((w, i) => w * (rewards[i]! - onLog[i]!))) },
  };
}

function outcomes(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
  rewards: Float64Array,
): { readonly onLog: Float64Array; readonly onDraws: Float64Array } {
  const n = view.rows.length;
  const folds = shuffledFolds(n, 5, 0);
  const columns = [take(study.logged.judgeScores, view.rows), take(study.logged.responseLengths, view.rows)];
  const drawColumns = [fresh.draws.judgeScores, fresh.draws.responseLengths];
  const onLog = new Float64Array(n);
  const onDraws = new Float64Array(n);
  for (let fold = 0; fold < 5; fold++) {
    const training = indicesWhere(n, (i) => folds[i] !== fold);
    const y = take(rewards, training);
    const fit =
      training.length < 20
        ? { coefficients: new Float64Array(2), intercept: mean(y) }
        : fitRidgeWithPenalty(
            columns.map((c) => take(c, training)),
            y,
            1,
          );
    const value = (from: readonly Float64Array[], i: number) =>
      fit.intercept + from.reduce((s, column, j) => s + fit.coefficients[j]! * column[i]!, 0);
    const predicted = meanOverDraws(
      view,
      drawColumns[0]!.map((_, j) => value(drawColumns, j)),
    );
    for (let i = 0; i < n; i++) {
      if (folds[i] !== fold) continue;
      onLog[i] = value(columns, i);
      onDraws[i] = predicted[i]!;
    }
  }
  return { onLog, onDraws };
}
