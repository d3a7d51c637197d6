/** What is said of batches: in notes, and in the failures of calls that they were to bring. */

import type { BatchState } from '../core/batch-port.ts';
import type { TransientFailure } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { Harvest } from './batch-harvest.ts';

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

export const lostIn = (name: string, count: number, lost: readonly Digest[]): TransientFailure =>
  transient('lost_in_batch', `${name} came back without ${lost.length} of its ${plural(count, 'call')}: ${some(lost)}`);

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
