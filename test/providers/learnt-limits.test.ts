import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { readRateReport } from '../../src/protocols/openai/rate-headers.ts';
import { askedWait } from '../../src/protocols/shared/waits.ts';
import { createLimiter } from '../../src/providers/limiter.ts';
import { createSemaphore } from '../../src/providers/semaphore.ts';
import { type TokenBucketServer, tokenBucketServer } from '../servers/token-bucket.ts';
import { virtualClock } from './support.ts';

const MINUTE = 60_000;

/** Sends without end for so many minutes against a server, each refused call again, and counts by the minute. */
async function run(
  server: TokenBucketServer,
  options: { minutes: number; perMinute?: number; remembered?: number; senders?: number },
) {
  const clock = virtualClock();
  // Aborted at the end, so that no sender outlives its run and slows the next one down.
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const limiter = createLimiter({
    limits: options.perMinute === undefined ? {} : { requestsPerMinute: options.perMinute },
    remembered: options.remembered,
    semaphore: createSemaphore(256),
    clock,
  });
  const minutes = Array.from({ length: options.minutes }, () => ({ answered: 0, refused: 0 }));
  let state = 12345;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
  const worker = async () => {
    for (;;) {
      const lease = await limiter.acquire(1, ending.signal);
      if (lease === undefined || ending.signal.aborted) return;
      const admitted = server.admits(clock.now());
      const headers = server.headers(clock.now(), !admitted);
      const reader = (name: string) => headers[name];
      const minute = minutes[Math.floor(clock.now() / MINUTE)];
      if (minute !== undefined) minute[admitted ? 'answered' : 'refused']++;
      // Answers take a while; refusals come at once.
      await clock.sleep(admitted ? 200 + 20 * Math.floor(30 * random()) : 20, ending.signal);
      const asked = admitted ? undefined : askedWait(reader, clock.now(), readRateReport(reader));
      lease.settle({
        rateLimited: !admitted,
        report: readRateReport(reader),
        ...(asked === undefined ? {} : { pauseMilliseconds: asked }),
      });
    }
  };
  for (let index = 0; index < (options.senders ?? 192); index++) void worker();
  await clock.advance(options.minutes * MINUTE - 1);
  ending.abort();
  const later = minutes.slice(1);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const answered = sum(later.map((minute) => minute.answered));
  const refused = sum(later.map((minute) => minute.refused));
  return {
    first: minutes[0]!,
    last: minutes.at(-1)!,
    perMinute: answered / later.length,
    refused: refused / (answered + refused),
    learnt: limiter.learnt(),
  };
}

