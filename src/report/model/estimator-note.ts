/** What an estimator does and why it heads the report, in its own words. */

import { ESTIMATORS } from '../../stats/index.ts';

/** One sentence for a reader who knows the field but not this report, without its subject; null for an unknown name. */
export function estimatorNote(estimator: string): string | null {
  return ESTIMATORS.find(estimator)?.note ?? null;
}

/** Estimators by how much of the evidence they use, the one to report first; others come after, as the data lists them. */
export const ESTIMATOR_PREFERENCE: readonly string[] = ESTIMATORS.leaders.map(({ name }) => name);

/** Whether an estimator is right whatever the judge does on a policy, and so leads where it estimates them all. */
export const needsNoJudge = (estimator: string): boolean =>
  ESTIMATORS.find(estimator)?.leads?.whateverTheJudgeDoes === true;

/** Whether an estimator takes the judge at its word, and labels have no part in it. */
export const readsNoLabel = (estimator: string): boolean => ESTIMATORS.find(estimator)?.needs.labels === 'none';

/** Whether labels correct what it says of a policy, beside or without a calibration. */
export const correctsByLabels = (estimator: string): boolean =>
  ESTIMATORS.find(estimator)?.needs.labels === 'correction';

/** Why an estimator leads the report. */
export function leadingReason(estimator: string): string {
  return (
    ESTIMATORS.find(estimator)?.leads?.because ?? 'It is the first ablation of the pipeline that gave an estimate.'
  );
}
