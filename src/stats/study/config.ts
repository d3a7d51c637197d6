import type { Covariate } from '../data/data.ts';
import { DEFAULT_GATES, type GateThresholds } from '../gates/gates.ts';

export const ESTIMATOR_NAMES = [
  'naive',
  'direct',
  'direct-augmented',
  'ips',
  'snips',
  'calibrated-ips',
  'dr-cpo',
  'mrdr',
  'tmle',
  'stacked-dr',
  'dr-augmented',
  'original-ips',
  'original-snips',
  'original-calibrated-ips',
  'original-dr-cpo',
  'original-mrdr',
  'original-uncertainty-dr-cpo',
] as const;
export type EstimatorName = (typeof ESTIMATOR_NAMES)[number];

const WITHOUT_LOG_PROBABILITIES: ReadonlySet<EstimatorName> = new Set(['naive', 'direct', 'direct-augmented']);

const BOOTSTRAPPED: ReadonlySet<EstimatorName> = new Set(['direct', 'direct-augmented']);

/** Whether an estimator weighs logged rows, and so needs log probabilities. */
export function usesLogProbabilities(estimator: EstimatorName): boolean {
  return !WITHOUT_LOG_PROBABILITIES.has(estimator);
}

/**
 * `recommended` is the default. `parity` follows cje-eval 0.3.0 to the letter, defects included, so that its published
 * results can be reproduced; docs/statistics.md lists every difference.
 */
export type Mode = 'recommended' | 'parity';
export type RewardCalibrationMode = 'auto' | 'monotone' | 'two-stage' | 'none';
export type WeightKind = 'raw' | 'calibrated';
export type MrdrWeighting = 'w' | 'w2' | 'snips';

/** Everything an estimate depends on beside the data. */
export interface EstimatorConfig {
  readonly estimator: EstimatorName;
  readonly mode: Mode;
  /** How judge scores become rewards on the oracle's scale; `none` takes the judge at its word. */
  readonly rewardCalibration: RewardCalibrationMode;
  /** Covariates of the calibration; any covariate implies two-stage. */
  readonly covariates: readonly Covariate[];
  /** Weights of the DR family: self-normalised raw ones, or SIMCal-stabilised ones. */
  readonly weights: WeightKind;
  /** SNIPS: self-normalised weights are clipped here, then renormalised; null for no clip. */
  readonly weightClip: number | null;
  /** calibrated-ips: fit the weight stabilisation on other folds than it is used on. */
  readonly crossFitWeights: boolean;
  readonly mrdrWeighting: MrdrWeighting;
  readonly tmleLink: 'logit' | 'identity';
  /** Cross-fitting folds K, 2..50. */
  readonly folds: number;
  /** Seed of the prompt-hash folds. */
  readonly seed: number;
  /** Intervals cover 1 − alpha. */
  readonly alpha: number;
  /** Add the oracle-uncertainty (jackknife) variance where rewards are calibrated. */
  readonly oracleUncertainty: boolean;
  /** Groups of that jackknife, at most; null jackknifes over the cross-fitting folds, as the library does. */
  readonly jackknifeGroups: number | null;
  /** Standard errors from influence functions, or (direct, direct-augmented) from a bootstrap that refits the calibration. */
  readonly inference: 'analytic' | 'bootstrap';
  /** Bootstrap replicates. */
  readonly replicates: number;
  /** Report the judge's own score variance as a component beside the sampling variance. */
  readonly judgeUncertainty: boolean;
  /** Drop a row for the policy that lacks its log probability, or (`list-wise`) for all policies. */
  readonly deletion: 'per-policy' | 'list-wise';
  readonly onMissingJudgeScore: 'refuse' | 'drop';
  /** DR: a logged prompt without a fresh draw of the policy refuses that policy, or drops the row. */
  readonly onMissingFreshDraw: 'refuse' | 'drop';
  readonly gates: GateThresholds;
}

/** What a caller must say: the estimator. The rest has defaults that depend on `mode`. */
export type EstimatorSettings = Pick<EstimatorConfig, 'estimator'> &
  Partial<Omit<EstimatorConfig, 'gates'>> & { readonly gates?: Partial<GateThresholds> };

/**
 * Fills defaults and checks ranges. Throws RangeError naming the setting: a wrong setting is the caller's mistake,
 * unlike data that cannot carry an estimate, which gives a refusal.
 */
export function resolveConfig(settings: EstimatorSettings): EstimatorConfig {
  const parity = settings.mode === 'parity';
  const { gates, ...given } = settings;
  const config: EstimatorConfig = {
    mode: 'recommended',
    rewardCalibration: 'auto',
    covariates: [],
    weights: parity ? 'calibrated' : 'raw',
    weightClip: null,
    crossFitWeights: true,
    mrdrWeighting: 'w',
    tmleLink: 'logit',
    folds: 5,
    seed: 42,
    alpha: 0.05,
    // The library's SNIPS has no calibrator, hence no oracle term: its interval is too short with few labels.
    oracleUncertainty: !(parity && (settings.estimator === 'snips' || settings.estimator === 'ips')),
    jackknifeGroups: parity ? null : 20,
    inference: 'analytic',
    replicates: 2000,
    judgeUncertainty: false,
    deletion: parity ? 'list-wise' : 'per-policy',
    onMissingJudgeScore: 'refuse',
    onMissingFreshDraw: 'refuse',
    ...dropUndefined(given),
    estimator: settings.estimator,
    gates: { ...DEFAULT_GATES, ...dropUndefined(gates ?? {}) },
  };
  check((ESTIMATOR_NAMES as readonly string[]).includes(config.estimator), `unknown estimator ${config.estimator}`);
  check(Number.isInteger(config.folds) && config.folds >= 2 && config.folds <= 50, 'folds: a whole number 2..50');
  check(
    config.jackknifeGroups === null || (Number.isInteger(config.jackknifeGroups) && config.jackknifeGroups >= 2),
    'jackknifeGroups: a whole number from 2, or null',
  );
  check(Number.isInteger(config.seed), 'seed: a whole number');
  check(config.alpha > 0 && config.alpha < 1, 'alpha: between 0 and 1');
  check(config.weightClip === null || config.weightClip > 0, 'weightClip: above 0, or null');
  check(
    config.inference === 'analytic' || BOOTSTRAPPED.has(config.estimator),
    'inference bootstrap: only with direct and direct-augmented',
  );
  check(config.inference === 'analytic' || !parity, 'inference bootstrap: only in recommended mode');
  check(Number.isInteger(config.replicates) && config.replicates >= 100, 'replicates: a whole number from 100');
  check(
    config.covariates.length === 0 || config.rewardCalibration === 'auto' || config.rewardCalibration === 'two-stage',
    'covariates: only with rewardCalibration auto or two-stage',
  );
  return config;
}

function check(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message);
}

function dropUndefined<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
}
