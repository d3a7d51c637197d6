/**
 * Keeps what really leaves a till within a limit, as a server counts it. The ledger gives out turns that are evenly spaced; a
 * disk or a processor that stands still would send all that had their turn meanwhile at once. What is late leaves nearly as
 * evenly, and never more of it in a second than the limit: a server that is late itself counts it with what comes after.
 */

import type { Clock } from '../providers/clock.ts';

/** The share of a limit for which the ledger gives out turns. What is left is for the way, and to make good what was late. */
export const TURNS = 0.967;
/**
 * A second here is longer than the server's, by what the way of one request may take longer than another's. As many as the limit
 * in each of these are still more than there are turns, so what is late catches up.
 */
const SECOND = 1.027;
/** How much faster than the limit late ones leave. */
const CATCH_UP = 1.25;
/** Milliseconds by which one may leave before it is due after the last one: timers wake late. */
const EARLY = 3;
/** Answers of which it is known how long they took, and how many tell what is usual. */
const ANSWERS = 64;
const ENOUGH = 16;
/** An answer is late that took so many times longer than usual beyond the fastest, and some milliseconds. */
const LATE = 6;
const LATE_AT_LEAST = 5;

export interface Leaving {
  /** To be told when it has really left: a connection may have had to be made, or the process stood still meanwhile. */
  sent(): void;
  /** To be told when it is answered. A server that stood still counts as it goes on, and then answers late. */
  answered(): void;
}

export class SendPace {
  readonly #clock: Clock;
  /** Milliseconds in which no more leaves than there are places. */
  readonly #span: number;
  /** When the last sends left, in order, as many as may leave in a span. */
  readonly #left: number[];
  /** Milliseconds between two sends, and when the next one is due after the last. */
  readonly #gap: number;
  #due = Number.NEGATIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();
  /** Milliseconds that the last answers took. */
  readonly #took: number[] = [];

  /** @param perSecond requests; 0: no limit */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    const places = Math.max(1, Math.floor(perSecond));
    this.#left = new Array<number>(places).fill(Number.NEGATIVE_INFINITY);
    this.#span = perSecond > 0 ? (SECOND * 1000 * places) / perSecond : 0;
    this.#gap = perSecond > 0 ? 1000 / (CATCH_UP * perSecond) : 0;
  }

  /** Resolves at its turn, or as soon after that as there is a place. Whoever comes first goes first. */
  pass(turn: number): Promise<Leaving> {
    const passing = this.#last.then(() => this.#leave(turn));
    this.#last = passing;
    return passing;
  }

  async #leave(turn: number): Promise<Leaving> {
    // A clock that was set back keeps nobody waiting for longer than the span is.
    const latest = this.#clock.now() + this.#span;
    for (;;) {
      const now = this.#clock.now();
      const at = Math.min(Math.max(turn, this.#left[0]! + this.#span, this.#due - EARLY), latest);
      if (at <= now) break;
      // Whoever has a turn takes it, also where nothing new may begin: it is claimed, and due within a moment.
      await this.#clock.sleep(at - now, NEVER);
    }
    let left = this.#clock.now();
    this.#move(this.#left[0]!, left);
    this.#due = Math.min(Math.max(this.#due, left), left + EARLY) + this.#gap;
    return {
      sent: () => {
        const thought = left;
        left = this.#clock.now();
        this.#move(this.#left.includes(thought) ? thought : this.#left[0]!, left);
        this.#due = Math.max(this.#due, left + this.#gap);
      },
      answered: () => {
        const came = this.#cameAtLatest(left);
        if (came > left && this.#left.includes(left)) this.#move(left, came);
      },
    };
  }

  /** When the server can have counted what left then and is answered now: later than it left, where the answer is late. */
  #cameAtLatest(left: number): number {
    const now = this.#clock.now();
    if (this.#took.push(now - left) > ANSWERS) this.#took.shift();
    if (this.#took.length < ENOUGH) return left;
    const sorted = this.#took.toSorted((a, b) => a - b);
    const fastest = sorted[0]!;
    const usual = sorted[Math.floor(sorted.length / 2)]! - fastest;
    return now - left - fastest > LATE * usual + LATE_AT_LEAST ? now - fastest : left;
  }

  /** Puts the time of one that left in place of another, in order. */
  #move(from: number, to: number): void {
    this.#left.splice(this.#left.lastIndexOf(from), 1);
    let place = this.#left.length;
    while (place > 0 && this.#left[place - 1]! > to) place--;
    this.#left.splice(place, 0, to);
  }
}

const NEVER = new AbortController().signal;
