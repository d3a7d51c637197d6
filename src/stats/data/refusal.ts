/** Why a number is withheld. A new code must be added here, and nowhere else is a code spelled out as a type. */
export type RefusalCode =
  | 'bad-input'
  | 'scores-out-of-scale'
  | 'missing-judge-scores'
  | 'missing-covariate'
  | 'no-oracle-labels'
  | 'too-few-oracle-labels'
  | 'too-few-own-labels'
  | 'labels-not-random'
  | 'uninformative-judge'
  | 'too-few-rows'
  | 'no-log-probabilities'
  | 'mean-raw-weight'
  | 'low-effective-sample-size'
  | 'heavy-tail'
  | 'stabilisation-bias'
  | 'no-fresh-draws'
  | 'missing-fresh-draws'
  | 'outside-calibration-range'
  | 'low-label-support'
  | 'transport-failed'
  | 'not-finite';

/** A refusal is a result: what is wrong, in numbers, and what would mend it. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly whatToCollect: string;
}

export function refusal(code: RefusalCode, message: string, whatToCollect: string): Refusal {
  return { code, message, whatToCollect };
}

/** "3, 17, 29 and 12 more": the first five row numbers (from 0) of a longer list. */
export function firstFew(items: readonly (string | number)[]): string {
  const shown = items.slice(0, 5).join(', ');
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown;
}
