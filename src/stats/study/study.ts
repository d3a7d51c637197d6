import { calibrateRewards, outOfFoldRewards, type RewardCalibration } from '../calibration/reward-calibration.ts';
import { predictReward, predictRewards, type RewardFunction } from '../calibration/reward-function.ts';
import {
  type EvaluationData,
  type FreshDraws,
  inputsOf,
  type LoggedRows,
  type ScoreInputs,
  scoreInputs,
} from '../data/data.ts';
import { balancedFolds, foldsOfPrompts, type PromptFolds } from '../data/folds.ts';
import { labelWeights } from '../data/label-weights.ts';
import { type Refusal, refusal } from '../data/refusal.ts';
import { checkRows, missingScores } from '../data/row-checks.ts';
import { lazily } from '../numeric/lazily.ts';
import { concatenate, indicesWhere, take } from '../numeric/moments.ts';
import type { EstimatorConfig } from './config.ts';

/** What all policies of one evaluation share: checked rows, and rewards on the oracle's scale. */
export interface Study extends Fitted {
  readonly config: EstimatorConfig;
  /** Cross-fitted rewards, or null without a calibration. */
  readonly outOfFoldRewards: Float64Array | null;
  /** The calibrations of the oracle-uncertainty jackknife; empty without oracle uncertainty. */
  readonly jackknifeFits: readonly RewardFunction[];
  /** Rewards of every logged row under each of them. */
  readonly jackknifeRewards: readonly Float64Array[];
}

interface Rows {
  readonly data: EvaluationData;
  /** Logged rows with a judge score (all of them unless missing scores are dropped). */
  readonly logged: LoggedRows;
  readonly inputs: ScoreInputs;
  /** Rows dropped for want of a judge score. */
  readonly droppedForScore: number;
}

interface Fitted extends Rows {
  /** Fold of each logged row's prompt. */
  readonly promptFolds: Int32Array;
  /** Fold of any prompt. */
  readonly foldOf: PromptFolds;
  readonly calibration: RewardCalibration | null;
  /** What it was fitted on; null without one. */
  readonly source: CalibrationSource | null;
  /** Reward of each logged row: calibrated, the label itself when every row is labelled, or the judge score. */
  readonly rewards: Float64Array;
  /** Every row is labelled: rewards are the labels. */
  readonly fullyLabelled: boolean;
  /** γ̂: oracle residual variance over the judge's stated variance; 1 without a calibration. */
  readonly judgeVarianceScale: number;
  readonly warnings: readonly string[];
}

/** In the order of the results: the targets, then the policy that wrote the log where it is estimated. */
export function evaluatedPolicies(
  { logger, policies }: EvaluationData,
  { choices }: Pick<EstimatorConfig, 'choices'>,
): readonly string[] {
  if (logger === undefined || policies.includes(logger) || choices.loggedPolicy === 'leave-out') return policies;
  return [...policies, logger];
}

export type Prepared<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export function prepared<T>(value: T): Prepared<T> {
  return { ok: true, value };
}

export function refused(of: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: of };
}

/** Checks the data and fits what all policies share; a refusal here is every policy's refusal. */
export function prepareStudy(config: EstimatorConfig, data: EvaluationData): Prepared<Study> {
  const weighting = config.needs.log;
  const calibrates = config.needs.labels !== 'none' && config.rewardCalibration !== 'none';
  const readsLog = weighting || calibrates;
  const fault = readsLog ? checkRows(data) : null;
  if (fault !== null) return refused(fault);

  const { judgeScores, oracleLabels } = data.logged;
  const missing = indicesWhere(judgeScores.length, (i) => Number.isNaN(judgeScores[i]!));
  // Direct reads a logged score only where there is a label, so other rows' scores may be absent.
  const needed = missing.filter((i) => weighting || !Number.isNaN(oracleLabels[i]!));
  if (needed.length > 0 && readsLog && config.onMissingJudgeScore === 'refuse') {
    return refused(missingScores('logged rows', Array.from(needed)));
  }
  const logged = missing.length === 0 ? data.logged : withoutRows(data.logged, new Set(missing));
  const rows = { data, logged, inputs: scoreInputs(logged, config.covariates), droppedForScore: missing.length };
  const fit = calibrates ? calibratedStudy(config, rows) : prepared(uncalibratedStudy(config, rows));
  return fit.ok ? prepared(studyOf(config, fit.value)) : fit;
}

function studyOf(config: EstimatorConfig, fitted: Fitted): Study {
  const { calibration, fullyLabelled, inputs, promptFolds } = fitted;
  const { needs, choices, oracleUncertainty } = config;
  // An estimator without a log reads the calibration even where every logged row has a label.
  const readsCalibration = !fullyLabelled || (choices.oracleTermOfLabelledLog === 'count' && !needs.log);
  const jackknifeFits = calibration !== null && oracleUncertainty && readsCalibration ? calibration.jackknife : [];
  const crossFitted = lazily(() => (calibration === null ? null : outOfFoldRewards(calibration, inputs, promptFolds)));
  const jackknife = lazily(() => predictRewards(jackknifeFits, inputs));
  return {
    ...fitted,
    config,
    get outOfFoldRewards() {
      return crossFitted();
    },
    jackknifeFits,
    get jackknifeRewards() {
      return jackknife();
    },
  };
}

