/** The statistics of counterfactual LLM evaluation: pure functions over typed arrays. */

export type { Covariate, EvaluationData, FreshDraws, LoggedRows } from './data/data.ts';
export { foldOfPrompt, foldsOfPrompts } from './data/folds.ts';
export type { Refusal, RefusalCode } from './data/refusal.ts';
export type { BoundaryCard } from './diagnostics/boundary.ts';
export type { LabelSupport } from './diagnostics/label-support.ts';
export type { Orthogonality } from './diagnostics/orthogonality.ts';
export type { ReliabilityFlag } from './diagnostics/reliability.ts';
export { estimate } from './estimate.ts';
export {
  ESTIMATOR_NAMES,
  ESTIMATORS,
  type EstimatorName,
  EstimatorRegistry,
  type EstimatorSettings,
  resolveConfig,
} from './estimators/registry.ts';
export { DEFAULT_GATES, type GateCheck, type GateThresholds } from './gates/gates.ts';
export { type AuditOptions, auditTransport, type TransportAudit } from './gates/transport-audit.ts';
export { benjaminiHochberg, compareAll, comparePolicies, type PolicyComparison } from './inference/comparison.ts';
export { type RankedPolicy, rankPolicies } from './inference/ranking.ts';
export type {
  CalibrationSummary,
  EstimatedPolicy,
  EstimateResult,
  PolicyDiagnostics,
  PolicyResult,
  RefusedPolicy,
  VarianceComponents,
} from './inference/result.ts';
export { normalCdf, normalQuantile, studentCdf, studentQuantile } from './numeric/special-functions.ts';
export {
  type Costs,
  detectableDifference,
  fitVarianceModel,
  impliedVarianceModel,
  type MeasuredVariance,
  type Plan,
  type PlanOutcome,
  POWER,
  type PowerOptions,
  planForBudget,
  planForDifference,
  powerAt,
  type VarianceModel,
} from './planning.ts';
export { type CommonSettings, correctsByOwnLabels, type EstimatorConfig, type Needs } from './study/config.ts';
export { defineEstimator, type EstimatorDefinition } from './study/estimator.ts';
export { COMMON_OPTIONS, type CommonOptions } from './study/options.ts';
export {
  effectiveSampleSize,
  type TailIndex,
  type WeightDiagnostics,
  weightDiagnostics,
} from './weights/diagnostics.ts';
export { rawWeights, selfNormalisedWeights } from './weights/importance-weights.ts';
