/** What an account's Redis says of its tills, its books and its queue. */

import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CALLS_QUEUE, queuePrefix } from './chunk.ts';
import { accountPrefix, type Books, readBooks } from './ledger.ts';
import { Roster, type Seen, type TillAbout } from './roster.ts';

interface TillStatus extends Omit<Seen<TillAbout>, 'id'> {
  readonly till: string;
  /** Others stand by. */
  readonly open: boolean;
}

interface ClusterStatus {
  readonly books: Books;
  readonly tills: readonly TillStatus[];
  /** Chunks of calls. */
  readonly waiting: number;
  readonly active: number;
  /** Answers that were bought and are nowhere in reach. */
  readonly missing: number;
}

export async function clusterStatus(redis: Redis, account: string): Promise<ClusterStatus> {
  const queue = new Queue(CALLS_QUEUE, { connection: redis, prefix: queuePrefix(account) });
  const [counts, tills, open, missing] = await Promise.all([
    queue.getJobCounts('waiting', 'active'),
    new Roster(redis, account).read('tills'),
    redis.get(`${accountPrefix(account)}till`),
    redis.hlen(`${accountPrefix(account)}missing`),
  ]);
  return {
    books: await readBooks(redis, account),
    tills: tills.map(({ id, ...seen }) => ({ till: id, ...seen, open: id === open })),
    waiting: counts.waiting ?? 0,
    active: counts.active ?? 0,
    missing,
  };
}
