import { type ClusteredVariance, clusterIndex, clusterRobustVariance } from '../data/clustering.ts';
import type { Refusal } from '../data/refusal.ts';
import type { Computation, PolicyInput } from './computation.ts';

/** One estimator. What it uses decides which data a policy must have and which gates apply. */
export interface Estimator {
  readonly usesLog: boolean;
  readonly usesFreshDraws: boolean;
  compute(input: PolicyInput): Computation | { readonly refusal: Refusal };
}

/** Prompt-clustered variance: rows of one prompt are never independent. */
export function promptClusteredVariance(influence: Float64Array, promptIds: readonly string[]): ClusteredVariance {
  return clusterRobustVariance(influence, clusterIndex(promptIds).of);
}
