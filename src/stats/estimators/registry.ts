/** The estimators, by name. A new one is a file beside this one and a line in the list. */

import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { choicesOf } from '../compat/cje-eval/choices.ts';
import {
  originalCalibratedIps,
  originalDrCpo,
  originalIps,
  originalMrdr,
  originalSnips,
  originalUncertaintyDrCpo,
} from '../compat/original/original.ts';
import type { Alternatives } from '../gates/gate-refusals.ts';
import { type CommonSettings, check, configOf, type EstimatorConfig, type Needs } from '../study/config.ts';
import type { EstimatorDefinition } from '../study/estimator.ts';
import { COMMON_OPTIONS } from '../study/options.ts';
import { calibratedIps } from './calibrated-ips.ts';
import { direct, naive } from './direct.ts';
import { directAugmented } from './direct-augmented.ts';
import { drAugmented } from './dr-augmented.ts';
import { drCpo } from './dr-cpo.ts';
import { drLabelled } from './dr-labelled.ts';
import { ips, snips } from './importance-sampling.ts';
import { mrdr } from './mrdr.ts';
import { stackedDr } from './stacked-dr.ts';
import { tmle } from './tmle.ts';

const DEFINITIONS = [
  naive,
  direct,
  directAugmented,
  ips,
  snips,
  calibratedIps,
  drCpo,
  mrdr,
  tmle,
  stackedDr,
  drAugmented,
  drLabelled,
  originalIps,
  originalSnips,
  originalCalibratedIps,
  originalDrCpo,
  originalMrdr,
  originalUncertaintyDrCpo,
] as const;

type Shipped = (typeof DEFINITIONS)[number];
export type EstimatorName = Shipped['name'];

type OptionsOf<D> =
  D extends EstimatorDefinition<string, infer S> ? (keyof S extends never ? never : z.infer<z.ZodObject<S>>) : never;
type All<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void ? I : never;

/** Settings of a shipped estimator: its name, whatever all have, and whatever it alone has. */
export type EstimatorSettings = CommonSettings & { readonly estimator: EstimatorName } & Partial<
    All<OptionsOf<Shipped>>
  >;

/** A list of estimators, and all that follows from it. */
export class EstimatorRegistry {
  readonly all: readonly EstimatorDefinition[];
  readonly names: readonly string[];
  readonly #byName: ReadonlyMap<string, EstimatorDefinition>;

  constructor(definitions: readonly EstimatorDefinition[]) {
    this.all = definitions;
    this.names = definitions.map(({ name }) => name);
    this.#byName = new Map(definitions.map((definition) => [definition.name, definition]));
    check(this.#byName.size === definitions.length, `two estimators of one name among ${this.names.join(', ')}`);
  }

  /** Undefined for a name that no estimator has, such as one in a file that another version wrote. */
  find(name: string): EstimatorDefinition | undefined {
    return this.#byName.get(name);
  }

  /** @throws RangeError for an unknown name. */
  get(name: string): EstimatorDefinition {
    const found = this.find(name);
    if (found === undefined) throw new RangeError(`unknown estimator ${name}`);
    return found;
  }

  /** Those that may head a report, the first one first. */
  get leaders(): readonly EstimatorDefinition[] {
    return this.all.filter(({ leads }) => leads !== undefined).sort((a, b) => a.leads!.rank - b.leads!.rank);
  }

  /** The settings that one estimator or another has for itself, each with its schema. A name means one thing. */
  get ownOptions(): Readonly<Record<string, z.ZodType>> {
    const own: Record<string, z.ZodType> = {};
    for (const { name: estimator, options } of this.all) {
      for (const [name, schema] of Object.entries(options.shape as Record<string, z.ZodType>)) {
        const free = (own[name] ?? schema) === schema && !Object.hasOwn(COMMON_OPTIONS.shape, name);
        check(free, `${name}: a setting of ${estimator}, and of others by another schema`);
        own[name] = schema;
      }
    }
    return own;
  }

  /** The first leader, by its name, of those with just these needs. */
  leader(needs: Needs): string | undefined {
    return this.leaders.find((of) => isDeepStrictEqual(of.needs, needs))?.name;
  }

  /** Whom a refusal by a gate points to. */
  alternativesTo({ name, needs }: EstimatorDefinition): Alternatives {
    const alike = this.leaders.filter((of) => isDeepStrictEqual(of.needs, needs)).map((of) => of.name);
    return {
      draws: this.leader({ log: false, draws: true, labels: 'calibration' }) ?? 'an estimator on fresh draws',
      ownLabels: this.leader({ log: false, draws: true, labels: 'correction' }) ?? 'an estimator on labelled draws',
      plainWeights: alike[alike.indexOf(name) + 1] ?? 'other weights',
      doublyRobust: this.leader({ log: true, draws: true, labels: 'calibration' }) ?? 'a doubly robust estimator',
    };
  }

  /** The settings with their defaults. @throws RangeError naming a wrong one. */
  resolve(settings: CommonSettings): EstimatorConfig {
    const definition = this.get(settings.estimator);
    const choices = choicesOf(settings.mode ?? 'recommended', definition.library);
    const config = configOf(definition, choices, settings);
    if (config.inference === 'analytic') return config;
    const { inference } = config;
    const able = this.all.filter((other) => other.inference.includes(inference)).map(({ name }) => name);
    check(able.includes(definition.name), `inference ${inference}: only with ${able.join(' and ')}`);
    check(choices.bootstrap === 'offered', `inference ${inference}: only in recommended mode`);
    check(
      config.options.interval !== 'betting',
      `inference ${inference}: makes the interval itself, so not with interval betting`,
    );
    return config;
  }
}

export const ESTIMATORS = new EstimatorRegistry(DEFINITIONS);
/**
 * The settings of a shipped estimator with their defaults. @throws RangeError naming a wrong one.
 *
 * @example
 * resolveConfig({ estimator: 'direct', mode: 'parity' }).deletion // "list-wise"
 */
export function resolveConfig(settings: EstimatorSettings | CommonSettings): EstimatorConfig {
  return ESTIMATORS.resolve(settings);
}

export const ESTIMATOR_NAMES: readonly EstimatorName[] = DEFINITIONS.map(({ name }) => name);
