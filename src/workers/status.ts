/** What an account's Redis says of its workers, and of the work that waits for them. */

import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { queuePrefix } from '../cluster/chunk.ts';
import { Roster, type Seen, type WorkerAbout } from '../cluster/roster.ts';
import { queueName } from './bull-queue.ts';

interface WorkStatus {
  readonly workers: readonly (Omit<Seen<WorkerAbout>, 'id'> & { readonly worker: string })[];
  /** By the code that its workers must have. */
  readonly work: readonly { readonly code: string; readonly waiting: number; readonly inHand: number }[];
}

export async function workStatus(redis: Redis, account: string): Promise<WorkStatus> {
  const roster = new Roster(redis, account);
  const [workers, builds] = await Promise.all([roster.read('workers'), roster.read('builds')]);
  const codes = [...new Set([...workers, ...builds].map(({ code }) => code))].sort();
  const work = await Promise.all(
    codes.map(async (code) => {
      const queue = new Queue(queueName(code), { connection: redis, prefix: queuePrefix(account) });
      const counts = await queue.getJobCounts('waiting', 'delayed', 'active');
      return { code, waiting: (counts.waiting ?? 0) + (counts.delayed ?? 0), inHand: counts.active ?? 0 };
    }),
  );
  return { workers: workers.map(({ id, ...seen }) => ({ worker: id, ...seen })), work };
}
