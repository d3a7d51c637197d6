/** Holds the lock of a cache folder for the time of some work. */

import { EXIT, ProblemError } from '../core/problem.ts';
import { lockedProblem } from '../engine/build/lock.ts';
import type { LocalStore } from '../store/store.ts';

/** @throws ProblemError where somebody else holds it (exit 4) */
export async function withLock<T>(
  { lock }: Pick<LocalStore, 'lock'>,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const taken = await lock.acquire(command);
  if (!taken.ok) throw new ProblemError(lockedProblem(taken.holder), EXIT.locked);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
