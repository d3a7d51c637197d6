/** What is said of batches: in notes, and in the failures of calls that they were to bring. */

import type { Submission } from '../core/batch.ts';
import type { BatchState } from '../core/batch-port.ts';
import type { TransientFailure } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { Problem } from '../core/problem.ts';
import type { Harvest } from './harvest-ledger.ts';

/** Ids that a message names. */
const NAMED = 3;

export const transient = (reason: TransientFailure['reason'], message: string): TransientFailure => ({
  class: 'transient',
  reason,
  message,
});

export const plural = (number: number, word: string, words = `${word}s`): string =>
  `${number} ${number === 1 ? word : words}`;

const some = (ids: readonly string[]): string =>
  `${ids.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ` and ${ids.length - NAMED} more` : ''}`;

export const nameOf = ({ id, batch, model }: Pick<Submission, 'id' | 'batch' | 'model'>): string =>
  `batch ${batch ?? id.slice(0, 8)} of ${model}`;

export const lostIn = (submission: Submission, lost: readonly Digest[]): TransientFailure =>
  transient(
    'lost_in_batch',
    `${nameOf(submission)} came back without ${lost.length} of its ${plural(submission.count, 'call')}: ${some(lost)}`,
  );

/** @param told what the provider says */
export function goneText(submission: Submission, lost: readonly Digest[], told: string): TransientFailure {
  const { count } = submission;
  const what =
    lost.length === count ? `its ${plural(count, 'call')}` : `${lost.length} of its ${plural(count, 'call')}`;
  return transient(
    'lost_in_batch',
    `the results of ${nameOf(submission)} are not at the provider any more, and with them ${what}: ${told}`,
  );
}

/** A batch that is out and is not waited for any longer. */
export const unreachable = (submission: Submission, why: string): Problem => ({
  id: 'CJE-BATCH-UNREACHABLE',
  headline: `${nameOf(submission)} is not waited for any longer: ${why}`,
  facts: [['its calls', `${submission.count}, which stay out`]],
  hint: `build again later, and it goes on; \`cje batch forget ${submission.id.slice(0, 8)}\` gives it up, and its calls are bought again`,
});

export function harvestText({ answers, failures, again, lost, meters }: Harvest): string {
  const cost = [...meters.values()].reduce((sum, meter) => sum + meter.cost, 0);
  const parts = [plural(answers, 'answer'), `$${cost.toFixed(4)}`];
  if (failures > 0) parts.push(`${failures} failed for good`);
  if (again.size > 0) parts.push(`${again.size} not answered`);
  if (lost.length > 0) parts.push(`${lost.length} lost`);
  return parts.join(', ');
}

/** What is odd about what came back, and changes nothing. */
export function oddities({ foreign, unreadable, conflicts, usage }: Harvest, state: BatchState): string[] {
  const told: string[] = [];
  if (foreign.length > 0) told.push(`${plural(foreign.length, 'row')} of ids that were not in it: ${some(foreign)}`);
  if (unreadable > 0) told.push(`${plural(unreadable, 'line')} could not be read`);
  if (conflicts.length > 0) {
    told.push(
      `${plural(conflicts.length, 'call')} came twice with different answers, the first is kept: ${some(conflicts)}`,
    );
  }
  const counted = state.usage;
  if (
    counted !== undefined &&
    (counted.inputTokens !== usage.inputTokens || counted.outputTokens !== usage.outputTokens)
  ) {
    const tokens = (all: typeof usage) => `${all.inputTokens} tokens in, ${all.outputTokens} out`;
    told.push(`it counts ${tokens(counted)}, and its answers sum to ${tokens(usage)}`);
  }
  return told;
}
