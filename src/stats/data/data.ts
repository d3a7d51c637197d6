import { lazily } from '../numeric/lazily.ts';
import { sortedOrder } from '../numeric/moments.ts';

/** What the estimators read: columns of numbers, one entry a row. NaN means missing throughout. */

/** Responses of the logging policy. All columns have N entries. */
export interface LoggedRows {
  /** Non-empty; rows that share an id are one cluster. */
  readonly promptIds: readonly string[];
  /** Judge's mean score on [0, 1]. */
  readonly judgeScores: Float64Array;
  /** Judge's own variance of that score, ≥ 0; 0 for a deterministic judge. */
  readonly judgeVariances: Float64Array;
  /** Oracle labels on [0, 1]; NaN where the row was not labelled. */
  readonly oracleLabels: Float64Array;
  /** Probability with which each row was chosen for a label; absent where it is not known, and the same for all. */
  readonly labelPropensities?: Float64Array;
  /** log π₀(response | prompt), natural log, summed over tokens, ≤ 0. */
  readonly baseLogprobs: Float64Array;
  /** Whitespace-separated words of the response. */
  readonly responseLengths: Float64Array;
  /** log π′(response | prompt) of each target policy, ≤ 0. */
  readonly targetLogprobs: ReadonlyMap<string, Float64Array>;
}

/** A target policy's own responses to logged prompts. All columns have M entries, in any order. */
export interface FreshDraws {
  readonly promptIds: readonly string[];
  /** 0, 1, … within a prompt. */
  readonly drawIndexes: Int32Array;
  readonly judgeScores: Float64Array;
  readonly judgeVariances: Float64Array;
  readonly oracleLabels: Float64Array;
  readonly labelPropensities?: Float64Array;
  readonly responseLengths: Float64Array;
}

/** One evaluation: the log, and fresh draws where a policy has them. Results come in the order of `policies`. */
export interface EvaluationData {
  readonly logged: LoggedRows;
  readonly policies: readonly string[];
  readonly freshDraws: ReadonlyMap<string, FreshDraws>;
  /** Labelled responses of whoever, by the same judge, that teach the calibration beside the log's, and are nothing else. */
  readonly calibrationSet?: FreshDraws;
  /** Labelled responses of a policy that enter no fit and no estimate; the calibration is held against them. */
  readonly probes?: ReadonlyMap<string, FreshDraws>;
  /**
   * Who wrote the log, where that policy is to be estimated too, after the others: by the log's own rows, on which every
   * weight is 1.
   */
  readonly logger?: string;
  /**
   * There was no log, so the fresh draws of all policies stand in for it, without log probabilities. A calibration fitted on
   * them is held against the same labels, so that is done out of fold.
   */
  readonly pooled?: boolean;
}

/** A covariate of the reward calibration beside the judge score. */
export type Covariate = 'response_length';

/** The columns a reward calibration predicts from. */
export interface ScoreInputs {
  readonly scores: Float64Array;
  /** Rows in ascending order of score: many fits predict the same rows, so they are sorted once. */
  readonly order: Int32Array;
  readonly covariates: readonly Float64Array[];
}

/** The calibration's inputs of logged rows or fresh draws. */
export function scoreInputs(
  rows: Pick<LoggedRows, 'judgeScores' | 'responseLengths'>,
  covariates: readonly Covariate[],
): ScoreInputs {
  return inputsOf(
    rows.judgeScores,
    covariates.map(() => rows.responseLengths),
  );
}

/** Calibration inputs of the given columns. */
export function inputsOf(scores: Float64Array, covariates: readonly Float64Array[]): ScoreInputs {
  const order = lazily(() => sortedOrder(scores));
  return {
    scores,
    covariates,
    get order() {
      return order();
    },
  };
}
