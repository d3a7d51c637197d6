/** A till at work: takes chunks of calls from the queue, and is heard of while it does. */

import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Problem } from '../core/problem.ts';
import { CALLS_QUEUE, type CallAnswer, type CallRetry, CHUNK, type Chunk, queuePrefix } from './chunk.ts';
import type { Ledger } from './ledger.ts';
import { losses } from './losses.ts';
import type { Roster, TillAbout } from './roster.ts';
import { Till, type TillParts } from './till.ts';

interface RunParts extends TillParts {
  readonly redis: Redis;
  readonly account: string;
  readonly ledger: Ledger;
  readonly roster: Roster;
  /** Milliseconds after which a till that says nothing counts as dead. */
  readonly lease: number;
  readonly about: TillAbout;
  readonly note: (text: string) => void;
  readonly problem: (problem: Problem) => void;
}

/** Buys until it is interrupted, or another till has taken its place. */
export async function runTill(parts: RunParts): Promise<void> {
  const { redis, account, ledger, roster, owner, lease, about, clock, interrupt, note, concurrency } = parts;
  const till = new Till(parts);
  await till.takeHeld();
  const most = [...concurrency.values()].reduce((sum, each) => sum + each, 0);
  // The worker waits on a connection of its own, which it does not end by itself.
  const connection = redis.duplicate();
  const worker = new Worker<Chunk, readonly CallAnswer[]>(
    CALLS_QUEUE,
    (job) => till.chunk(job.data, toldThrough(job)),
    {
      connection,
      prefix: queuePrefix(account),
      concurrency: Math.max(2, Math.ceil((2 * most) / CHUNK)),
      lockDuration: Math.max(1_000, Math.floor(lease / 4)),
      stalledInterval: Math.max(500, Math.floor(lease / 8)),
      // A chunk is taken up again however often tills die with it: the ledger knows what was sent.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    },
  );
  const { tell, end } = losses({
    note,
    problem: parts.problem,
    without: 'nothing is bought',
    takenOver: 'what it finishes is kept, and its open tries are booked as unknown',
  });
  worker.on('error', tell);
  worker.on('failed', (_, error) => note(`a chunk of calls failed: ${error.message}`));
  connection.on('ready', end);
  const given = new AbortController();
  const giving = till.outbox?.run(given.signal).catch(tell);
  let isOpen = true;
  let beating: Promise<void> = Promise.resolve();
  const beat = async () => {
    ({ isOpen } = await ledger.beat(owner, [...till.open]));
    await roster.beat('tills', owner, about);
    const lapsed = await ledger.lapse();
    if (lapsed > 0) note(`${lapsed} calls of a till that is gone were booked as unknown: they may have been billed`);
  };
  try {
    while (!interrupt.aborted && isOpen) {
      // Redis may be gone for long; that is told, and no heart waits for it.
      beating = beat().catch(tell);
      await clock.sleep(lease / 4, interrupt);
    }
    if (!isOpen) note('nothing was heard of this till for a lease, and another is open: what is in hand is finished');
    // The heart beats on for what is still in flight.
    const ended = new AbortController();
    const closing = worker.close().finally(() => ended.abort());
    while (!ended.signal.aborted) {
      await clock.sleep(lease / 4, ended.signal);
      if (!ended.signal.aborted) beating = beat().catch(() => {});
    }
    await closing;
  } finally {
    given.abort();
    if (redis.status === 'ready') {
      await giving;
      await beating;
      await Promise.all([ledger.leave(owner), roster.leave('tills', owner)]).catch(() => {});
    }
    connection.disconnect();
  }
}

/** Tells the build that asked, as it happens. Where Redis is gone nobody hears it, and nothing is lost. */
function toldThrough(job: Job<Chunk>): (retry: CallRetry) => void {
  return (retry) => void job.updateProgress(retry).catch(() => {});
}
