import type { CalibrationDiagnostics } from '../calibration/reward-calibration.ts';
import type { Refusal } from '../data/refusal.ts';
import type { BoundaryCard } from '../diagnostics/boundary.ts';
import type { DrawCoverage } from '../diagnostics/draw-coverage.ts';
import type { LabelSupport } from '../diagnostics/label-support.ts';
import type { Orthogonality } from '../diagnostics/orthogonality.ts';
import type { LabelGap, RareLabels } from '../diagnostics/rare-labels.ts';
import type { ReliabilityFlag } from '../diagnostics/reliability.ts';
import type { GateCheck } from '../gates/gates.ts';
import type { TransportAudit } from '../gates/transport-audit.ts';
import type { OwnLabels, Stabilisation } from '../study/computation.ts';
import type { EstimatorConfig } from '../study/config.ts';
import type { WeightDiagnostics } from '../weights/diagnostics.ts';

/** Everything measured about one (policy, estimator) cell; a refusal carries it too, so that values are always shown. */
export interface PolicyDiagnostics {
  /** Rows (logged, or fresh draws for Direct) that the estimate uses. */
  readonly rows: number;
  readonly prompts: number;
  readonly droppedForLogprob: number;
  readonly droppedForScore: number;
  readonly rawWeights: WeightDiagnostics | null;
  /** The weights in use where they differ from the raw ones. */
  readonly weights: WeightDiagnostics | null;
  /** What the published library would flag this estimate for; its own gate, which refuses nothing. */
  readonly reliability: readonly ReliabilityFlag[];
  readonly boundary: BoundaryCard | null;
  /** Affinity of the policy's scores with the labelled ones; null where no calibration gives the level. */
  readonly scoreOverlap: number | null;
  readonly labelSupport: LabelSupport | null;
  /** Labels nearly all of one value, where a normal interval is too short; null where they are not. */
  readonly rareLabels: RareLabels | null;
  /**
   * How far the labels behind it stay from the ends of the scale; null where these stand beside them already, or none is
   * behind it.
   */
  readonly labelGap: LabelGap | null;
  /** How many of the log's prompts the policy answered; null for estimators without draws. */
  readonly drawCoverage: DrawCoverage | null;
  /** The calibration on the policy's own labelled draws; null where no calibration is read. */
  readonly transport: TransportAudit | null;
  readonly orthogonality: Orthogonality | null;
  readonly parts: { readonly outcome: number; readonly correction: number } | null;
  readonly mixture: Readonly<Record<string, number>> | null;
  readonly gates: readonly GateCheck[];
}

/** Variances of the estimate, in squared label units. All but the judge's make the standard error. */
export interface VarianceComponents {
  readonly samplingVariance: number;
  readonly oracleVariance: number;
  /** Twice the covariance of the two, from prompts that are evaluated and have labels; may be negative. */
  readonly sharedVariance: number;
  /** What scores outside the labelled range leave open, see `inferenceOf`. */
  readonly extrapolationVariance: number;
  /** For the bias that stabilised weights may have left, see `shiftMoment`; absent where none are stabilised. */
  readonly stabilisationVariance?: number;
  readonly judgeVariance: number;
}

export interface EstimatedPolicy {
  readonly status: 'ok';
  readonly policy: string;
  /** In label units (judge units for `naive` and rewardCalibration `none`). Not truncated to [0, 1]. */
  readonly estimate: number;
  readonly standardError: number;
  /** The 1 − alpha interval. */
  readonly interval: readonly [low: number, high: number];
  /** Of the interval's Student quantile; Infinity for the normal. */
  readonly degreesOfFreedom: number;
  /** √judgeVariance: what scoring the same responses again would add. Not part of `standardError`. */
  readonly judgeStandardError: number;
  readonly n: number;
  /** Effective rows of the weights in use, and of the raw ones; null without weights. */
  readonly ess: number | null;
  readonly essFraction: number | null;
  readonly rawEss: number | null;
  readonly meanRawWeight: number | null;
  /** Hill index of the raw weights (Infinity: uniform tail; null: not computable) and the largest row's share of weight. */
  readonly tail: { readonly index: number | null; readonly maximumShare: number } | null;
  readonly components: VarianceComponents;
  /** Mean-zero influence values, and the prompt of each. */
  readonly influence: Float64Array;
  readonly influencePromptIds: readonly string[];
  /** ψ^(−k) for each calibration fold; null without oracle uncertainty. */
  readonly oracleJackknife: Float64Array | null;
  /** What each jackknife group's prompts contribute to the estimate, centred; null where no evaluated prompt has a label. */
  readonly labelledTotals: Float64Array | null;
  /** What scores below and above the labelled ones leave open. */
  readonly openWidths: readonly [below: number, above: number];
  /** Influence values are products of raw weights, so that intervals are corrected for their skewness. */
  readonly skewed: boolean;
  /** Third standardised cumulant that the interval is corrected for; 0 where it is symmetric. */
  readonly skewness: number;
  /** How far stabilised weights moved the estimate from the raw ones' one; null where no weights are stabilised. */
  readonly stabilisation: Stabilisation | null;
  /** Bootstrap replicates of the estimate; null under analytic inference. */
  readonly replicates: Float64Array | null;
  /** The prompts whose labels correct the estimate, and Kish's number of them; null where none do. */
  readonly correctedBy: { readonly prompts: ReadonlySet<string>; readonly effective: number } | null;
  /** The policy's own labels where the interval is bets on them. */
  readonly bets: OwnLabels | null;
  readonly diagnostics: PolicyDiagnostics;
}

export interface RefusedPolicy extends Refusal {
  readonly status: 'refused';
  readonly policy: string;
  readonly diagnostics: PolicyDiagnostics;
}

export type PolicyResult = EstimatedPolicy | RefusedPolicy;

export interface CalibrationSummary extends CalibrationDiagnostics {
  readonly selected: 'monotone' | 'two-stage';
  readonly folds: number;
  /** Calibration curve: score against reward, at 101 points over [0, 1] (covariates at their median). */
  readonly curve: readonly (readonly [score: number, reward: number])[];
  /** γ̂, see `judgeVarianceScale`. */
  readonly judgeVarianceScale: number;
}

export interface EstimateResult {
  readonly config: EstimatorConfig;
  readonly calibration: CalibrationSummary | null;
  /** One a policy, in the order of the data's `policies`, then the one that wrote the log. */
  readonly policies: readonly PolicyResult[];
  /** The policy that wrote the log, where it is among them. */
  readonly logger?: string;
  readonly warnings: readonly string[];
}
