import { calibrateRewards, outOfFoldRewards, type RewardCalibration } from './calibration/reward-calibration.ts';
import { predictReward, predictRewards, type RewardFunction } from './calibration/reward-function.ts';
import { type EstimatorConfig, usesLogProbabilities } from './config.ts';
import { type EvaluationData, inputsOf, type LoggedRows, type ScoreInputs, scoreInputs } from './data.ts';
import { balancedFolds, foldsOfPrompts, type PromptFolds } from './folds.ts';
import { lazily } from './lazily.ts';
import { concatenate, indicesWhere, take } from './moments.ts';
import { firstFew, type Refusal, refusal } from './refusal.ts';

/** What all policies of one evaluation share: checked rows, and rewards on the oracle's scale. */
export interface Study {
  readonly config: EstimatorConfig;
  readonly data: EvaluationData;
  /** Logged rows with a judge score (all of them unless missing scores are dropped). */
  readonly logged: LoggedRows;
  readonly inputs: ScoreInputs;
  /** Fold of each logged row's prompt. */
  readonly promptFolds: Int32Array;
  /** Fold of any prompt. */
  readonly foldOf: PromptFolds;
  readonly calibration: RewardCalibration | null;
  /** Reward of each logged row: calibrated, the label itself when every row is labelled, or the judge score. */
  readonly rewards: Float64Array;
  /** Cross-fitted rewards, or null without a calibration. */
  readonly outOfFoldRewards: Float64Array | null;
  /** Every row is labelled: rewards are the labels, and there is no oracle uncertainty. */
  readonly fullyLabelled: boolean;
  /** The calibrations of the oracle-uncertainty jackknife; empty without oracle uncertainty. */
  readonly jackknifeFits: readonly RewardFunction[];
  /** Rewards of every logged row under each of them. */
  readonly jackknifeRewards: readonly Float64Array[];
  /** γ̂: oracle residual variance over the judge's stated variance; 1 without a calibration. */
  readonly judgeVarianceScale: number;
  /** Rows dropped for want of a judge score. */
  readonly droppedForScore: number;
  readonly warnings: readonly string[];
}

export type Prepared<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export function prepared<T>(value: T): Prepared<T> {
  return { ok: true, value };
}

export function refused(of: Refusal): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: of };
}

/** Calibrations of one data set by what they depend on, so that several estimators fit each once. */
export type SharedFits = Map<string, RewardCalibration>;

/** Checks the data and fits what all policies share; a refusal here is every policy's refusal. */
export function prepareStudy(
  config: EstimatorConfig,
  data: EvaluationData,
  shared: SharedFits = new Map(),
): Prepared<Study> {
  const weighting = usesLogProbabilities(config.estimator);
  const calibrates = config.estimator !== 'naive' && config.rewardCalibration !== 'none';
  const fault = checkRows(data, weighting || calibrates);
  if (fault !== null) return refused(fault);

  const missing = indicesWhere(data.logged.judgeScores.length, (i) => Number.isNaN(data.logged.judgeScores[i]!));
  // Direct reads a logged score only where there is a label, so other rows' scores may be absent.
  const needed = missing.filter((i) => weighting || !Number.isNaN(data.logged.oracleLabels[i]!));
  if (needed.length > 0 && (weighting || calibrates) && config.onMissingJudgeScore === 'refuse') {
    return refused(missingScores('logged rows', Array.from(needed)));
  }
  const logged = missing.length === 0 ? data.logged : withoutRows(data.logged, new Set(missing));
  const inputs = scoreInputs(logged, config.covariates);
  if (calibrates && inputs.covariates.some((c) => c.some((v) => !Number.isFinite(v)))) {
    return refused(
      refusal(
        'missing-covariate',
        'a covariate is missing on some rows',
        'The covariate on every row, or a calibration without it.',
      ),
    );
  }
  if (!calibrates) {
    return prepared({
      ...uncalibrated(config, data, logged, inputs),
      droppedForScore: missing.length,
    });
  }
  return calibratedStudy(config, data, logged, inputs, missing.length, shared);
}

function uncalibrated(config: EstimatorConfig, data: EvaluationData, logged: LoggedRows, inputs: ScoreInputs): Study {
  return {
    config,
    data,
    logged,
    inputs,
    foldOf: (promptIds) => foldsOfPrompts(promptIds, config.folds, config.seed),
    promptFolds: foldsOfPrompts(logged.promptIds, config.folds, config.seed),
    calibration: null,
    rewards: logged.judgeScores,
    outOfFoldRewards: null,
    fullyLabelled: false,
    jackknifeFits: [],
    jackknifeRewards: [],
    judgeVarianceScale: 1,
    droppedForScore: 0,
    warnings: [],
  };
}

