/** A batch that is out, and when it is to be looked at again, or asked to end again. */

import type { BatchSettings, Submission } from '../core/batch.ts';

/** Milliseconds between two looks at a batch, at most. */
export const LONGEST_WAIT = 300_000;
/** The same where the provider asks for a longer one. */
const LONGEST_ASKED = 2 * LONGEST_WAIT;
/** By how much each wait is longer than the one before. */
export const SLOWER = 1.5;

type Pace = Pick<BatchSettings, 'pollSeconds' | 'patienceSeconds'>;

export class LiveBatch {
  submission: Submission;
  /** When it is to be looked at next; milliseconds. */
  lookAt = 0;
  /** Before this it is not to be asked to end. */
  cancelAt = 0;
  /** Set once it is told that it is not waited for any longer. */
  isGivenUp = false;
  #wait = 0;
  #patience = 0;
  /** Since when nothing can be learnt of it, and why; undefined while looks bring something. */
  #trouble: { readonly since: number; readonly why: string } | undefined;
  /** Since when it has been asked to end. */
  #endingSince: number | undefined;

  constructor(submission: Submission) {
    this.submission = submission;
  }

  /** @param asked milliseconds that the provider asks for */
  lookLater({ pollSeconds, patienceSeconds }: Pace, now: number, asked?: number): void {
    this.#patience = patienceSeconds * 1000;
    const first = pollSeconds * 1000;
    this.#wait = this.#wait === 0 ? first : Math.min(this.#wait * SLOWER, Math.max(first, LONGEST_WAIT));
    this.lookAt = now + Math.min(asked ?? this.#wait, LONGEST_ASKED);
  }

  lookSoon({ pollSeconds }: Pick<Pace, 'pollSeconds'>, now: number): void {
    this.#wait = pollSeconds * 1000;
    this.lookAt = now;
  }

  /** Nothing could be learnt of it. */
  fail(why: string, now: number): void {
    this.#trouble = { since: this.#trouble?.since ?? now, why };
  }

  /** Nothing can be learnt of it by this build. */
  leave(why: string): void {
    this.#trouble = { since: Number.NEGATIVE_INFINITY, why };
    this.lookAt = Number.POSITIVE_INFINITY;
  }

  recover(): void {
    this.#trouble = undefined;
  }

  askToEnd(now: number): void {
    this.#endingSince ??= now;
  }

  /** Why it is not worth waiting for any longer; undefined while it is. */
  whyHopeless(now: number): string | undefined {
    if (now < this.patienceEnds) return undefined;
    if (this.#trouble !== undefined) return this.#trouble.why;
    const { batch, status } = this.submission;
    return batch === undefined ? 'it is not found yet' : `it was asked to end, and is still ${status ?? 'out'}`;
  }

  /** When it stops being worth waiting for, unless something is learnt of it. */
  get patienceEnds(): number {
    const left = this.#trouble?.since === Number.NEGATIVE_INFINITY;
    const since = left ? Number.NEGATIVE_INFINITY : (this.#endingSince ?? this.#trouble?.since);
    return since === undefined ? Number.POSITIVE_INFINITY : since + this.#patience;
  }

  /** It would not end. It may be about to, so the first time it is looked at soon; then it is asked more and more rarely. */
  refuseCancel(pace: Pace, now: number): void {
    if (this.cancelAt === 0) this.lookSoon(pace, now);
    this.cancelAt = now + this.#wait;
  }
}