function uncalibratedStudy(config: EstimatorConfig, rows: Rows): Fitted {
  const foldOf: PromptFolds = (promptIds) => foldsOfPrompts(promptIds, config.folds, config.seed);
  return {
    ...rows,
    foldOf,
    promptFolds: foldOf(rows.logged.promptIds),
    calibration: null,
    source: null,
    rewards: rows.logged.judgeScores,
    fullyLabelled: false,
    judgeVarianceScale: 1,
    warnings: [],
  };
}

function calibratedStudy(config: EstimatorConfig, rows: Rows): Prepared<Fitted> {
  const { logged, inputs } = rows;
  if (inputs.covariates.some((c) => c.some((v) => !Number.isFinite(v)))) {
    const message = 'a covariate is missing on some rows';
    return refused(refusal('missing-covariate', message, 'The covariate on every row, or a calibration without it.'));
  }
  const { oracleLabels } = logged;
  const labelled = indicesWhere(oracleLabels.length, (i) => !Number.isNaN(oracleLabels[i]!));
  const source = calibrationSource(config, rows.data, logged, inputs);
  const labelledIds = source.promptIds.filter((_, i) => !Number.isNaN(source.labels[i]!));
  const folds = calibrationFolds(config, labelledIds, rows.data.pooled);
  if (!folds.ok) return folds;

  const foldOf: PromptFolds = source.balanced
    ? balancedFolds(labelledIds, folds.value, config.seed)
    : (promptIds) => foldsOfPrompts(promptIds, folds.value, config.seed);
  const calibration = calibrateRewards(source.inputs, source.labels, source.promptIds, {
    mode: config.rewardCalibration === 'none' ? 'auto' : config.rewardCalibration,
    folds: folds.value,
    seed: config.seed,
    labelWeights: source.weights,
    modeRule: config.choices.modeRule,
    jackknifeGroups: jackknifeGroups(config, labelledIds),
    promptFolds: foldOf,
  });
  const fullyLabelled = labelled.length === oracleLabels.length;
  const [lowest, highest] = calibration.diagnostics.labelledScoreRange;
  if (config.choices.constantJudge === 'refuse' && lowest === highest && !fullyLabelled) {
    return refused(
      refusal(
        'uninformative-judge',
        `all ${labelled.length} labelled rows have the judge score ${lowest}, so every reward would be the mean label`,
        'A judge whose scores vary, or labels on rows with other scores.',
      ),
    );
  }
  const predicted = predictReward(calibration.full, inputs);
  return prepared({
    ...rows,
    foldOf,
    promptFolds: foldOf(logged.promptIds),
    calibration,
    source,
    // A fully labelled log needs no surrogate; the calibration then serves as outcome model only.
    rewards: fullyLabelled ? oracleLabels : predicted,
    fullyLabelled,
    judgeVarianceScale: judgeVarianceScale(logged, predicted, labelled),
    warnings: calibrationWarnings(calibration, take(source.labels, calibration.labelledRows)),
  });
}

/** The rows a calibration is fitted on; labels are NaN where there is none. */
export interface CalibrationSource {
  readonly inputs: ScoreInputs;
  readonly labels: Float64Array;
  readonly promptIds: readonly string[];
  readonly weights: Float64Array | null;
  /** Balanced folds rather than prompt-hash folds. */
  readonly balanced: boolean;
}

/**
 * The log, or the draws of all policies, pooled; with the labels of a set of their own, and each mirrored if the labels are
 * preferences.
 */
function calibrationSource(
  config: EstimatorConfig,
  data: EvaluationData,
  logged: LoggedRows,
  inputs: ScoreInputs,
): CalibrationSource {
  const own = ownSource(config, data, logged, inputs);
  const { calibrationSet } = data;
  const all = calibrationSet === undefined ? own : joined(own, setSource(calibrationSet, config));
  return config.antisymmetric ? joined(all, mirrored(all)) : all;
}

function setSource(set: FreshDraws, { covariates }: EstimatorConfig): CalibrationSource {
  const { oracleLabels: labels, promptIds } = set;
  return { inputs: scoreInputs(set, covariates), labels, promptIds, weights: labelWeights(set), balanced: false };
}

/** Labels of the second set count like those of the first. */
function joined(a: CalibrationSource, b: CalibrationSource): CalibrationSource {
  const ones = ({ labels }: CalibrationSource) => new Float64Array(labels.length).fill(1);
  return {
    inputs: inputsOf(
      concatenate([a.inputs.scores, b.inputs.scores]),
      a.inputs.covariates.map((column, c) => concatenate([column, b.inputs.covariates[c]!])),
    ),
    labels: concatenate([a.labels, b.labels]),
    promptIds: [...a.promptIds, ...b.promptIds],
    weights:
      a.weights === null && b.weights === null ? null : concatenate([a.weights ?? ones(a), b.weights ?? ones(b)]),
    balanced: a.balanced,
  };
}

