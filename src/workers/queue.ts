/** A queue of work as a build sees it. Redis carries the real one; tests have one in memory. */

import type { Seen, WorkerAbout } from '../cluster/roster.ts';
import type { WorkJob, WorkOutcome } from './job.ts';

export type JobEnd =
  | WorkOutcome
  /** Nobody could do it: workers died with it again and again, or the shared cache was out of their reach. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'withdrawn' }
  /** The queue itself is out of reach. */
  | { readonly type: 'gone' };

/** What workers say of jobs in between. */
export type JobMove =
  | { readonly type: 'taken'; readonly id: string; readonly worker: string }
  /** It came back, to be taken again. */
  | { readonly type: 'returned'; readonly id: string; readonly reason: ReturnReason };

/** `worker-gone`: its worker said nothing for a lease. `given-back`: its worker was told to end. `failed`: not this time. */
type ReturnReason = 'worker-gone' | 'given-back' | 'failed';

export interface WorkQueue {
  /** Puts a job there and waits for its end. A job of that id that is there already, whoever put it, is the same work. */
  run(id: string, job: WorkJob): Promise<JobEnd>;
  /** Takes back a job that no worker has in hand; its `run` ends as withdrawn. */
  withdraw(id: string): Promise<boolean>;
  /** Forgets how a job ended, so that it can be asked for again. */
  forget(id: string): Promise<void>;
  /** Everybody who was heard of lately, of whatever code. */
  workers(): Promise<readonly Seen<WorkerAbout>[]>;
  onMove(listener: (move: JobMove) => void): void;
  close(): Promise<void>;
}
