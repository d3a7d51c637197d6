/**
 * Who may send when: per provider and model, requests and tokens a minute; per provider, calls in flight. Waiting
 * orders of one model are served first come, first served.
 */

import type { Limits } from '../core/graph.ts';
import type { RateReport } from '../core/protocol.ts';
import { type Bucket, createBucket } from './bucket.ts';
import type { Clock } from './clock.ts';

/** Slowest rate that a limit can mean, requests a minute. */
const LEAST_LIMIT = 0.01;
/** The stretch over which the rate of sending is measured, milliseconds. */
const MEASURED = 5_000;
const MINUTE = 60_000;

/** Limits calls in flight; shared by the models of one provider. */
export interface Semaphore {
  /** Takes a place if one is free. */
  acquire(): boolean;
  /** Frees a place, and hands it to whoever has waited longest. */
  release(): void;
  /** Calls once when a place is free. */
  whenReleased(wake: () => void): void;
}

export function createSemaphore(count: number): Semaphore {
  let used = 0;
  const waiting = new Set<() => void>();
  return {
    acquire() {
      if (used >= count) return false;
      used++;
      return true;
    },
    release() {
      used--;
      for (const wake of waiting) {
        if (used >= count) return;
        waiting.delete(wake);
        wake();
      }
    },
    whenReleased: (wake) => void waiting.add(wake),
  };
}

/** What a call that was let through turned out to be. */
export interface CallFeedback {
  /** Tokens that it used; undefined where unknown, so the estimate stands. */
  readonly tokens?: number;
  readonly report?: RateReport;
  /** Set when the server said that it is asked too often. */
  readonly rateLimited?: boolean;
  /** Milliseconds for which the server asked to be left alone. */
  readonly pauseMilliseconds?: number;
}

/** Leave to send one request. */
export interface Lease {
  /** Says how it went and frees the place; once. */
  settle(outcome: CallFeedback): void;
}

export interface Limiter {
  /** Resolves with leave to send, or with undefined when the signal aborts first. */
  acquire(tokens: number, signal: AbortSignal): Promise<Lease | undefined>;
  /** How many orders wait. */
  waiting(): number;
}

interface Waiter {
  readonly tokens: number;
  readonly lease: (lease: Lease | undefined) => void;
  gone: boolean;
}

