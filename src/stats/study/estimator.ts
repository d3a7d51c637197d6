/** What one estimator is: a declaration of what it needs and says, and its computation. */

import { z } from 'zod';
import {
  type ClusteredVariance,
  clusterIndex,
  clusterRobustVariance,
  independentVariance,
} from '../data/clustering.ts';
import type { Refusal } from '../data/refusal.ts';
import type { Choices, DefaultSettings, LibraryVersion } from './choices.ts';
import type { Computation, PolicyInput } from './computation.ts';
import type { Declaration } from './config.ts';
import type { CommonOptions, InferenceKind } from './options.ts';

type Computed = Computation | { readonly refusal: Refusal };

/** An estimator says all of itself: the lists of names, settings, notes and ranks are made of these. */
export interface EstimatorDefinition<N extends string = string, S extends z.ZodRawShape = z.ZodRawShape>
  extends Declaration {
  readonly name: N;
  /** What it does, for a reader of the report: a predicate without a subject and full stop. */
  readonly note: string;
  readonly options: z.ZodObject<S>;
  /**
   * Its place among those that may head a report, 1 first, and why; absent for one that never heads it. One that is right whatever the
   * judge does heads it, whatever its place, where it estimates every policy.
   */
  readonly leads?: { readonly rank: number; readonly because: string; readonly whateverTheJudgeDoes?: true };
  /** Set where its folds are of row numbers, so that its rows must stand as they are given. */
  readonly numbersRows?: true;
  /** @param options its own settings. */
  compute(input: PolicyInput, options: z.infer<z.ZodObject<S>>): Computed;
}

type NoOptions = Record<never, z.ZodType>;

interface Own<S extends z.ZodRawShape> {
  readonly options: z.ZodObject<S>;
  defaults(of: DefaultSettings): z.infer<z.ZodObject<S>> & Partial<CommonOptions>;
}

type Common<N extends string, S extends z.ZodRawShape> = Omit<
  EstimatorDefinition<N, S>,
  'options' | 'defaults' | 'inference' | 'library'
> & {
  /** Absent: analytic alone. */
  readonly inference?: readonly InferenceKind[];
  /** Absent: 0.3. */
  readonly library?: LibraryVersion;
};

/**
 * Defines an estimator that has settings of its own.
 *
 * @example
 * defineEstimator({ name: 'half', note: 'is one half', needs: { log: false, draws: true, labels: 'none' }, compute }).inference // ["analytic"]
 */
export function defineEstimator<const N extends string, S extends z.ZodRawShape>(
  definition: Common<N, S> & Own<S>,
): EstimatorDefinition<N, S>;
/** Defines an estimator without settings of its own. */
export function defineEstimator<const N extends string>(
  definition: Common<N, NoOptions> & { defaults?(of: DefaultSettings): Partial<CommonOptions> },
): EstimatorDefinition<N, NoOptions>;
export function defineEstimator(
  definition: Common<string, z.ZodRawShape> & Partial<Pick<Own<z.ZodRawShape>, 'options' | 'defaults'>>,
): EstimatorDefinition {
  return { inference: ['analytic'], library: '0.3', options: z.object({}), defaults: () => ({}), ...definition };
}

/** Prompt-clustered variance, or the library's: clustered by the folds of what was cross-fitted, if anything was. */
export function samplingVariance(
  { clusters }: Choices,
  influence: Float64Array,
  by: { readonly promptIds: readonly string[]; readonly folds: Int32Array | null },
): ClusteredVariance {
  if (clusters === 'prompt') return promptClusteredVariance(influence, by.promptIds);
  return by.folds === null ? independentVariance(influence) : clusterRobustVariance(influence, by.folds);
}

/** Prompt-clustered variance: rows of one prompt are never independent. */
export function promptClusteredVariance(influence: Float64Array, promptIds: readonly string[]): ClusteredVariance {
  return clusterRobustVariance(influence, clusterIndex(promptIds).of);
}