function calibratedStudy(
  config: EstimatorConfig,
  data: EvaluationData,
  logged: LoggedRows,
  inputs: ScoreInputs,
  droppedForScore: number,
  shared: SharedFits,
): Prepared<Study> {
  const { oracleLabels } = logged;
  const labelled = indicesWhere(oracleLabels.length, (i) => !Number.isNaN(oracleLabels[i]!));
  const source = calibrationSource(config, data, logged, inputs);
  const labelledIds = source.promptIds.filter((_, i) => !Number.isNaN(source.labels[i]!));
  const folds = calibrationFolds(config, labelledIds);
  if (!folds.ok) return folds;

  const foldOf: PromptFolds = source.balanced
    ? balancedFolds(labelledIds, folds.value, config.seed)
    : (promptIds) => foldsOfPrompts(promptIds, folds.value, config.seed);
  const options = {
    mode: config.rewardCalibration === 'none' ? ('auto' as const) : config.rewardCalibration,
    folds: folds.value,
    seed: config.seed,
    jackknifeGroups: jackknifeGroups(config, labelledIds),
  };
  const key = JSON.stringify([options, config.covariates, config.onMissingJudgeScore, source.balanced]);
  const calibration =
    shared.get(key) ??
    calibrateRewards(source.inputs, source.labels, source.promptIds, { ...options, promptFolds: foldOf });
  shared.set(key, calibration);
  const full = labelled.length === oracleLabels.length;
  const promptFolds = foldOf(logged.promptIds);
  const crossFitted = lazily(() => outOfFoldRewards(calibration, inputs, promptFolds));
  const [lowest, highest] = calibration.diagnostics.labelledScoreRange;
  if (config.mode === 'recommended' && lowest === highest && !full) {
    return refused(
      refusal(
        'uninformative-judge',
        `all ${labelled.length} labelled rows have the judge score ${lowest}, so every reward would be the mean label`,
        'A judge whose scores vary, or labels on rows with other scores.',
      ),
    );
  }
  // Direct reads the calibration even where every logged row has a label; the library leaves its error out there.
  const readsCalibration = !full || (config.mode === 'recommended' && !usesLogProbabilities(config.estimator));
  const predicted = predictReward(calibration.full, inputs);
  const jackknifeFits = config.oracleUncertainty && readsCalibration ? calibration.jackknife : [];
  const jackknife = lazily(() => predictRewards(jackknifeFits, inputs));
  return prepared({
    config,
    data,
    logged,
    inputs,
    foldOf,
    promptFolds,
    calibration,
    // A fully labelled log needs no surrogate; the calibration then serves as outcome model only.
    rewards: full ? oracleLabels : predicted,
    get outOfFoldRewards() {
      return crossFitted();
    },
    fullyLabelled: full,
    jackknifeFits,
    get jackknifeRewards() {
      return jackknife();
    },
    judgeVarianceScale: judgeVarianceScale(logged, predicted, labelled),
    droppedForScore,
    warnings: calibrationWarnings(calibration, take(oracleLabels, labelled)),
  });
}

/** The rows a calibration is fitted on. */
interface CalibrationSource {
  readonly inputs: ScoreInputs;
  readonly labels: Float64Array;
  readonly promptIds: readonly string[];
  /** Balanced folds, as cje-eval 0.6 has them, rather than prompt-hash folds. */
  readonly balanced: boolean;
}

/**
 * The log; for direct-augmented in parity, the pooled fresh draws of all policies, as cje-eval 0.6 has it. Recommended
 * never pools: a judge that drifts on one policy would bend the calibration of all.
 */
function calibrationSource(
  config: EstimatorConfig,
  data: EvaluationData,
  logged: LoggedRows,
  inputs: ScoreInputs,
): CalibrationSource {
  if (config.mode === 'recommended' || config.estimator !== 'direct-augmented') {
    return { inputs, labels: logged.oracleLabels, promptIds: logged.promptIds, balanced: false };
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
    balanced: true,
  };
}

