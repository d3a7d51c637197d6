/** Takes the build lock, or waits for it, or says who holds it. */

import { EXIT, type Problem, ProblemError } from '../../core/problem.ts';
import type { LockHolder, PipelineSettings, Store } from '../../core/storage.ts';
import { bookLeftBehind, closeAnswered } from '../../replies/intents.ts';
import type { Ports } from '../ports.ts';

export interface LockOptions {
  /** What the holder is called in other builds' messages. */
  readonly command: string;
  /** How this build reads its pipeline, for who looks at it meanwhile. */
  readonly settings?: PipelineSettings;
  /** Passes the time between two looks at a lock that another holds; absent: it is not waited for. */
  readonly pause?: () => Promise<void>;
  /** Aborted: stop waiting. */
  readonly interrupt: AbortSignal;
}

export type LockResult =
  | { readonly type: 'taken'; readonly waited: boolean }
  | { readonly type: 'held'; readonly holder: LockHolder }
  | { readonly type: 'interrupted' };

export async function takeLock(options: LockOptions, ports: Pick<Ports, 'store' | 'emit'>): Promise<LockResult> {
  let waitsFor: LockHolder | undefined;
  for (;;) {
    if (waitsFor !== undefined && options.interrupt.aborted) return { type: 'interrupted' };
    const lock = await ports.store.lock.acquire(options.command, options.settings);
    if (lock.ok) {
      if (lock.tookOver !== undefined) {
        ports.emit({ type: 'note', text: `took over the lock of a build that is gone (pid ${lock.tookOver.pid})` });
      }
      await tellLeftBehind(ports);
      return { type: 'taken', waited: waitsFor !== undefined };
    }
    const { holder } = lock;
    if (options.pause === undefined) return { type: 'held', holder };
    if (waitsFor?.pid !== holder.pid || waitsFor.since !== holder.since) {
      const since = new Date(holder.since).toISOString();
      ports.emit({
        type: 'note',
        text: `waiting for another build: pid ${holder.pid} on ${holder.host}, \`${holder.command}\`, since ${since}`,
      });
    }
    waitsFor = holder;
    await options.pause();
  }
}

/** Books what builds that are gone had under way, and says so once. */
async function tellLeftBehind({ store: { intents, calls }, emit }: Pick<Ports, 'store' | 'emit'>): Promise<void> {
  const left = await bookLeftBehind(intents, calls);
  if (left.length === 0) return;
  const reserved = left.reduce((sum, { intent }) => sum + intent.dollars, 0);
  const requests = left.length === 1 ? '1 request' : `${left.length} requests`;
  emit({
    type: 'note',
    // A full disk leaves the same behind, and leaves no room to say so.
    text: `an earlier build was killed, or its disk was full, with ${requests} under way: $${reserved.toFixed(4)} may have been billed and is booked as unknown`,
  });
}

export function lockedProblem(holder: LockHolder): Problem {
  return {
    id: 'CJE-LOCKED',
    headline: 'another build holds the lock',
    facts: [
      ['pid', String(holder.pid)],
      ['host', holder.host],
      ['command', holder.command],
      ['since', new Date(holder.since).toISOString()],
    ],
    hint:
      'wait for it to finish, or let this command wait with --wait; plan, status and show work meanwhile ' +
      '(a holder on another machine that is gone: `cje cache unlock`)',
  };
}

/** That somebody else holds the lock, for who cannot go on (exit 4). */
export const lockedError = (holder: LockHolder): ProblemError => new ProblemError(lockedProblem(holder), EXIT.locked);

/** Holds the lock of a cache folder for the time of some work. @throws ProblemError where somebody else holds it */
export async function withLock<T>(
  { lock, intents, calls }: Pick<Store, 'lock' | 'intents' | 'calls'>,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const taken = await lock.acquire(command);
  if (!taken.ok) throw lockedError(taken.holder);
  try {
    // The work may remove answers, which tell what tries of builds that are gone came to.
    await closeAnswered(intents, calls);
    return await work();
  } finally {
    await lock.release();
  }
}
