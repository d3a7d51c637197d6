import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBucket } from '../../src/providers/bucket.ts';
import { createLimiter, type Lease } from '../../src/providers/limiter.ts';
import { createSemaphore } from '../../src/providers/semaphore.ts';
import { never, settle, virtualClock } from './support.ts';

const MINUTE = 60_000;

/** The largest sum of amounts over any half-open stretch of one minute. */
function busiestMinute(grants: readonly { readonly at: number; readonly amount: number }[]): number {
  let most = 0;
  for (const { at } of grants) {
    const inside = grants.filter((lease) => lease.at >= at && lease.at < at + MINUTE);
    most = Math.max(
      most,
      inside.reduce((sum, { amount }) => sum + amount, 0),
    );
  }
  return most;
}

describe('a limiter, on a clock that is moved by hand', () => {
  const arrivals = fc.array(
    fc.record({
      gap: fc.integer({ min: 0, max: 4_000 }),
      tokens: fc.integer({ min: 1, max: 3_000 }),
      lasts: fc.integer({ min: 0, max: 20_000 }),
      used: fc.double({ min: 0.1, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 60 },
  );

  it('keeps to every limit, serves all, and serves in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
        fc.option(fc.integer({ min: 500, max: 40_000 }), { nil: undefined }),
        fc.integer({ min: 1, max: 6 }),
        async (orders, requestsPerMinute, tokensPerMinute, concurrency) => {
          const clock = virtualClock(1_000_000);
          const limiter = createLimiter({
            limits: {
              ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
              ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
            },
            semaphore: createSemaphore(concurrency),
            clock,
          });
          const grants: { at: number; amount: number; index: number }[] = [];
          let inFlight = 0;
          let mostInFlight = 0;
          const arrive = async () => {
            const calls: Promise<void>[] = [];
            for (const [index, order] of orders.entries()) {
              if (order.gap > 0) await clock.sleep(order.gap, never);
              calls.push(
                limiter.acquire(order.tokens, never).then(async (lease) => {
                  grants.push({ at: clock.now(), amount: order.tokens, index });
                  mostInFlight = Math.max(mostInFlight, ++inFlight);
                  await clock.sleep(order.lasts, never);
                  inFlight--;
                  lease?.settle({});
                }),
              );
            }
            await Promise.all(calls);
          };
          const all = arrive();
          while (await clock.step());
          await all;

          expect(grants.map(({ index }) => index)).toEqual(orders.map((_, index) => index));
          expect(mostInFlight).toBeLessThanOrEqual(concurrency);
          expect(limiter.waiting()).toBe(0);
          if (requestsPerMinute !== undefined) {
            const requests = grants.map(({ at }) => ({ at, amount: 1 }));
            expect(busiestMinute(requests)).toBeLessThanOrEqual(requestsPerMinute);
          }
          if (tokensPerMinute !== undefined) {
            const burst = tokensPerMinute / 10;
            const excess = Math.max(0, ...orders.map(({ tokens }) => tokens - burst));
            expect(busiestMinute(grants)).toBeLessThanOrEqual(tokensPerMinute + excess + 1e-6);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not slower than its limit, once warm', async () => {
    const clock = virtualClock();
    const limiter = createLimiter({ limits: { requestsPerMinute: 600 }, semaphore: createSemaphore(1000), clock });
    let served = 0;
    for (let index = 0; index < 2000; index++) {
      void limiter.acquire(1, never).then((lease) => {
        served++;
        lease?.settle({});
      });
    }
    await clock.advance(3 * MINUTE);
    // A second's burst is paid for by the refill, which costs under two per cent.
    expect(served).toBeGreaterThan(3 * 600 * 0.98);
    expect(served).toBeLessThanOrEqual(3 * 600 + 1);
  });

  it('lets a waiter go when its signal aborts, and serves the others in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 2, maxLength: 30 }), async (leaves) => {
        const clock = virtualClock();
        const limiter = createLimiter({ limits: { requestsPerMinute: 60 }, semaphore: createSemaphore(99), clock });
        const served: number[] = [];
        const left: number[] = [];
        const controllers = leaves.map(() => new AbortController());
        await limiter.acquire(1, never);
        for (const [index, controller] of controllers.entries()) {
          void limiter.acquire(1, controller.signal).then((lease) => (lease ? served : left).push(index));
        }
        expect(limiter.waiting()).toBe(leaves.length);
        for (const [index, leave] of leaves.entries()) if (leave) controllers[index]!.abort();
        await settle();
        const indices = leaves.map((_, index) => index);
        expect(left).toEqual(indices.filter((index) => leaves[index]));
        expect(limiter.waiting()).toBe(leaves.length - left.length);
        await clock.advance(2 * MINUTE);
        expect(served).toEqual(indices.filter((index) => !leaves[index]));
      }),
      { numRuns: 40 },
    );
  });

  it('does not queue for a signal that has aborted', async () => {
    const aborted = AbortSignal.abort();
    const limiter = createLimiter({ limits: {}, semaphore: createSemaphore(1), clock: virtualClock() });
    expect(await limiter.acquire(1, aborted)).toBeUndefined();
    expect(limiter.waiting()).toBe(0);
  });
});