export function createLimiter(options: {
  readonly limits: Pick<Limits, 'requestsPerMinute' | 'tokensPerMinute'>;
  readonly semaphore: Semaphore;
  readonly clock: Clock;
}): Limiter {
  const { limits, semaphore, clock } = options;
  const bucketFor = (unit: 'requests' | 'tokens', perMinute: number, learned = false): Bucket =>
    createBucket({ unit, perMinute: Math.max(perMinute, LEAST_LIMIT), learned, now: clock.now() });

  let requests = limits.requestsPerMinute === undefined ? undefined : bucketFor('requests', limits.requestsPerMinute);
  let tokens = limits.tokensPerMinute === undefined ? undefined : bucketFor('tokens', limits.tokensPerMinute);
  let requestsLearned = false;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let slowedAt = Number.NEGATIVE_INFINITY;

  const queue: Waiter[] = [];
  let head = 0;
  let gone = 0;
  let timer: AbortController | undefined;
  const meter = createMeter(clock.now());

  /** Milliseconds until this call may be sent, as far as the rate decides. */
  const waitFor = (units: number, now: number): number => {
    if (requestsLearned && requests?.outgrown(now)) {
      requests = undefined;
      requestsLearned = false;
    }
    return Math.max(pausedUntil - now, requests?.wait(1, now) ?? 0, tokens?.wait(units, now) ?? 0, 0);
  };

  const admit = (units: number, now: number): Lease => {
    const booked = tokens;
    requests?.take(1, now);
    booked?.take(units, now);
    meter.count(now);
    let settled = false;
    return {
      settle(outcome) {
        if (settled) return;
        settled = true;
        if (outcome.tokens !== undefined) booked?.giveBack(units - outcome.tokens, clock.now());
        learn(now, outcome);
        semaphore.release();
        serve();
      },
    };
  };

  const learn = (sentAt: number, outcome: CallFeedback) => {
    const now = clock.now();
    if (outcome.report !== undefined) heed(outcome.report, now);
    if (outcome.pauseMilliseconds !== undefined) {
      pausedUntil = Math.max(pausedUntil, now + outcome.pauseMilliseconds);
    }
    // Calls that were under way when the rate was last halved say nothing about the new rate.
    if ((outcome.rateLimited || outcome.report?.overLimit) && sentAt >= slowedAt) {
      slowedAt = now;
      if (requests === undefined) {
        requests = bucketFor('requests', meter.perMinute(now), true);
        requestsLearned = true;
      }
      requests.slow(now);
      tokens?.slow(now);
    }
  };

  /** Takes over limits that are stricter than the configured ones; never looser. */
  const heed = (report: RateReport, now: number) => {
    if (report.requests.limit !== undefined) {
      const perMinute = Math.min(report.requests.limit, limits.requestsPerMinute ?? Number.POSITIVE_INFINITY);
      if (requests === undefined || requestsLearned) requests = bucketFor('requests', perMinute);
      else requests.setLimit(perMinute, now);
      requestsLearned = false;
    }
    if (report.tokens.limit !== undefined) {
      const perMinute = Math.min(report.tokens.limit, limits.tokensPerMinute ?? Number.POSITIVE_INFINITY);
      if (tokens === undefined) tokens = bucketFor('tokens', perMinute);
      else tokens.setLimit(perMinute, now);
    }
    if (report.requests.remaining !== undefined) requests?.lowerLevel(report.requests.remaining, now);
    if (report.tokens.remaining !== undefined) tokens?.lowerLevel(report.tokens.remaining, now);
  };

  const serve = () => {
    for (;;) {
      while (head < queue.length && queue[head]!.gone) {
        head++;
        gone--;
      }
      compact();
      const first = queue[head];
      if (first === undefined) return stopTimer();
      const now = clock.now();
      const wait = waitFor(first.tokens, now);
      if (wait > 0) return startTimer(wait);
      if (!semaphore.acquire()) {
        stopTimer();
        return semaphore.whenReleased(serve);
      }
      head++;
      first.gone = true;
      first.lease(admit(first.tokens, now));
    }
  };

  /** Drops what was served; now and then, so that a queue costs constant time. */
  const compact = () => {
    if (head > 1024 && head * 2 > queue.length) {
      queue.splice(0, head);
      head = 0;
    }
  };

  const stopTimer = () => {
    timer?.abort();
    timer = undefined;
  };
  const startTimer = (wait: number) => {
    stopTimer();
    const mine = new AbortController();
    timer = mine;
    void clock.sleep(wait, mine.signal).then(() => {
      if (timer !== mine) return;
      timer = undefined;
      serve();
    });
  };

  return {
    acquire(units, signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (queue.length === head) {
        const now = clock.now();
        if (waitFor(units, now) === 0 && semaphore.acquire()) return Promise.resolve(admit(units, now));
      }
      return new Promise((resolve) => {
        const waiter: Waiter = {
          tokens: units,
          gone: false,
          lease(lease) {
            signal.removeEventListener('abort', leave);
            resolve(lease);
          },
        };
        const leave = () => {
          if (waiter.gone) return;
          waiter.gone = true;
          gone++;
          waiter.lease(undefined);
          // The next in line may need less than the one that left.
          if (queue[head] === waiter) serve();
        };
        signal.addEventListener('abort', leave);
        queue.push(waiter);
        if (queue.length === head + 1) serve();
      });
    },
    waiting: () => queue.length - head - gone,
  };
}

/** Measures how many requests a minute were let through lately. */
function createMeter(start: number) {
  let since = start;
  let counted = 0;
  let before: number | undefined;
  const perMinute = (now: number) => (counted / Math.max(now - since, 1_000)) * MINUTE;
  return {
    count(now: number) {
      if (now - since >= MEASURED) {
        before = perMinute(now);
        since = now;
        counted = 0;
      }
      counted++;
    },
    perMinute: (now: number): number => Math.max(now - since < 1_000 ? (before ?? 0) : 0, perMinute(now), 1),
  };
}
