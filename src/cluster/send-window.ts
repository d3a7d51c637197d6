/**
 * Keeps what really leaves a till within a limit. The ledger gives out turns that are evenly spaced; a disk or a processor
 * that stalls would send several of them at once, and a server counts what comes.
 */

import type { Clock } from '../providers/clock.ts';

/** A second of this window is longer than the server's, by what may be shorter on the way there. */
const SLACK = 1.025;

export class SendWindow {
  readonly #clock: Clock;
  /** Milliseconds in which no more leaves than there are places. */
  readonly #span: number;
  /** When the last sends left, as many as may leave in a window. */
  readonly #left: Float64Array;
  #next = 0;
  #last: Promise<void> = Promise.resolve();

  /** @param perSecond requests; 0: no limit */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    const places = Math.max(1, Math.floor(perSecond));
    this.#left = new Float64Array(places).fill(Number.NEGATIVE_INFINITY);
    this.#span = perSecond > 0 ? (SLACK * 1000 * places) / perSecond : 0;
  }

  /** Resolves at its turn, or as soon after that as the window has a place. Whoever comes first goes first. */
  pass(turn: number): Promise<void> {
    this.#last = this.#last.then(() => this.#leave(turn));
    return this.#last;
  }

  async #leave(turn: number): Promise<void> {
    const now = this.#clock.now();
    // A clock that was set back keeps nobody waiting for longer than the window is.
    const at = Math.min(Math.max(turn, this.#left[this.#next]! + this.#span), now + this.#span);
    // Whoever has a turn takes it, also where nothing new may begin: it is claimed, and due within a moment.
    if (at > now) await this.#clock.sleep(at - now, NEVER);
    this.#left[this.#next] = this.#clock.now();
    this.#next = (this.#next + 1) % this.#left.length;
  }
}

const NEVER = new AbortController().signal;
