import { describe, expect, it } from 'vitest';
import { createBucket } from '../../src/providers/bucket.ts';
import { createLimiter } from '../../src/providers/limiter.ts';
import type { CallFeedback } from '../../src/providers/rates.ts';
import { createSemaphore } from '../../src/providers/semaphore.ts';
import { never, virtualClock } from './support.ts';

const MINUTE = 60_000;

describe('a burst', () => {
  it.each([
    ['requests', 59, 1],
    ['requests', 119, 1],
    ['requests', 120, 2],
    ['requests', 179, 2],
    ['tokens', 1000, 100],
  ] as const)('of %s is what comes within a second, or six of tokens: of %i a minute %i', (unit, perMinute, burst) => {
    const made = createBucket({ unit, perMinute, now: 0 });
    made.take(burst, 0);
    expect(made.wait(1, 0)).toBeGreaterThan(0);
    made.giveBack(10 * burst, 0);
    made.take(burst, 0);
    expect(made.wait(1, 0)).toBeGreaterThan(0);
  });
});

describe('a bucket of requests', () => {
  // 120 a minute: a burst of two; with it the refill keeps to the limit: 120 − 2 + 1 = 119 a minute, 504.2 ms each.
  const bucket = () => createBucket({ unit: 'requests', perMinute: 120, now: 0 });

  it('bursts for a second, then refills', () => {
    const made = bucket();
    expect([made.wait(1, 0), made.wait(2, 0)]).toEqual([0, 0]);
    made.take(2, 0);
    expect([made.wait(1, 0), made.wait(1, 500), made.wait(1, 504), made.wait(1, 505)]).toEqual([505, 5, 1, 0]);
    // Never more than the burst, however long nothing was taken.
    expect(made.wait(2, 10 * MINUTE)).toBe(0);
    made.take(2, 10 * MINUTE);
    expect(made.wait(1, 10 * MINUTE)).toBe(505);
  });

  it('waits for a full bucket, no longer, for more than the burst', () => {
    const made = bucket();
    made.take(2, 0);
    expect(made.wait(99, 0)).toBe(1009);
    expect(made.wait(99, 1009)).toBe(0);
  });

  it('takes back what was not used, up to its burst, and what a server says is left', () => {
    const made = bucket();
    made.take(2, 0);
    made.giveBack(1, 0);
    expect([made.wait(1, 0), made.wait(2, 0)]).toEqual([0, 505]);
    made.giveBack(9, 0);
    made.take(2, 0);
    expect(made.wait(1, 0)).toBe(505);
    made.giveBack(9, 0);
    made.lowerLevel(1, 0, 0, 0);
    expect(made.wait(2, 0)).toBe(505);
    made.lowerLevel(5, 0, 0, 0);
    expect(made.wait(2, 0)).toBe(505);
  });

  it('counts what was taken, and what came back, since a server counted', () => {
    const made = bucket();
    // Of one that was left, one was taken since: nothing is left, and the next takes 504.2 ms.
    made.take(1, 0);
    made.lowerLevel(1, 0, 1, 0);
    expect(made.wait(1, 0)).toBe(505);
    // Counted a refill ago, one more is left than was said.
    const older = bucket();
    older.lowerLevel(0, 0, 0, 505);
    expect(older.wait(1, 505)).toBe(0);
    expect(older.wait(2, 505)).toBeGreaterThan(500);
  });

  it('changes its limit with what it holds', () => {
    const made = bucket();
    made.setLimit(60, 0);
    // One a second, and one in hand.
    expect(made.wait(1, 0)).toBe(0);
    made.take(1, 0);
    expect(made.wait(1, 0)).toBe(1000);
    const fast = bucket();
    fast.setLimit(600, 0);
    expect(fast.wait(2, 0)).toBe(0);
    fast.take(2, 0);
    // A burst of ten: 591 a minute.
    expect(fast.wait(1, 0)).toBe(Math.ceil(MINUTE / 591));
  });

  it('of less than one a second has a burst of one', () => {
    const made = createBucket({ unit: 'requests', perMinute: 30, now: 0 });
    made.take(1, 0);
    expect(made.wait(1, 0)).toBe(2000);
  });
});

