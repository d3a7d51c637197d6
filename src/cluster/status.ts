/** What an account's Redis says of its tills, its books and its queue. */

import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CALLS_QUEUE, queuePrefix } from './chunk.ts';
import { accountPrefix, type Books, readBooks } from './ledger.ts';

interface TillStatus {
  readonly till: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Since its last heartbeat, by Redis' clock. */
  readonly seconds: number;
}

interface ClusterStatus {
  readonly books: Books;
  readonly tills: readonly TillStatus[];
  /** Chunks of calls. */
  readonly waiting: number;
  readonly active: number;
}

export async function clusterStatus(redis: Redis, account: string): Promise<ClusterStatus> {
  const queue = new Queue(CALLS_QUEUE, { connection: redis, prefix: queuePrefix(account) });
  const [counts, tills, [seconds]] = await Promise.all([
    queue.getJobCounts('waiting', 'active'),
    redis.hgetall(`${accountPrefix(account)}tills`),
    redis.time(),
  ]);
  const now = Number(seconds) * 1000;
  return {
    books: await readBooks(redis, account),
    tills: Object.entries(tills).map(([till, text]) => {
      const { host, pid, version, at } = JSON.parse(text) as Omit<TillStatus, 'seconds' | 'till'> & { at: number };
      return { till, host, pid, version, seconds: Math.max(0, Math.round((now - at) / 1000)) };
    }),
    waiting: counts.waiting ?? 0,
    active: counts.active ?? 0,
  };
}
