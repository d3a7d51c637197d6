/**
 * Who may send when: per provider and model, requests and tokens a minute; per provider, calls in flight. Waiting
 * requests of one model are served first come, first served.
 */

import type { Limits } from '../core/graph.ts';
import { createFanOut } from './abort-fan-out.ts';
import type { Clock } from './clock.ts';
import { type CallFeedback, createRates, type Rates } from './rates.ts';
import type { Semaphore } from './semaphore.ts';

/** Leave to send one request. */
export interface Lease {
  /** Says how it went and frees the place; once. */
  settle(outcome: CallFeedback): void;
}

export interface Limiter {
  /** Resolves with leave to send, or with undefined when the signal aborts first. */
  acquire(tokens: number, signal: AbortSignal): Promise<Lease | undefined>;
  /** How many requests wait. */
  waiting(): number;
  /** Milliseconds until the rate lets anything be sent; 0 for now. */
  nextIn(): number;
  /** Milliseconds since which every answer was a refusal; 0 when the last one was none. */
  refusedFor(): number;
  /** Requests a minute as the server told or taught them; undefined where it did neither, null where it has none. */
  learnt(): number | null | undefined;
  /** Requests a minute that refusals taught, and no more than were seen to be answered in a minute; undefined before that. */
  sure(): number | undefined;
}

export interface LimiterOptions {
  readonly limits: Pick<Limits, 'requestsPerMinute' | 'tokensPerMinute'>;
  /** Requests a minute that an earlier build learnt. */
  readonly remembered?: number | undefined;
  readonly semaphore: Semaphore;
  readonly clock: Clock;
}

export function createLimiter({ limits, remembered, semaphore, clock }: LimiterOptions): Limiter {
  const rates = createRates(limits, remembered, clock.now());
  const queue = createQueue();
  const endings = createFanOut();
  const alarm = createAlarm(clock, () => serve());

  const serve = (): void => {
    for (;;) {
      const first = queue.first();
      if (first === undefined) {
        alarm.clear();
        return;
      }
      const now = clock.now();
      const wait = rates.wait(first.tokens, now);
      if (wait > 0) {
        alarm.set(wait);
        return;
      }
      if (!semaphore.acquire()) {
        alarm.clear();
        semaphore.whenReleased(serve);
        return;
      }
      queue.shift();
      first.lease(admit(first.tokens, now));
    }
  };

  const admit = (tokens: number, now: number): Lease => {
    const request = rates.send(tokens, now);
    return settledOnce((outcome) => {
      rates.settle(request, outcome, clock.now());
      semaphore.release();
      serve();
    });
  };

  return {
    acquire(tokens, signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (queue.first() === undefined && isFree(rates, tokens, clock.now()) && semaphore.acquire()) {
        return Promise.resolve(admit(tokens, clock.now()));
      }
      return new Promise((resolve) => {
        const waiter: Waiter = {
          tokens,
          gone: false,
          lease(lease) {
            stay();
            resolve(lease);
          },
        };
        const stay = endings.subscribe(signal, () => {
          if (waiter.gone) return;
          const wasFirst = queue.first() === waiter;
          queue.leave(waiter);
          waiter.lease(undefined);
          // The next in line may need less than the one that left.
          if (wasFirst) serve();
        });
        queue.push(waiter);
        if (queue.first() === waiter) serve();
      });
    },
    waiting: () => queue.size(),
    nextIn: () => rates.wait(1, clock.now()),
    refusedFor: () => rates.refusedFor(clock.now()),
    learnt: () => rates.learnt(),
    sure: () => rates.sure(),
  };
}

const isFree = (rates: Rates, tokens: number, now: number): boolean => rates.wait(tokens, now) === 0;

function settledOnce(settle: (outcome: CallFeedback) => void): Lease {
  let settled = false;
  return {
    settle(outcome) {
      if (settled) return;
      settled = true;
      settle(outcome);
    },
  };
}

interface Waiter {
  readonly tokens: number;
  readonly lease: (lease: Lease | undefined) => void;
  gone: boolean;
}

/** A queue that any of its members may leave, at constant cost. */
function createQueue() {
  const waiters: Waiter[] = [];
  let head = 0;
  let size = 0;
  return {
    push(waiter: Waiter) {
      waiters.push(waiter);
      size++;
    },
    first(): Waiter | undefined {
      while (head < waiters.length && waiters[head]!.gone) head++;
      if (head > 1024 && head * 2 > waiters.length) {
        waiters.splice(0, head);
        head = 0;
      }
      return waiters[head];
    },
    shift() {
      waiters[head]!.gone = true;
      size--;
    },
    leave(waiter: Waiter) {
      waiter.gone = true;
      size--;
    },
    size: () => size,
  };
}

/** Why a timer ends. Told once for all: without a reason each abort makes an error and walks the stack for it. */
const NOT_NEEDED = 'the timer is not needed';

/** One timer, for the earliest of the moments that it is set to. */
function createAlarm(clock: Clock, ring: () => void) {
  let timer: { readonly at: number; readonly ending: AbortController } | undefined;
  const clear = () => {
    timer?.ending.abort(NOT_NEEDED);
    timer = undefined;
  };
  return {
    clear,
    set(wait: number) {
      const at = clock.now() + wait;
      // Who is woken early looks again, and that costs less than a timer for every request that ends.
      if (timer !== undefined && timer.at <= at) return;
      clear();
      const mine = { at, ending: new AbortController() };
      timer = mine;
      void clock.sleep(wait, mine.ending.signal).then(() => {
        if (timer !== mine) return;
        timer = undefined;
        ring();
      });
    },
  };
}