describe('a bucket of tokens', () => {
  // 6,000 a minute: a burst of 600, and the other 5,400 in a minute: 90 a second.
  it('bursts for six seconds', () => {
    const made = createBucket({ unit: 'tokens', perMinute: 6000, now: 0 });
    expect(made.wait(600, 0)).toBe(0);
    made.take(600, 0);
    expect(made.wait(90, 0)).toBe(1000);
    made.take(900, 0);
    // 900 below nothing: ten seconds to nothing, one more for 90.
    expect(made.wait(90, 0)).toBe(11_000);
    made.giveBack(900, 0);
    expect(made.wait(90, 0)).toBe(1000);
    made.giveBack(-90, 0);
    expect(made.wait(90, 0)).toBe(2000);
  });
});

describe('a limiter', () => {
  /** When each of so many orders is let through, after a first one that ended like this. */
  async function times(
    limits: { requestsPerMinute?: number; tokensPerMinute?: number },
    outcome: CallFeedback,
    count: number,
    tokens = 1,
  ) {
    const clock = virtualClock();
    const limiter = createLimiter({ limits, semaphore: createSemaphore(99), clock });
    (await limiter.acquire(tokens, never))!.settle(outcome);
    const at: number[] = [];
    for (let index = 0; index < count; index++) {
      void limiter.acquire(tokens, never).then((lease) => {
        at.push(clock.now());
        lease!.settle({});
      });
    }
    await clock.advance(60 * MINUTE);
    return at;
  }

  const report = (more: object) => ({ report: { requests: {}, tokens: {}, overLimit: false, ...more } });

  it.each<[string, Parameters<typeof times>[0], CallFeedback, number[]]>([
    ['no limit', {}, {}, [0, 0, 0]],
    ['60 requests a minute', { requestsPerMinute: 60 }, {}, [1000, 2000, 3000]],
    ['a pause', {}, { pauseMilliseconds: 700 }, [700, 700, 700]],
    ['a pause within the limit', { requestsPerMinute: 60 }, { pauseMilliseconds: 300 }, [1000, 2000, 3000]],
    ['a pause beyond the limit', { requestsPerMinute: 60 }, { pauseMilliseconds: 1500 }, [1500, 2500, 3500]],
    ['a stricter limit of the server', {}, report({ requests: { limit: 30 } }), [0, 2000, 4000]],
    [
      'a stricter limit than is configured',
      { requestsPerMinute: 60 },
      report({ requests: { limit: 30 } }),
      [2000, 4000, 6000],
    ],
    [
      'a looser limit than is configured',
      { requestsPerMinute: 60 },
      report({ requests: { limit: 600 } }),
      [1000, 2000, 3000],
    ],
    ['nothing left', { requestsPerMinute: 120 }, report({ requests: { remaining: 0 } }), [505, 1009, 1513]],
    ['a limit too small to mean', { requestsPerMinute: 0.0001 }, {}, []],
  ])('with %s', async (_, limits, outcome, expected) => {
    const at = await times(limits, outcome, 3);
    expect(at).toEqual(expected);
  });

  it('takes tokens for what they turned out to be', async () => {
    // 600 a minute: a burst of 60 and 9 a second. 50 are booked, 10 are left; 41 more take 4 ⅝ s; 40 given back: none.
    expect(await times({ tokensPerMinute: 600 }, { tokens: 50 }, 1, 50)).toEqual([4445]);
    expect(await times({ tokensPerMinute: 600 }, { tokens: 10 }, 1, 50)).toEqual([0]);
    expect(await times({ tokensPerMinute: 600 }, { tokens: 59 }, 1, 50)).toEqual([5445]);
    expect(await times({ tokensPerMinute: 600 }, {}, 1, 50)).toEqual([4445]);
    // 8 tokens at 9 a second.
    expect(await times({}, report({ tokens: { limit: 600, remaining: 0 } }), 1, 8)).toEqual([889]);
    expect(await times({ tokensPerMinute: 600 }, report({ tokens: { limit: 6000 } }), 1, 50)).toEqual([4445]);
    expect(await times({ tokensPerMinute: 6000 }, report({ tokens: { limit: 600 } }), 1, 60)).toEqual([0]);
  });
});