describe('a limiter that is told it asks too often', () => {
  const served = async (configured: number | undefined, firstOutcome: Parameters<Lease['settle']>[0]) => {
    const clock = virtualClock();
    const limits = configured === undefined ? {} : { requestsPerMinute: configured };
    const limiter = createLimiter({ limits, semaphore: createSemaphore(1000), clock });
    (await limiter.acquire(1, never))?.settle(firstOutcome);
    let count = 0;
    for (let index = 0; index < 3000; index++) {
      void limiter.acquire(1, never).then((lease) => {
        count++;
        lease?.settle({});
      });
    }
    const perHalfMinute: number[] = [];
    for (let half = 0; half < 6; half++) {
      const before = count;
      await clock.advance(30_000);
      perHalfMinute.push(count - before);
    }
    return perHalfMinute;
  };

  it('slows down once for all the calls that were under way', async () => {
    const counts: number[] = [];
    for (const refused of [1, 10]) {
      const clock = virtualClock();
      const limiter = createLimiter({ limits: {}, semaphore: createSemaphore(1000), clock });
      const leases = await Promise.all(Array.from({ length: 110 }, () => limiter.acquire(1, never)));
      await clock.advance(1000);
      for (const [index, lease] of leases.entries()) lease?.settle({ rateLimited: index < refused });
      let count = 0;
      for (let index = 0; index < 3000; index++) void limiter.acquire(1, never).then(() => count++);
      await clock.advance(4_000);
      counts.push(count);
    }
    // About as many a second as were answered in the first one, after a while in which the first one asks alone, and 32 that
    // go on as before.
    expect(counts[0]).toBeGreaterThan(150);
    expect(counts[0]).toBeLessThan(5 * 110);
    expect(counts[1]).toBeGreaterThan(150);
    expect(counts[1]).toBeLessThan(5 * 110);
  });

  it('leaves the server alone for as long as it asks', async () => {
    const clock = virtualClock();
    const limiter = createLimiter({ limits: {}, semaphore: createSemaphore(9), clock });
    (await limiter.acquire(1, never))?.settle({ pauseMilliseconds: 20_000 });
    let at: number | undefined;
    void limiter.acquire(1, never).then(() => {
      at = clock.now();
    });
    await clock.advance(19_999);
    expect(at).toBeUndefined();
    await clock.advance(1);
    expect(at).toBe(20_000);
  });

  it('takes over stricter limits from headers, never looser ones', async () => {
    const stricter = await served(600, { report: { requests: { limit: 60 }, tokens: {}, overLimit: false } });
    expect(stricter[0]! + stricter[1]!).toBeLessThanOrEqual(61);
    const looser = await served(60, { report: { requests: { limit: 600 }, tokens: {}, overLimit: false } });
    expect(looser[0]! + looser[1]!).toBeLessThanOrEqual(61);
    const unconfigured = await served(undefined, { report: { requests: { limit: 60 }, tokens: {}, overLimit: false } });
    expect(unconfigured[0]! + unconfigured[1]!).toBeLessThanOrEqual(61);
  });

  it('believes a server that says nothing is left', async () => {
    const clock = virtualClock();
    const limiter = createLimiter({ limits: { requestsPerMinute: 6000 }, semaphore: createSemaphore(999), clock });
    (await limiter.acquire(1, never))?.settle({
      report: { requests: { limit: 6000, remaining: 0 }, tokens: {}, overLimit: false },
    });
    let count = 0;
    for (let index = 0; index < 90; index++) void limiter.acquire(1, never).then(() => count++);
    await settle();
    expect(count).toBe(0);
    await clock.advance(500);
    expect(count).toBeGreaterThan(40);
  });
});

describe('semaphore', () => {
  it('go round among the models that wait for one', async () => {
    const clock = virtualClock();
    const semaphore = createSemaphore(1);
    const order: string[] = [];
    const first = createLimiter({ limits: {}, semaphore, clock });
    const second = createLimiter({ limits: {}, semaphore, clock });
    const held = await first.acquire(1, never);
    for (const [name, limiter] of [
      ['a', first],
      ['b', second],
    ] as const) {
      for (let index = 0; index < 3; index++) {
        void limiter.acquire(1, never).then((lease) => {
          order.push(name);
          lease?.settle({});
        });
      }
    }
    held?.settle({});
    held?.settle({});
    await settle();
    expect([...order].sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
    expect(order.slice(0, 2)).toEqual(['a', 'b']);
  });
});

describe('a bucket of tokens', () => {
  it('is credited what an order did not use, and debited what it used beyond its estimate', () => {
    const bucket = createBucket({ perMinute: 6000, unit: 'tokens', now: 0 });
    bucket.take(600, 0);
    expect(bucket.wait(300, 0)).toBeGreaterThan(0);
    bucket.giveBack(400, 0);
    expect(bucket.wait(300, 0)).toBe(0);
    bucket.giveBack(-900, 0);
    expect(bucket.wait(100, 0)).toBeGreaterThan(5000);
  });
});