/** K folds need 2K labels. `recommended` takes fewer folds, down to 2 with 4 labelled prompts; `parity` refuses. */
function calibrationFolds(config: EstimatorConfig, labelledIds: readonly string[]): Prepared<number> {
  if (labelledIds.length === 0) {
    return refused(
      refusal(
        'no-oracle-labels',
        'no row has an oracle label',
        'Oracle labels on a random slice of the logged responses, or estimate with rewardCalibration none.',
      ),
    );
  }
  const wanted = 2 * config.folds;
  if (config.mode === 'parity') {
    if (labelledIds.length >= wanted) return prepared(config.folds);
    return refused(tooFewLabels(labelledIds.length, wanted));
  }
  const prompts = new Set(labelledIds).size;
  if (prompts < 4) return refused(tooFewLabels(prompts, 4));
  return prepared(prompts >= wanted ? config.folds : Math.max(2, Math.floor(prompts / 2)));
}

/** At most as many groups as keep two labelled prompts in each. */
function jackknifeGroups(config: EstimatorConfig, labelledIds: readonly string[]): number | null {
  if (config.jackknifeGroups === null) return null;
  const prompts = new Set(labelledIds).size;
  return Math.max(2, Math.min(config.jackknifeGroups, Math.floor(prompts / 2)));
}

function tooFewLabels(have: number, need: number): Refusal {
  return refusal(
    'too-few-oracle-labels',
    `${have} labelled prompts; the calibration needs ${need}`,
    `Oracle labels on at least ${need - have} more prompts.`,
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
    warnings.push(
      'all oracle labels are equal: every policy gets the same value, and standard errors of 0 say nothing',
    );
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

/** Refuses values outside their scale, naming rows (from 0): a bad value is never dropped in silence. */
function checkRows(data: EvaluationData, readsLog: boolean): Refusal | null {
  const { logged } = data;
  if (readsLog) {
    const empty = indicesWhere(logged.promptIds.length, (i) => logged.promptIds[i] === '');
    if (empty.length > 0)
      return refusal(
        'bad-input',
        `empty prompt id on logged rows ${firstFew(Array.from(empty))}`,
        'A prompt id on every row.',
      );
    const fault = checkScale('logged rows', logged.judgeScores, logged.oracleLabels);
    if (fault !== null) return fault;
    for (const [name, values] of [['base policy', logged.baseLogprobs] as const, ...logged.targetLogprobs]) {
      const bad = indicesWhere(
        values.length,
        (i) => values[i]! > 0 || Math.abs(values[i]!) === Number.POSITIVE_INFINITY,
      );
      if (bad.length > 0) {
        return refusal(
          'bad-input',
          `log probabilities of ${name} above 0 or infinite on logged rows ${firstFew(Array.from(bad))}`,
          'Log probabilities ≤ 0, or leave the row’s value missing.',
        );
      }
    }
  }
  return null;
}

/** Refuses scores and labels outside [0, 1]. */
export function checkScale(where: string, scores: Float64Array, labels: Float64Array): Refusal | null {
  for (const [name, values] of [
    ['judge scores', scores],
    ['oracle labels', labels],
  ] as const) {
    // Written so that only NaN, which means missing, escapes the comparison.
    const bad = indicesWhere(values.length, (i) => values[i]! < 0 || values[i]! > 1);
    if (bad.length > 0) {
      return refusal(
        'scores-out-of-scale',
        `${name} outside [0, 1] on ${bad.length} ${where}: ${firstFew(Array.from(bad))}`,
        'Scores and labels on the unit scale (divide a 0–100 scale by 100).',
      );
    }
  }
  return null;
}

/** The refusal for absent judge scores. */
export function missingScores(where: string, rows: readonly number[]): Refusal {
  return refusal(
    'missing-judge-scores',
    `no judge score on ${rows.length} ${where}: ${firstFew(rows)}`,
    'Score these rows, or say that rows without a score are dropped.',
  );
}

function withoutRows(logged: LoggedRows, drop: ReadonlySet<number>): LoggedRows {
  const kept = indicesWhere(logged.promptIds.length, (i) => !drop.has(i));
  return {
    promptIds: Array.from(kept, (i) => logged.promptIds[i]!),
    judgeScores: take(logged.judgeScores, kept),
    judgeVariances: take(logged.judgeVariances, kept),
    oracleLabels: take(logged.oracleLabels, kept),
    baseLogprobs: take(logged.baseLogprobs, kept),
    responseLengths: take(logged.responseLengths, kept),
    targetLogprobs: new Map([...logged.targetLogprobs].map(([policy, values]) => [policy, take(values, kept)])),
  };
}
