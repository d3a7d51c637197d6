/** A queue in Redis for whoever puts jobs there and waits for their end, and what becomes of it when Redis goes away. */

import { Queue, QueueEvents, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { queuePrefix } from './chunk.ts';
import { whenGone } from './connect.ts';

/** Milliseconds without Redis after which nothing is expected of it. */
const GONE = 5_000;

interface FollowedQueueOptions extends Pick<QueueOptions, 'defaultJobOptions' | 'streams'> {
  readonly account: string;
  readonly name: string;
  /** Told once where Redis has gone for long. */
  readonly onGone: () => void;
}

export class FollowedQueue<Data, Result> {
  readonly queue: Queue<Data, Result>;
  readonly events: QueueEvents;
  readonly #redis: Redis;
  /** Events are waited for on a connection of their own. */
  readonly #listening: Redis;
  readonly #stopWatching: () => void;
  #isGone = false;

  /** @param redis is closed with the queue */
  constructor(redis: Redis, { account, name, onGone, ...options }: FollowedQueueOptions) {
    this.#redis = redis;
    this.#listening = redis.duplicate();
    const prefix = queuePrefix(account);
    this.queue = new Queue(name, { ...options, prefix, connection: redis });
    this.events = new QueueEvents(name, { prefix, connection: this.#listening });
    this.queue.setMaxListeners(0);
    this.events.setMaxListeners(0);
    // A lost connection is told by `whenGone`; without a listener it would end the process.
    this.queue.on('error', () => {});
    this.events.on('error', () => {});
    this.#stopWatching = whenGone(redis, GONE, () => {
      this.#isGone = true;
      onGone();
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** @param farewell what is to be said in Redis before */
  async close(farewell: () => Promise<unknown> = async () => {}): Promise<void> {
    this.#stopWatching();
    // Without Redis nothing answers a farewell, and what is not told to close would go on asking for it.
    if (!this.#isGone) await farewell().catch(() => {});
    const closing = Promise.all([this.events.close(), this.queue.close()]).catch(() => {});
    if (!this.#isGone) await closing;
    this.#listening.disconnect();
    this.#redis.disconnect();
  }
}
