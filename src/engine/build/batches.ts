/** Batches that are out, looked after without a build: waited for, taken in, found again, or cancelled. */

import type { Submission } from '../../core/batch.ts';
import type { Digest } from '../../core/digest.ts';
import { ProblemError } from '../../core/problem.ts';
import type { LockHolder } from '../../core/storage.ts';
import { batchesOf } from '../../replies/chain.ts';
import type { CallMeter } from '../../replies/source.ts';
import { chainPorts, type Ports } from '../ports.ts';
import { takeLock } from './lock.ts';

/**
 * `harvest`: one look at each. `wait`: until all are back. `cancel`: their end is asked for, then waited for. `forget`:
 * they are given up, unless a last look brings them in.
 */
export type BatchCare =
  | { readonly type: 'harvest' | 'wait' }
  | { readonly type: 'cancel' | 'forget'; readonly ids: readonly Digest[] };

interface BatchCareOptions {
  readonly care: BatchCare;
  /** For the lock, so that a build can say who holds it. */
  readonly command: string;
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
}

type BatchCareOutcome =
  | { readonly type: 'held'; readonly holder: LockHolder }
  | { readonly type: 'interrupted' }
  | {
      readonly type: 'done';
      readonly out: readonly Submission[];
      readonly harvest: CallMeter;
      /** Why calls have to be bought again. */
      readonly losses: readonly string[];
    };

export async function careForBatches(
  { care, command, interrupt, kill }: BatchCareOptions,
  ports: Ports,
): Promise<BatchCareOutcome> {
  const lock = await takeLock({ command, interrupt }, ports);
  if (lock.type !== 'taken') return lock;
  try {
    const limits = { maxCost: undefined, maxCalls: undefined, unapprovedCost: undefined };
    const manner =
      care.type === 'wait' || care.type === 'cancel'
        ? ({ type: 'stay', until: undefined } as const)
        : ({ type: 'leave' } as const);
    const batches = { laneOf: () => 'online' as const, manner };
    const lane = batchesOf(chainPorts({ limits, jobs: 1, interrupt, kill, batches }, ports));
    if (lane === undefined) throw new Error('Internal error: a session without batches');
    await lane.open();
    if (care.type === 'cancel') await lane.cancel(care.ids);
    if (care.type === 'forget') await lane.giveUp(care.ids);
    const isAwaited = () =>
      care.type === 'wait' || (care.type === 'cancel' && lane.out.some(({ id }) => care.ids.includes(id)));
    while (isAwaited() && (await lane.turn()) === 'again');
    return { type: 'done', out: lane.out, harvest: lane.harvest, losses: lane.losses };
  } finally {
    await ports.store.lock.release();
  }
}

/** The batches that names mean, each by the beginning of its id or by the provider's own. @throws ProblemError */
export function namedBatches(all: readonly Submission[], names: readonly string[]): readonly Submission[] {
  return names.map((name) => {
    const found = all.filter(({ id, batch }) => batch === name || id.startsWith(name));
    const [one] = found;
    if (one !== undefined && found.length === 1) return one;
    throw new ProblemError({
      id: 'CJE-UNKNOWN-BATCH',
      headline: found.length === 0 ? `no batch that is out is called ${name}` : `several batches begin with ${name}`,
      hint: '`cje batch list` names those that are out',
    });
  });
}