describe('a limit that the server enforces', () => {
  const rates = [60, 600, 6000];
  const says = ['nothing', 'retry-after', 'limits'] as const;
  const files: [string, (rate: number) => number | undefined][] = [
    ['nothing', () => undefined],
    ['the limit', (rate) => rate],
    ['ten times too much', (rate) => 10 * rate],
  ];
  const cases = rates.flatMap((rate) =>
    says.flatMap((said) => files.map(([file, limit]) => ({ rate, said, file, limit }))),
  );
  it.each(cases)(
    'of $rate a minute, where the server says $said and the file $file, is met within a minute',
    async ({ rate, said, limit }) => {
      const perMinute = limit(rate);
      const server = tokenBucketServer({ perMinute: rate, says: said });
      const found = await run(server, {
        minutes: { 60: 10, 600: 4, 6000: 2 }[rate]!,
        ...(perMinute === undefined ? {} : { perMinute }),
      });
      expect(found.perMinute).toBeGreaterThanOrEqual(0.95 * rate);
      expect(found.refused).toBeLessThan(0.02);
    },
  );

  it.each([
    ['one request', 1],
    ['a whole minute', 600],
  ])('is met too where %s may come at once', async (_, burst) => {
    const found = await run(tokenBucketServer({ perMinute: 600, burst, says: 'nothing' }), { minutes: 10 });
    expect(found.perMinute).toBeGreaterThanOrEqual(0.95 * 600);
    expect(found.refused).toBeLessThan(0.02);
  });

  it.each([60, 600])('of %i in each minute of the clock is not taken for chance and stormed', async (perMinute) => {
    let used = { minute: 0, requests: 0 };
    const server: TokenBucketServer = {
      admits(now) {
        const minute = Math.floor(now / MINUTE);
        if (minute !== used.minute) used = { minute, requests: 0 };
        return ++used.requests <= perMinute;
      },
      headers: () => ({}),
    };
    const found = await run(server, { minutes: 8 });
    // What is refused comes at once, so that 192 senders could ask half a million times a minute.
    expect(found.perMinute * (found.refused / (1 - found.refused))).toBeLessThan(3_000);
    expect(found.perMinute).toBeGreaterThan(perMinute / 4);
  });

  it('is kept to from the first minute on where it is remembered', async () => {
    const first = await run(tokenBucketServer({ perMinute: 600, says: 'nothing' }), { minutes: 5 });
    expect(first.learnt).toBeGreaterThan(540);
    expect(first.learnt).toBeLessThan(660);
    const second = await run(tokenBucketServer({ perMinute: 600, says: 'nothing' }), {
      minutes: 2,
      remembered: first.learnt!,
    });
    expect(second.first.answered).toBeGreaterThanOrEqual(0.95 * 600);
    expect(second.first.refused).toBeLessThan(12);
  });

  it('is found again after it has been lowered to a tenth', async () => {
    const found = await run(tokenBucketServer({ perMinute: 600, says: 'nothing' }), { minutes: 5, remembered: 6000 });
    expect(found.perMinute).toBeGreaterThanOrEqual(0.95 * 600);
    expect(found.refused).toBeLessThan(0.02);
  });
});

describe('refusals by chance', () => {
  /** Refuses so large a share of its requests, whatever their rate. */
  const careless = (share: number): TokenBucketServer => {
    let state = 99;
    return {
      admits: () => {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
        const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
        return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32 >= share;
      },
      headers: () => ({}),
    };
  };

  it.each([0.05, 0.1, 0.3, 0.5, 0.8])('of %d of the requests make a build no slower for good', async (share) => {
    const found = await run(careless(share), { minutes: 20, senders: 16 });
    // Sixteen senders get 32 answers a second at most, and wait 20 ms for each refusal.
    expect(found.perMinute).toBeGreaterThan(1_000);
    expect(found.learnt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(500);
  });

  it.each([0.1, 0.5, 0.8])('of %d of the requests are found out within seconds', async (share) => {
    const { first } = await run(careless(share), { minutes: 1, senders: 16 });
    // What sixteen senders get in half of the minute.
    expect(first.answered).toBeGreaterThan(800);
  });

  it('are told from those of a limit that comes into force later', async () => {
    const [first, then] = [careless(0.3), tokenBucketServer({ perMinute: 300, says: 'nothing' })];
    const found = await run(
      { admits: (now) => (now < 4 * MINUTE ? first : then).admits(now), headers: () => ({}) },
      { minutes: 9, senders: 16 },
    );
    expect(found.last.answered).toBeGreaterThan(0.9 * 300);
    expect(found.last.refused).toBeLessThan(found.last.answered);
    expect(found.learnt ?? 0).toBeLessThan(600);
  });

  it('beside a limit leave most of what the limit allows', async () => {
    const [first, then] = [careless(0.1), tokenBucketServer({ perMinute: 1200, says: 'nothing' })];
    const both = { admits: (now: number) => first.admits(now) && then.admits(now), headers: () => ({}) };
    const found = await run(both, { minutes: 20, senders: 64 });
    expect(found.perMinute).toBeGreaterThan(0.9 * 1200);
    expect(found.refused).toBeLessThan(0.3);
  });
});
