import type { ClusteredVariance } from '../data/clustering.ts';
import type { Orthogonality } from '../diagnostics/orthogonality.ts';
import type { FreshView, LoggedView } from './policy-view.ts';
import type { Study } from './study.ts';

/** What an estimator computes before intervals and gates: the same shape for all, so that inference is written once. */
export interface Computation {
  readonly estimate: number;
  /** Influence values of the estimate, mean zero, one a row (a logged row, or a fresh draw for Direct). */
  readonly influence: Float64Array;
  /** The prompt of each influence value. */
  readonly promptIds: readonly string[];
  readonly sampling: ClusteredVariance;
  /** The interval uses the normal quantile whatever the degrees of freedom (parity with the library's SNIPS). */
  readonly normalInterval: boolean;
  /** Influence values are products of raw weights, so skewed that a symmetric interval misses: correct it. */
  readonly skewed: boolean;
  /** ψ^(−k): the estimate with the reward calibration that lacks fold k; null without oracle uncertainty. */
  readonly leaveOneOut: Float64Array | null;
  /** Variance that the judge's own score variance would add, in squared label units. */
  readonly judgeVariance: number;
  /** Mean-one weights in use; null for estimators without weights. */
  readonly weights: Float64Array | null;
  readonly orthogonality: Orthogonality | null;
  /** Mean of the outcome model over fresh draws, and mean weighted residual; null for other families. */
  readonly parts: { readonly outcome: number; readonly correction: number } | null;
  /** Mixture of a stacked estimate. */
  readonly mixture: Readonly<Record<string, number>> | null;
  /** How far the estimate is from the one with the raw self-normalised weights, where stabilised ones replace them outright. */
  readonly stabilisation: Stabilisation | null;
  /** The labels that correct the estimate, where they do. */
  readonly corrected: Corrected | null;
  /** The labels that the interval is bets on; null for a normal one. */
  readonly bets: OwnLabels | null;
  /** Kish's effective number of the logged labels that the estimate is corrected by; null where it is not. */
  readonly effectiveLabels: number | null;
  /** The same of labels that stand for the policy by their weights; null where none do. */
  readonly weightedLabels: number | null;
}

/** What stabilised weights have moved an estimate by. */
export interface Stabilisation {
  readonly shift: number;
  /** Of the shift, one a row as of the estimate. */
  readonly influence: Float64Array;
}

/** Labels of a policy's own responses, one entry each. */
export interface OwnLabels {
  readonly promptIds: readonly string[];
  readonly labels: Float64Array;
  /** In proportion to 1/π; null for equal weights. */
  readonly weights: Float64Array | null;
  /** Of the order in which they are taken. */
  readonly seed: number;
}

/** Labels that an estimate is corrected by: it adds their (weighted) mean residual to a mean prediction. */
export interface Corrected {
  readonly promptIds: readonly string[];
  readonly labels: Float64Array;
  /** Label minus prediction. */
  readonly residuals: Float64Array;
  /** Null for equal weights. */
  readonly weights: Float64Array | null;
  /** Kish's number of independent labels: prompts, by the weight that each has. */
  readonly effective: number;
  readonly meanPrediction: number;
  /** Sampling variance of the mean prediction alone. */
  readonly predictionVariance: number;
}

/** What an estimator may read about one policy; members it did not ask for are null. */
export interface PolicyInput {
  readonly study: Study;
  readonly policy: string;
  readonly logged: LoggedView | null;
  readonly fresh: FreshView | null;
}

/** The parts that most computations leave out. */
export const NO_EXTRAS = {
  normalInterval: false,
  skewed: false,
  leaveOneOut: null,
  judgeVariance: 0,
  weights: null,
  orthogonality: null,
  parts: null,
  mixture: null,
  stabilisation: null,
  effectiveLabels: null,
  weightedLabels: null,
  corrected: null,
  bets: null,
} as const;
