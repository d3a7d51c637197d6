/** The joined rows of a dataset node: what estimators read. */

/** A row of `dataset/{scorer}`: one of the logger's responses. Null means missing. */
export type LoggedRow = {
  readonly prompt_id: string;
  readonly judge_score: number | null;
  readonly judge_variance: number | null;
  /** Calibration label. */
  readonly oracle_label: number | null;
  /** Probability with which the row was chosen for a label; absent where it is not known. */
  readonly label_propensity?: number;
  /** Nats, under the logger itself. */
  readonly base_logprob: number | null;
  /** Nats, under each target policy. */
  readonly target_logprobs: Readonly<Record<string, number | null>>;
  readonly response_words: number | null;
};

/** A row of `fresh.jsonl`: one of a target policy's own responses. */
export type FreshRow = {
  readonly policy: string;
  readonly prompt_id: string;
  readonly judge_score: number | null;
  readonly judge_variance: number | null;
  /** Validation label. */
  readonly oracle_label: number | null;
  readonly label_propensity?: number;
  readonly response_words: number | null;
  /** Which of the policy's draws for this prompt; 0 where there is one. */
  readonly draw_index?: number;
  /** Of labelled rows that are no draws to estimate from: what alone reads them, the audit of the calibration or its fit. */
  readonly part?: 'probe' | 'calibration';
};

/** A row of an import's `texts.jsonl`: what stood beside the numbers, as far as the files had it. No estimator reads it. */
export type TextRow = {
  readonly policy: string;
  readonly prompt_id: string;
  readonly prompt: string | null;
  readonly response: string | null;
  /** The judge's reasons. */
  readonly rationale?: string;
  /** Further columns that the pipeline keeps. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Absent in the log, where draws have no number. */
  readonly draw_index?: number;
};

/** The file of an import's texts. */
export const TEXTS = 'texts.jsonl';
/** The file of a dataset's fresh draws. */
export const FRESH = 'fresh.jsonl';
/** The file of a dataset's quality summary. */
export const QUALITY = 'quality.json';
/** The file of an estimate's paired comparisons. */
export const COMPARISONS = 'comparisons.json';
