import { z } from 'zod';
import { shuffledFolds } from '../compat/python/shuffled-folds.ts';
import { foldsOfPrompts, renumberFolds } from '../data/folds.ts';
import { centred, dot, mean, sum, tabulate, take } from '../numeric/moments.ts';
import { NO_EXTRAS } from '../study/computation.ts';
import { defineEstimator, samplingVariance } from '../study/estimator.ts';
import type { LoggedView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import {
  type CrossFittedWeights,
  crossFitStabilisation,
  fitStabilisation,
  type StabilisationRows,
  stabilisedWeights,
} from '../weights/weight-stabilisation.ts';
import { WEIGHTS_ALONE, weightedJudgeVariance } from './importance-sampling.ts';

/** The library's outer folds of a stand-alone calibrated-ips use another seed than the calibration's folds. */
const OUTER_SEED_OFFSET = 1000;

/**
 * Calibrated IPS: self-normalised importance sampling with SIMCal-stabilised weights u (arXiv 2512.11150 §5).
 *
 *   ψ = Σ u R/Σ u;  with outer folds φ_i = u_i (R_i^oof − ψ_v)/μ_v, v the fold of i
 *
 * A low-variance, biased estimator: under a shift it is pulled towards the logging policy's mean, and neither its
 * standard error nor its effective sample size shows that. The gates therefore read the raw weights too, and refuse
 * the estimate where it has moved from the self-normalised one by more than half its standard error.
 * Recommended: prompt-clustered standard error. Parity: clustered on the outer folds (4 degrees of freedom).
 */
export const calibratedIps = defineEstimator({
  name: 'calibrated-ips',
  note: 'replaces the weights by a monotone function of the judge score with mean one; steadier, and biased towards the logged policy when they shift much',
  needs: { log: true, draws: false, labels: 'calibration' },
  options: z.object({
    /** Fit the weight stabilisation on other folds than it is used on. */
    crossFitWeights: z.boolean(),
  }),
  defaults: () => ({ crossFitWeights: true }),
  leads: { rank: 9, because: WEIGHTS_ALONE },
  compute: ({ study, logged }, { crossFitWeights }) => {
    const view = logged!;
    const { config } = study;
    const outer = crossFitWeights
      ? foldsOfPrompts(view.promptIds, config.folds, config.seed + OUTER_SEED_OFFSET)
      : null;
    const stabilised = workingWeights(study, view, outer, config.seed + OUTER_SEED_OFFSET);
    const u = stabilised.weights;
    const estimate = dot(u, view.rewards) / sum(u);
    const rewards = view.influenceRewards;
    const centre = mean(u);
    const { trainingMeans, trainingWeightMeans } = stabilised;
    const influence = centred(
      tabulate(u.length, (i) =>
        outer === null
          ? (u[i]! * (rewards[i]! - estimate)) / centre
          : (u[i]! * (rewards[i]! - trainingMeans[outer[i]!]!)) / trainingWeightMeans[outer[i]!]!,
      ),
    );
    const byRawWeights = dot(view.weights, view.rewards) / view.weights.length;
    const rawInfluence = centred(tabulate(u.length, (i) => view.weights[i]! * (rewards[i]! - byRawWeights)));
    const leaveOneOut = study.jackknifeRewards.map((r) => dot(u, take(r, view.rows)) / u.length);
    return {
      ...NO_EXTRAS,
      estimate,
      influence,
      promptIds: view.promptIds,
      sampling: samplingVariance(config.choices, influence, { promptIds: view.promptIds, folds: outer }),
      normalInterval: config.choices.clusters === 'fold' && outer === null,
      leaveOneOut: leaveOneOut.length === 0 ? null : Float64Array.from(leaveOneOut),
      judgeVariance: weightedJudgeVariance(study, view, u),
      weights: u,
      stabilisation: { shift: estimate - byRawWeights, influence: influence.map((φ, i) => φ - rawInfluence[i]!) },
    };
  },
});

/**
 * SIMCal-stabilised weights of a policy's rows, cross-fitted on the given outer folds (null: fitted on all rows).
 * Inner folds are the calibration's; without a calibration they are a choice.
 */
export function workingWeights(
  study: Study,
  view: LoggedView,
  outer: Int32Array | null,
  outerSeed: number,
): CrossFittedWeights {
  const { config } = study;
  const rows: StabilisationRows = {
    weights: view.weights,
    index: view.outOfFoldRewards ?? take(study.logged.judgeScores, view.rows),
    rewards: view.outOfFoldRewards ?? view.rewards,
  };
  const hashed = () => foldsOfPrompts(view.promptIds, config.folds, config.seed);
  const shuffles = study.calibration === null && config.choices.stabilisationFolds === 'shuffled';
  if (outer !== null) {
    const labels = shuffles ? null : hashed();
    return crossFitStabilisation(rows, outer, config.folds, (training) =>
      labels === null ? shuffledFolds(training.length, 5, outerSeed) : renumberFolds(labelsOf(labels, training)),
    );
  }
  const inner = shuffles ? shuffledFolds(view.rows.length, 5, config.seed) : renumberFolds(hashed());
  const fit = fitStabilisation(rows, { innerFolds: inner });
  return {
    weights: fit === null ? rows.weights : stabilisedWeights(fit, rows.index),
    trainingMeans: new Float64Array(),
    trainingWeightMeans: new Float64Array(),
    fits: [fit],
  };
}

function labelsOf(labels: Int32Array, rows: Int32Array): Int32Array {
  const out = new Int32Array(rows.length);
  for (let i = 0; i < out.length; i++) out[i] = labels[rows[i]!]!;
  return out;
}
