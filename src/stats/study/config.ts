/** What an estimator declares of itself, and the settings of one estimate, resolved. */

import type { z } from 'zod';
import { DEFAULT_GATES, type GateThresholds } from '../gates/gates.ts';
import type { Choices, DefaultSettings, LibraryVersion } from './choices.ts';
import { COMMON_OPTIONS, type CommonOptions, type InferenceKind } from './options.ts';

/** The data that an estimator reads. */
export interface Needs {
  /** It weighs logged rows, and so needs log probabilities under both policies. */
  readonly log: boolean;
  /** It reads the policy's own responses. */
  readonly draws: boolean;
  /**
   * `none`: it takes the judge at its word. `calibration`: labels calibrate the judge. `correction`: labels also correct
   * the estimate itself: those on the policy's own draws, or, for an estimator that weighs the log, those on the log.
   */
  readonly labels: 'none' | 'calibration' | 'correction';
}

/**
 * Whether labels on a policy's own draws settle the level of its estimate, whatever the calibration says.
 *
 * @example
 * correctsByOwnLabels({ log: false, draws: true, labels: 'correction' }) // true
 */
export function correctsByOwnLabels({ log, labels }: Needs): boolean {
  return !log && labels === 'correction';
}

/** All that the machinery knows of an estimator beside its computation. */
export interface Declaration {
  readonly name: string;
  readonly needs: Needs;
  /** The settings that it alone reads. */
  readonly options: z.ZodObject;
  /** Their defaults, and defaults of its own for settings that all estimators have. */
  defaults(of: DefaultSettings): Readonly<Record<string, unknown>>;
  readonly inference: readonly InferenceKind[];
  /** The version of cje-eval that parity follows. */
  readonly library: LibraryVersion;
}

/** Everything an estimate depends on beside the data. */
export interface EstimatorConfig extends CommonOptions {
  readonly estimator: string;
  readonly needs: Needs;
  readonly choices: Choices;
  /** The estimator's own settings, as its `options` describe them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly gates: GateThresholds;
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** What a caller must say: the estimator. The rest has defaults. */
export type CommonSettings = { readonly estimator: string } & Optional<CommonOptions> & {
    readonly gates?: Partial<GateThresholds>;
  };

/**
 * Fills defaults and checks ranges. Throws RangeError naming the setting: a wrong setting is the caller's mistake, unlike
 * data that cannot carry an estimate, which gives a refusal.
 */
export function configOf(of: Declaration, choices: Choices, settings: CommonSettings): EstimatorConfig {
  const { estimator, gates, ...given } = settings;
  const { jackknifeGroups, deletion } = choices.defaults;
  const all: Record<string, unknown> = {
    weightClip: null,
    judgeUncertainty: false,
    oracleUncertainty: true,
    jackknifeGroups,
    deletion,
    ...of.defaults(choices.defaults),
    ...dropUndefined(given),
  };
  const [common, own]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const [name, value] of Object.entries(all)) {
    if (Object.hasOwn(COMMON_OPTIONS.shape, name)) common[name] = value;
    else if (Object.hasOwn(of.options.shape, name)) own[name] = value;
    else throw new RangeError(`${name}: no setting of ${estimator}`);
  }
  const config = {
    ...parsed(COMMON_OPTIONS, common),
    estimator,
    needs: of.needs,
    choices,
    options: parsed(of.options, own),
    gates: { ...DEFAULT_GATES, ...dropUndefined(gates ?? {}) },
  };
  const { covariates, rewardCalibration } = config;
  check(
    covariates.length === 0 || rewardCalibration === 'auto' || rewardCalibration === 'two-stage',
    'covariates: only with rewardCalibration auto or two-stage',
  );
  check(
    !config.antisymmetric || (rewardCalibration !== 'none' && covariates.length === 0),
    'antisymmetric: only with a rewardCalibration, and without covariates',
  );
  return config;
}

function parsed<T>(schema: z.ZodType<T>, values: Record<string, unknown>): T {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RangeError(`${issue!.path.join('.')}: ${issue!.message}`);
}

export function check(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message);
}

function dropUndefined<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
}
