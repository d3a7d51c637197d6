/** How a job on a queue ended. Events may be lost, so the job itself is looked at now and then. */

import type { Job, QueueEvents } from 'bullmq';

/** Milliseconds after which a job is looked at, although nobody said that it has ended. */
const LOOK_AGAIN = 30_000;

type JobEnd<T> =
  | { readonly type: 'done'; readonly value: T }
  | { readonly type: 'failed'; readonly reason: string }
  /** Redis has lost it, or somebody took it back. */
  | { readonly type: 'lost' };

export async function endOf<T>(
  job: Pick<Job<unknown, T>, 'waitUntilFinished' | 'getState'>,
  events: QueueEvents,
): Promise<JobEnd<T>> {
  for (;;) {
    try {
      return { type: 'done', value: await job.waitUntilFinished(events, LOOK_AGAIN) };
    } catch (error) {
      const state = await job.getState();
      if (state === 'failed') {
        return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
      }
      if (state === 'unknown') return { type: 'lost' };
    }
  }
}
