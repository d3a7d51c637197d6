/** The transport audit in words: whether the calibration learnt on the logger holds on each policy's own labels. */

import type { DatasetQuality, TransportResult } from '../../datasets/results.ts';
import type { ReportData } from './data.ts';

/** Also the gravity in which states are told, gravest first. */
const STATES: Readonly<Record<TransportResult['state'], string>> = {
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  'not-checked': 'NOT_CHECKED',
  'not-graded': 'NOT_GRADED',
  pass: 'PASS',
};

export const transportState = ({ state }: TransportResult): string => STATES[state];

/** How to read the states. Without a log the calibration is everybody's, and what is audited is left out of its fit. */
export const transportNote = ({ logger }: Pick<DatasetQuality, 'logger'>): string =>
  logger === null
    ? `The calibration is learnt on labels of all policies; the audit holds it against each policy’s own, out of fold. ${STATES_TOLD}`
    : `The calibration is learnt on the logged policy’s labels; the audit holds it against each target policy’s own. ${STATES_TOLD}`;

const STATES_TOLD =
  'PASS: its mean error is within the margin for certain. FAIL: outside for certain, so estimates that rest on it are refused. INCONCLUSIVE: too few labels to tell; a policy without bias would pass four times out of five with about as many as are told.';

/** `FAIL pi_bad · PASS pi_clone, pi_cot`; empty where nothing was audited. */
export function transportSummary(results: readonly TransportResult[], name: (policy: string) => string): string {
  return Object.keys(STATES)
    .flatMap((state) => {
      const policies = results
        .filter((result) => result.state === state)
        .map(({ policy, labels, labelsToPass }) =>
          state === 'inconclusive' && labelsToPass !== null
            ? `${name(policy)} (${labels} of about ${labelsToPass} labels)`
            : name(policy),
        );
      return policies.length === 0 ? [] : [`${STATES[state as TransportResult['state']]} ${policies.join(', ')}`];
    })
    .join(' · ');
}

/** Audits of every scorer that has any. */
export function transportAudits({ quality }: ReportData) {
  return quality
    .filter(({ transport }) => transport.length > 0)
    .map(({ scorer, logger, transport }) => ({ scorer, logger, results: transport }));
}
