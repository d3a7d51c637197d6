import { type CrossFit, fitSelected, predictByFold, selectRows } from '../calibration/cross-fit.ts';
import { predictReward, type RewardFunction } from '../calibration/reward-function.ts';
import type { ScoreInputs } from '../data/data.ts';
import { labelWeights } from '../data/label-weights.ts';
import { fitIsotonicInOrder, predictIsotonicInOrder } from '../numeric/isotonic.ts';
import { indicesWhere, take } from '../numeric/moments.ts';
import { randomSource } from '../numeric/random.ts';
import { correctsByOwnLabels } from '../study/config.ts';
import type { FreshView } from '../study/policy-view.ts';
import { judgeWeights } from '../study/power-tuning.ts';
import type { Study } from '../study/study.ts';

/**
 * Cluster-weighted bootstrap with calibrator refit (cje-eval 0.6; Rubin's Bayesian bootstrap 1981, over prompts). Each
 * replicate draws an Exp(1) weight per prompt, shared by all policies and by the calibration rows of that prompt, refits
 * the reward calibration with these weights (choosing its mode again under `auto`), and recomputes the estimate. No
 * replicate is rejected: with positive weights every refit exists.
 *
 * Replicate b is a pure function of (data, seed, b).
 */
interface BootstrapProblem {
  readonly study: Study;
  readonly policies: readonly BootstrapPolicy[];
  /** Number of each prompt, in ascending order of its id: a replicate does not depend on the order of rows. */
  readonly prompts: number;
  readonly calibration: {
    readonly inputs: ScoreInputs;
    readonly folds: Int32Array;
    readonly prompt: Int32Array;
    readonly labels: Float64Array;
    readonly scores: Float64Array;
    /** Order by (score, label), so that no replicate sorts. */
    readonly order: Int32Array;
    /** Weights of labels drawn with known probabilities; null for equal ones. */
    readonly design: Float64Array | null;
  };
}

interface BootstrapPolicy {
  readonly fresh: FreshView;
  /** Residuals are taken on the rows that the calibration is fitted on. */
  readonly crossFits: boolean;
  /** Prompt number of each draw. */
  readonly prompt: Int32Array;
  /** Labelled draws whose mean residual is added; empty for the plug-in. */
  readonly labelled: Int32Array;
  /** λ of each draw, as the estimate has it. */
  readonly judgeWeights: Float64Array | null;
  /** Weights of labels drawn with known probabilities; null for equal ones. */
  readonly design: Float64Array | null;
}

/** Sets up the replicates of plug-in means, or means corrected by own labels, for policies with usable draws. */
export function bootstrapProblem(
  study: Study,
  views: readonly { readonly view: FreshView; readonly teaches: boolean }[],
): BootstrapProblem {
  const { logged } = study;
  const { inputs, promptIds, ...given } = study.source ?? {
    inputs: study.inputs,
    promptIds: logged.promptIds,
    labels: logged.oracleLabels,
    weights: null,
  };
  const rows = indicesWhere(given.labels.length, (i) => !Number.isNaN(given.labels[i]!));
  const ids = new Set([...rows].map((i) => promptIds[i]!));
  for (const { view } of views) for (const id of view.draws.promptIds) ids.add(id);
  const numberOf = new Map([...ids].sort((a, b) => (a < b ? -1 : 1)).map((id, i) => [id, i]));
  const scores = take(inputs.scores, rows);
  const labels = take(given.labels, rows);
  const folds = study.foldOf(promptIds);
  const augments = correctsByOwnLabels(study.config.needs);
  return {
    study,
    prompts: numberOf.size,
    calibration: {
      inputs: selectRows(inputs, rows),
      folds: Int32Array.from(rows, (i) => folds[i]!),
      prompt: Int32Array.from(rows, (i) => numberOf.get(promptIds[i]!)!),
      labels,
      scores,
      design: given.weights === null ? null : take(given.weights, rows),
      order: Int32Array.from(rows, (_, i) => i).sort(
        (a, b) => scores[a]! - scores[b]! || labels[a]! - labels[b]! || a - b,
      ),
    },
    policies: views.map(({ view: fresh, teaches }) => {
      const { oracleLabels: drawLabels, promptIds: drawIds } = fresh.draws;
      return {
        fresh,
        crossFits: teaches && augments,
        prompt: Int32Array.from(drawIds, (id) => numberOf.get(id)!),
        design: labelWeights(fresh.draws),
        judgeWeights: augments ? judgeWeights(fresh, study.config.options) : null,
        labelled: augments ? indicesWhere(drawLabels.length, (j) => !Number.isNaN(drawLabels[j]!)) : new Int32Array(),
      };
    }),
  };
}

