/** The statistics of counterfactual LLM evaluation: pure functions over typed arrays. */

export { allocateLabels } from './allocation.ts';
export type { EvaluationData, FreshDraws, LoggedRows } from './data/data.ts';
export { foldsOfPrompts, hashedOrder } from './data/folds.ts';
export type { Refusal } from './data/refusal.ts';
export type { ReliabilityFlag } from './diagnostics/reliability.ts';
export { bootstrapOf, estimate } from './estimate.ts';
export {
  ESTIMATOR_NAMES,
  ESTIMATORS,
  type EstimatorName,
  EstimatorRegistry,
  type EstimatorSettings,
  resolveConfig,
} from './estimators/registry.ts';
export { ASSUMPTION_GATES, DEFAULT_GATES, type GateCheck, type GateThresholds } from './gates/gates.ts';
export { OPEN_GATES } from './gates/open-gates.ts';
export { auditTransport } from './gates/transport-audit.ts';
export { bettingInterval } from './inference/betting.ts';
export { compareAll, comparePolicies, differenceComponents } from './inference/comparison.ts';
export {
  differenceBounds,
  type NonInferiorityOptions,
  nonInferiority,
  nonInferiorityStep,
  type SequentialState,
  UNDECIDED,
} from './inference/non-inferiority.ts';
export {
  type GateAnswer,
  type GatePrompt,
  type GateTest,
  type PairedDifferences,
  pairedDifferences,
} from './inference/paired-differences.ts';
export { byEstimate, rankPolicies } from './inference/ranking.ts';
export type { EstimatedPolicy, EstimateResult, PolicyResult, RefusedPolicy } from './inference/result.ts';
export { normalQuantile } from './numeric/special-functions.ts';
export {
  type Costs,
  explainedShare,
  impliedVarianceModel,
  type MeasuredVariance,
  type Plan,
  POWER,
  type PowerOptions,
  planAtShare,
  planForBudget,
  planForDifference,
  reachOf,
  type VarianceModel,
} from './planning.ts';
export { type CommonSettings, correctsByOwnLabels } from './study/config.ts';
export { defineEstimator } from './study/estimator.ts';
export { COMMON_OPTIONS, type CommonOptions } from './study/options.ts';
export { weightDiagnostics } from './weights/diagnostics.ts';
export { rawWeights, selfNormalisedWeights } from './weights/importance-weights.ts';
