/** Batches for people. */

import type { Submission } from '../core/batch.ts';
import type { CallMeter } from '../replies/source.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';

/** @param now milliseconds since the epoch */
export function batchesText(out: readonly Submission[], now: number): string {
  if (out.length === 0) return 'No batch is out.\n';
  const rows = out.map(({ id, batch, model, count: calls, dollars: reserved, at, state, status, cancelling }) => [
    id.slice(0, 8),
    printable(batch ?? '–'),
    printable(model),
    count(calls),
    printable(cancelling ? 'cancelling' : (status ?? state)),
    duration(now - at),
    dollars(reserved),
  ]);
  const header = ['batch', 'at the provider', 'model', 'calls', 'state', 'since', 'reserved'];
  const drawn = table([header, ...rows], { align: ['left', 'left', 'left', 'right', 'left', 'right', 'right'] });
  return `${drawn}\n${outText(out)}\n`;
}

/** One line: how many are out, and what is set aside for them. */
export function outText(out: readonly Submission[]): string {
  const calls = out.reduce((sum, submission) => sum + submission.count, 0);
  const reserved = out.reduce((sum, submission) => sum + submission.dollars, 0);
  return `${counted(out.length, 'batch', 'batches')} out with ${counted(calls, 'call')}; ${dollars(reserved)} reserved at most.`;
}

export function harvestText({ bought, failed, cost, unknown }: CallMeter): string {
  if (bought === 0 && failed === 0 && cost === 0 && unknown === 0) return '';
  const doubt = unknown === 0 ? '' : `; ${dollars(unknown)} may have been billed and is booked as unknown`;
  return `${counted(bought, 'reply', 'replies')} came back, ${count(failed)} failed for good: ${dollars(cost)} billed${doubt}.\n`;
}
