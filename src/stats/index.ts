/** The statistics of counterfactual LLM evaluation: pure functions over typed arrays. */

export { type BootstrapPart, bootstrapPart } from './bootstrap-inference.ts';
export { benjaminiHochberg, compareAll, comparePolicies, type PolicyComparison } from './comparison.ts';
export {
  ESTIMATOR_NAMES,
  type EstimatorConfig,
  type EstimatorName,
  type EstimatorSettings,
  type Mode,
  type MrdrWeighting,
  type RewardCalibrationMode,
  resolveConfig,
  type WeightKind,
} from './config.ts';
export type { Covariate, EvaluationData, FreshDraws, LoggedRows } from './data.ts';
export type { BoundaryCard } from './diagnostics/boundary.ts';
export type { LabelSupport } from './diagnostics/label-support.ts';
export type { Orthogonality } from './diagnostics/orthogonality.ts';
export type { ReliabilityFlag } from './diagnostics/reliability.ts';
export { bhattacharyyaAffinity } from './diagnostics/score-overlap.ts';
export {
  effectiveSampleSize,
  type TailIndex,
  type WeightDiagnostics,
  weightDiagnostics,
} from './diagnostics/weights.ts';
export { estimate, estimateMany } from './estimate.ts';
export { foldOfPrompt, foldsOfPrompts } from './folds.ts';
export { DEFAULT_GATES, type GateCheck, type GateThresholds } from './gates.ts';
export { rawWeights, selfNormalisedWeights } from './importance-weights.ts';
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
export { type RankedPolicy, rankPolicies } from './ranking.ts';
export type { Refusal, RefusalCode } from './refusal.ts';
export type {
  CalibrationSummary,
  EstimatedPolicy,
  EstimateResult,
  PolicyDiagnostics,
  PolicyResult,
  RefusedPolicy,
  VarianceComponents,
} from './result.ts';
export { normalCdf, normalQuantile, studentCdf, studentQuantile } from './special-functions.ts';
export { type AuditOptions, auditTransport, type TransportAudit } from './transport-audit.ts';