/** A preference is the other side's the other way round: (1 − S, 1 − Y), on the same prompt, so that f(1 − s) = 1 − f(s). */
function mirrored(of: CalibrationSource): CalibrationSource {
  const turned = (values: Float64Array) => values.map((value) => 1 - value);
  return { ...of, inputs: inputsOf(turned(of.inputs.scores), []), labels: turned(of.labels) };
}

function ownSource(
  config: EstimatorConfig,
  data: EvaluationData,
  logged: LoggedRows,
  inputs: ScoreInputs,
): CalibrationSource {
  if (config.choices.calibrationRows === 'log') {
    const weights = labelWeights(logged);
    return { inputs, labels: logged.oracleLabels, promptIds: logged.promptIds, weights, balanced: false };
  }
  const policies = [...data.freshDraws.keys()].sort();
  const draws = policies.map((p) => data.freshDraws.get(p)!);
  const perPolicy = draws.map((d) => scoreInputs(d, config.covariates));
  return {
    inputs: inputsOf(
      concatenate(draws.map((d) => d.judgeScores)),
      config.covariates.map((_, c) => concatenate(perPolicy.map((x) => x.covariates[c]!))),
    ),
    labels: concatenate(draws.map((d) => d.oracleLabels)),
    promptIds: draws.flatMap((d) => d.promptIds),
    weights: null,
    balanced: true,
  };
}

/** K folds need 2K labels. With fewer there are fewer folds, down to 2 with 4 labelled prompts, or a refusal. */
function calibrationFolds(config: EstimatorConfig, labelledIds: readonly string[], pooled = false): Prepared<number> {
  if (labelledIds.length === 0) {
    return refused(
      refusal(
        'no-oracle-labels',
        'no row has an oracle label',
        `Oracle labels on a random slice of ${pooled ? 'each policy’s' : 'the logged'} responses, or estimate with rewardCalibration none.`,
      ),
    );
  }
  const wanted = 2 * config.folds;
  if (config.choices.fewLabels === 'refuse') {
    if (labelledIds.length >= wanted) return prepared(config.folds);
    return refused(tooFewLabels(labelledIds.length, wanted));
  }
  const prompts = new Set(labelledIds).size;
  if (prompts < 4) return refused(tooFewLabels(prompts, 4));
  return prepared(prompts >= wanted ? config.folds : Math.max(2, Math.floor(prompts / 2)));
}

/** At most as many groups as keep two labelled prompts in each; with few prompts each is its own. */
function jackknifeGroups(config: EstimatorConfig, labelledIds: readonly string[]): number | null {
  const { jackknifeGroups: most } = config;
  if (most === null) return null;
  const prompts = new Set(labelledIds).size;
  return Math.max(2, Math.min(most, prompts <= most ? prompts : Math.floor(prompts / 2)));
}

function tooFewLabels(have: number, need: number): Refusal {
  return refusal(
    'too-few-oracle-labels',
    `${have} labelled ${have === 1 ? 'prompt' : 'prompts'}; the calibration needs ${need}`,
    `Oracle labels on at least ${need - have} more ${need - have === 1 ? 'prompt' : 'prompts'}.`,
  );
}

function calibrationWarnings(calibration: RewardCalibration, labels: Float64Array): string[] {
  const warnings: string[] = [];
  if (calibration.diagnostics.collapsed) {
    warnings.push(
      'the reward calibration is one constant although labels vary: the judge is uninformative, or runs against the oracle',
    );
  }
  if (labels.every((y) => y === labels[0])) {
    warnings.push('all oracle labels are equal: every policy gets the same value');
  }
  return warnings;
}

/**
 * γ̂ = Σ(Y − f̂(S))²/ΣV over labelled rows, after calibration (before it, the judge's bias would count as dispersion).
 * Above 1 the judge is over-confident. 1 for a judge that states no variance.
 */
function judgeVarianceScale(logged: LoggedRows, rewards: Float64Array, labelled: Int32Array): number {
  let residual = 0;
  let stated = 0;
  for (const i of labelled) {
    residual += (logged.oracleLabels[i]! - rewards[i]!) ** 2;
    stated += logged.judgeVariances[i]!;
  }
  return stated < 1e-10 ? 1 : residual / stated;
}

function withoutRows(logged: LoggedRows, drop: ReadonlySet<number>): LoggedRows {
  const kept = indicesWhere(logged.promptIds.length, (i) => !drop.has(i));
  return {
    promptIds: Array.from(kept, (i) => logged.promptIds[i]!),
    judgeScores: take(logged.judgeScores, kept),
    judgeVariances: take(logged.judgeVariances, kept),
    oracleLabels: take(logged.oracleLabels, kept),
    ...(logged.labelPropensities === undefined ? {} : { labelPropensities: take(logged.labelPropensities, kept) }),
    baseLogprobs: take(logged.baseLogprobs, kept),
    responseLengths: take(logged.responseLengths, kept),
    targetLogprobs: new Map([...logged.targetLogprobs].map(([policy, values]) => [policy, take(values, kept)])),
  };
}
