/** The queue of work in Redis, by BullMQ: durable, and what a dead worker had in hand goes to another. */

import { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { FollowedQueue } from '../cluster/followed-queue.ts';
import { endOf } from '../cluster/job-end.ts';
import { type BuildAbout, Roster, type Seen, type WorkerAbout } from '../cluster/roster.ts';
import type { Json } from '../core/json.ts';
import { readOutcome, type WorkJob, type WorkOutcome } from './job.ts';
import { moveOf } from './job-progress.ts';
import type { JobEnd, JobMove, WorkQueue } from './queue.ts';

/** Seconds for which Redis keeps how a job ended: another build may want the same, and one that was killed. */
const KEPT = 600;
/** How often a job is tried where a worker could not, before the build does it. */
const ATTEMPTS = 3;
const BACK_OFF = 1_000;
const UNREADABLE = 'what came back is no outcome that this version of cje understands';

/** Workers of other code are on other queues. */
export const queueName = (code: string): string => `work-${code}`;

/** BullMQ takes a plain number for an id of its own. */
const jobId = (id: string): string => `w-${id}`;

interface BullQueueParts {
  readonly redis: Redis;
  readonly account: string;
  /** How this build is called among those that have work. */
  readonly id: string;
  readonly about: BuildAbout;
}

interface Running {
  readonly id: string;
  over: boolean;
  readonly end: (how: JobEnd) => void;
}

export class BullWorkQueue implements WorkQueue {
  readonly #parts: BullQueueParts;
  readonly #followed: FollowedQueue<WorkJob, WorkOutcome>;
  readonly #roster: Roster;
  readonly #running = new Set<Running>();

  constructor(parts: BullQueueParts) {
    const { redis, account, about } = parts;
    this.#parts = parts;
    this.#followed = new FollowedQueue(redis, {
      account,
      name: queueName(about.code),
      defaultJobOptions: {
        attempts: ATTEMPTS,
        backoff: { type: 'exponential', delay: BACK_OFF },
        removeOnComplete: { age: KEPT },
        removeOnFail: { age: KEPT },
      },
      onGone: () => {
        for (const running of this.#running) this.#end(running, { type: 'gone' });
      },
    });
    this.#roster = new Roster(redis, account);
  }

  run(id: string, job: WorkJob): Promise<JobEnd> {
    if (this.#followed.isGone) return Promise.resolve({ type: 'gone' });
    return new Promise((resolve, reject) => {
      const running: Running = { id, over: false, end: resolve };
      this.#running.add(running);
      this.#follow(running, job).then((how) => this.#end(running, how), reject);
    });
  }

  #end(running: Running, how: JobEnd): void {
    running.over = true;
    this.#running.delete(running);
    running.end(how);
  }

  async #follow(running: Running, job: WorkJob): Promise<JobEnd> {
    while (!running.over) {
      const added = await this.#followed.queue.add('work', job, { jobId: jobId(running.id) });
      const ended = await endOf(added, this.#followed.events);
      if (ended.type === 'done') return readOutcome(ended.value) ?? { type: 'refused', reason: UNREADABLE };
      if (ended.type === 'failed') {
        await this.forget(running.id);
        return ended;
      }
      // Another build has taken it back, or Redis has lost it.
    }
    return { type: 'withdrawn' };
  }

  async withdraw(id: string): Promise<boolean> {
    if (this.#followed.isGone) return false;
    const job = await this.#job(id);
    // One that is in hand is locked.
    const removed = job !== undefined && (await job.getState()) !== 'completed' && (await succeeds(job.remove()));
    if (removed) for (const each of this.#running) if (each.id === id) this.#end(each, { type: 'withdrawn' });
    return removed;
  }

  async forget(id: string): Promise<void> {
    await succeeds((await this.#job(id))?.remove() ?? Promise.resolve());
  }

  #job(id: string): Promise<Job<WorkJob, WorkOutcome> | undefined> {
    return Job.fromId<WorkJob, WorkOutcome>(this.#followed.queue, jobId(id));
  }

  async workers(): Promise<readonly Seen<WorkerAbout>[]> {
    if (this.#followed.isGone) return [];
    await this.#roster.beat('builds', this.#parts.id, this.#parts.about);
    return this.#roster.read('workers');
  }

  onMove(listener: (move: JobMove) => void): void {
    const idOf = (job: string) => job.slice(jobId('').length);
    this.#followed.events.on('stalled', (event) =>
      listener({ type: 'returned', id: idOf(event.jobId), reason: 'worker-gone' }),
    );
    this.#followed.events.on('delayed', (event) =>
      listener({ type: 'returned', id: idOf(event.jobId), reason: 'failed' }),
    );
    this.#followed.events.on('progress', (event) => {
      const move = moveOf(idOf(event.jobId), event.data as Json);
      if (move !== undefined) listener(move);
    });
  }

  close(): Promise<void> {
    return this.#followed.close(() => this.#roster.leave('builds', this.#parts.id));
  }
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
