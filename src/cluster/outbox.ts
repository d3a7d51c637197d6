/**
 * Answers that this till has kept and a shared cache lacks: given to it many at a time. Until then Redis holds them, so that a
 * till elsewhere that takes over has them too.
 */

import type { Digest } from '../core/digest.ts';
import type { Clock } from '../providers/clock.ts';
import type { Ledger } from './ledger.ts';

/** Answers that are given as soon as there are so many, and milliseconds after which fewer are. Each time is a segment. */
const MANY = 2_000;
const EVERY = 60_000;

interface OutboxParts {
  readonly ledger: Pick<Ledger, 'release'>;
  /** Gives the answers to these calls; false where that cannot be done now. */
  readonly give: (calls: readonly Digest[]) => Promise<boolean>;
  readonly clock: Clock;
}

export class Outbox {
  readonly #parts: OutboxParts;
  /** Digests of answers by call. */
  readonly #waiting = new Map<Digest, string>();
  #wake = new AbortController();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** @param answer its digest, as the ledger knows it */
  add(call: Digest, answer: string): void {
    this.#waiting.set(call, answer);
    if (this.#waiting.size === MANY) this.#wake.abort();
  }

  /** Gives what there is now and then, until it is told to end, and then the rest. */
  async run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      this.#wake = new AbortController();
      await this.#parts.clock.sleep(EVERY, AbortSignal.any([end, this.#wake.signal]));
      await this.#give();
    }
    await this.#give();
  }

  async #give(): Promise<void> {
    const given = new Map(this.#waiting);
    if (given.size === 0 || !(await this.#parts.give([...given.keys()]))) return;
    await this.#parts.ledger.release(given);
    for (const [call, answer] of given) if (this.#waiting.get(call) === answer) this.#waiting.delete(call);
  }
}
