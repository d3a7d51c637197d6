/** A batch that is out, and when it is to be looked at again, or asked to end again. */

import type { BatchSettings, Submission } from '../core/batch.ts';

/** Milliseconds between two looks at a batch, at most. */
export const LONGEST_WAIT = 300_000;
/** By how much each wait is longer than the one before. */
export const SLOWER = 1.5;

type Pace = Pick<BatchSettings, 'pollSeconds'>;

export class LiveBatch {
  submission: Submission;
  /** When it is to be looked at next; milliseconds. */
  lookAt = 0;
  /** Before this it is not to be asked to end. */
  cancelAt = 0;
  #wait = 0;

  constructor(submission: Submission) {
    this.submission = submission;
  }

  /** @param asked milliseconds that the provider asks for */
  lookLater({ pollSeconds }: Pace, now: number, asked?: number): void {
    const first = pollSeconds * 1000;
    this.#wait = this.#wait === 0 ? first : Math.min(this.#wait * SLOWER, Math.max(first, LONGEST_WAIT));
    this.lookAt = now + (asked ?? this.#wait);
  }

  lookSoon({ pollSeconds }: Pace, now: number): void {
    this.#wait = pollSeconds * 1000;
    this.lookAt = now;
  }

  /** It would not end. It may be about to, so the first time it is looked at soon; then it is asked more and more rarely. */
  refuseCancel(pace: Pace, now: number): void {
    if (this.cancelAt === 0) this.lookSoon(pace, now);
    this.cancelAt = now + this.#wait;
  }
}