/** One estimate for each policy, in label units. */
export type Replicate = ArrayLike<number>;

/** The replicates from this number on. */
export function* bootstrapReplicates(problem: BootstrapProblem, from: number): Generator<Replicate> {
  const { policies, study } = problem;
  const { replicates, seed } = study.config;
  const weights = new Float64Array(problem.prompts);
  for (let b = from; b < replicates; b++) {
    const random = randomSource(seed, b);
    for (let g = 0; g < weights.length; g++) weights[g] = random.exponential();
    const fit = refit(problem, weights);
    yield policies.map((policy) => replicate(policy, fit, weights));
  }
}

/** The calibration under one replicate's weights; cross-fits where a policy wants them. */
type Refit = Pick<CrossFit, 'full'> & { readonly withoutFold: CrossFit['withoutFold'] | null };

/** Null without a calibration. */
function refit(problem: BootstrapProblem, promptWeights: Float64Array): Refit | null {
  const { study, calibration } = problem;
  if (study.calibration === null) return null;
  const { design } = calibration;
  const weights = Float64Array.from(
    calibration.prompt,
    (g, i) => promptWeights[g]! * (design === null ? 1 : design[i]!),
  );
  const crossFits = problem.policies.some((policy) => policy.crossFits);
  if (study.config.rewardCalibration === 'monotone' && !crossFits) {
    const { order, scores, labels } = calibration;
    const isotonic = fitIsotonicInOrder(order, scores, labels, { weights, bounds: [0, 1] });
    return { full: { kind: 'monotone', isotonic }, withoutFold: null };
  }
  const mode = study.config.rewardCalibration === 'none' ? 'auto' : study.config.rewardCalibration;
  const slice = { inputs: calibration.inputs, labels: calibration.labels, weights, order: calibration.order };
  const folds = study.calibration.withoutFold.length;
  const { full, withoutFold } = fitSelected(mode, slice, calibration.folds, folds, study.config.choices.modeRule);
  return { full, withoutFold: crossFits ? withoutFold : null };
}

function replicate(policy: BootstrapPolicy, refitted: Refit | null, weights: Float64Array): number {
  const { fresh, prompt, labelled, judgeWeights: lambda, design } = policy;
  const { judgeScores, oracleLabels } = fresh.draws;
  const fit: RewardFunction | null = refitted?.full ?? null;
  let rewards: Float64Array;
  if (fit === null) rewards = judgeScores;
  else if (fit.kind === 'monotone') rewards = predictIsotonicInOrder(fit.isotonic, judgeScores, fresh.inputs.order);
  else rewards = predictReward(fit, fresh.inputs);
  let total = 0;
  let mass = 0;
  for (let j = 0; j < rewards.length; j++) {
    const weight = weights[prompt[j]!]!;
    total += weight * rewards[j]!;
    mass += weight;
  }
  const centre = total / mass;
  const lambdaOf = (j: number) => (lambda === null ? 1 : lambda[j]!);
  let tilt = 0;
  for (let j = 0; j < rewards.length; j++) tilt += weights[prompt[j]!]! * (lambdaOf(j) - 1) * (rewards[j]! - centre);
  const crossFits = policy.crossFits ? (refitted?.withoutFold ?? null) : null;
  const held = crossFits === null ? rewards : predictByFold(crossFits, fresh.inputs, fresh.folds);
  let residual = 0;
  let labelMass = 0;
  for (const j of labelled) {
    const weight = weights[prompt[j]!]! * (design === null ? 1 : design[j]!);
    residual += weight * (oracleLabels[j]! - centre - lambdaOf(j) * (held[j]! - centre));
    labelMass += weight;
  }
  return centre + tilt / mass + (labelMass > 0 ? residual / labelMass : 0);
}
