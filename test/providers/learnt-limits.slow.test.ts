/** What is made of a limit that only refusals tell of, in virtual time. `npm run bench limits` is the whole table. */

import { describe, expect, it } from 'vitest';
import {
  banning,
  both,
  bucket,
  careless,
  changing,
  fixedWindow,
  type LimitedServer,
  leakyQueue,
  slidingCounter,
  slidingLog,
  tokensBucket,
} from '../servers/limits.ts';
import { drive, type Load, type Outcome } from '../servers/senders.ts';

const MINUTE = 60_000;

function expectUsed(outcome: Outcome, limit: number, [used, refused]: readonly [number, number] = [0.95, 0.02]) {
  expect(outcome.perMinute).toBeGreaterThanOrEqual(used * limit);
  expect(outcome.refused).toBeLessThan(refused);
}

/** The answers a minute from one minute on, and the share that was refused. */
function from(first: number, { minutes }: Outcome) {
  const late = minutes.slice(first);
  const answered = late.reduce((sum, minute) => sum + minute.answered, 0);
  const refused = late.reduce((sum, minute) => sum + minute.refused, 0);
  return { perMinute: answered / late.length, refused: refused / (answered + refused) };
}

describe('a limit that the server enforces', () => {
  const counts: [string, (perMinute: number) => LimitedServer][] = [
    ['a bucket', (rate) => bucket(rate)],
    ['a bucket of a minute', (rate) => bucket(rate, rate)],
    ['the minute of the clock', (rate) => fixedWindow(rate)],
    ['the last sixty seconds', (rate) => slidingLog(rate)],
    ['a sliding count', (rate) => slidingCounter(rate)],
    ['a queue', (rate) => leakyQueue(rate)],
  ];
  const loads: [string, Partial<Load>][] = [
    ['nothing', {}],
    ['to come back in a second', { says: 1 }],
    ['to come back at once', { says: 0 }],
    ['ten times as much in its file', { perMinute: 6_000 }],
  ];
  const cases = counts.flatMap(([counted, server]) => loads.map(([said, load]) => ({ counted, said, server, load })));
  it.each(cases)('by $counted, where it says $said, is met within a minute', ({ server, load }) => {
    expectUsed(drive(server(600), { minutes: 5, senders: 64, latency: 1_000, ...load }), 600);
  });

  it.each([
    // One in a hundred of 60 is less than a request a minute, and what was saved up is refused one by one.
    [60, [0.92, 0.05]],
    [6_000, [0.95, 0.02]],
  ] as const)('of %i a minute is met as well', (rate, wanted) => {
    const minutes = rate === 60 ? 10 : 3;
    for (const [, server] of rate === 60 ? counts.slice(0, 3) : [counts[0]!, counts[2]!]) {
      expectUsed(drive(server(rate), { minutes, senders: 256, latency: 1_000 }), rate, wanted);
    }
  });

  it.each(cases)('by $counted, where it says $said, is told to people as no more than it is', ({ server, load }) => {
    for (const [rate, minutes] of [
      [60, 15],
      [600, 7],
    ] as const) {
      const { advice } = drive(server(rate), { minutes, senders: 16, latency: 300, ...load });
      // Of 60 a minute one more or less is no surer limit, so that a build may never say it.
      if (rate === 60 && advice === undefined) continue;
      expect(advice?.perMinute ?? Number.NaN).toBeGreaterThan(0.85 * rate);
      // Each minute of a server that counts by the clock shares a request or two with the next one.
      expect(Math.floor(advice?.perMinute ?? Number.NaN)).toBeLessThanOrEqual(1.02 * rate);
      expect(advice?.at).toBeGreaterThan(2 * MINUTE);
    }
  });

  it.each([8, 256])('is met by %i senders', (senders) => {
    expectUsed(drive(fixedWindow(600), { minutes: 5, senders, latency: 50 }), 600);
    expectUsed(drive(bucket(600), { minutes: 5, senders, latency: 50 }), 600);
  });

  it('is met where answers take so long that a minute of them is under way', () => {
    expectUsed(drive(bucket(600), { minutes: 6, senders: 256, latency: 20_000 }), 600);
    expectUsed(drive(bucket(600), { minutes: 6, senders: 256, latency: 20_000, says: { limit: 600 } }), 600);
  });

  it('that the server tells is kept to from the first minute on', () => {
    const found = drive(fixedWindow(600), { minutes: 3, senders: 64, latency: 1_000, says: { limit: 600 } });
    expectUsed(found, 600, [0.95, 0.001]);
    expect(found.learnt).toEqual([600]);
  });

  it('of tokens is met by counting requests', () => {
    const load = { minutes: 6, senders: 64, latency: 1_000, spread: 0.5 };
    expectUsed(drive(tokensBucket(600_000), load), 600);
  });

  it('is learnt, and kept to from the first minute on where it is remembered', () => {
    const load = { minutes: 4, senders: 64, latency: 1_000 };
    const { learnt } = drive(fixedWindow(600), load);
    expect(learnt[0]).toBeGreaterThan(580);
    expect(learnt[0]).toBeLessThan(620);
    const again = drive(fixedWindow(600), { ...load, remembered: learnt[0]! });
    expect(again.minutes[0]!.answered).toBeGreaterThan(0.95 * 600);
    expect(again.minutes[0]!.refused).toBeLessThan(12);
  });

  it.each([60, 100, 300])('is not learnt of an outage of %i seconds by the builds after it', (seconds) => {
    const load = { minutes: 12, senders: 8, latency: 100 };
    const outage: LimitedServer = {
      ask: (now) => ({ answered: now < 2_000 || now >= 2_000 + seconds * 1_000, freeIn: 1, left: 0 }),
    };
    const { learnt } = drive(outage, load);
    // Eight senders get 4,800 a minute.
    expect(learnt[0]).toBeGreaterThan(4_000);
    const again = drive(
      { ask: () => ({ answered: true, freeIn: 0, left: 1 }) },
      { ...load, minutes: 2, remembered: learnt[0]! },
    );
    expect(again.minutes[0]!.answered).toBeGreaterThan(0.9 * 4_800);
  });

  it.each([
    [30, 3],
    [60, 2],
  ])(
    'is not taken from a build that was at work before an outage of %i seconds: minute %i is as before',
    (seconds, index) => {
      const outage: LimitedServer = {
        ask: (now) => ({ answered: now < MINUTE || now >= MINUTE + seconds * 1_000, freeIn: 1, left: 0 }),
      };
      const { minutes } = drive(outage, { minutes: 12, senders: 8, latency: 500 });
      // Eight senders get 960 a minute.
      expect(minutes[index]!.answered).toBeGreaterThan(0.8 * 960);
    },
  );

  it.each([
    ['halved', 600, 300],
    ['doubled', 600, 1_200],
    ['lowered to a tenth', 3_000, 300],
  ])('is found again within two minutes where it is %s', (_, before, after) => {
    for (const [, server] of [counts[0]!, counts[2]!]) {
      const changed = changing(3 * MINUTE, server(before), server(after));
      const found = from(5, drive(changed, { minutes: 8, senders: 256, latency: 1_000 }));
      expect(found.perMinute).toBeGreaterThan(0.92 * after);
      expect(found.refused).toBeLessThan(0.03);
    }
  });

  it.each([
    [bucket, 5],
    [bucket, 10],
    [(rate: number) => bucket(rate, rate), 45],
  ] as const)('is no chance where it falls soon after the first refusals', (server, second) => {
    for (const [senders, latency] of [
      [8, 50],
      [256, 1_000],
    ] as const) {
      const changed = changing(second * 1_000, server(3_000), server(300));
      const { minutes } = drive(changed, { minutes: 6, senders, latency });
      for (const { answered, refused } of minutes.slice(3)) expect(refused).toBeLessThan(answered / 10);
    }
  });

  it('is met by a bucket of a minute that few answers measured when it was empty', () => {
    // A trial of two answers, and refusals of what was sent before it, once left a sixtieth of the limit, taken for sure.
    const found = drive(bucket(6_000, 6_000), { minutes: 3, senders: 64, latency: 50 });
    expectUsed(found, 6_000);
  });

  it('is shared by two builds', () => {
    const load = { minutes: 8, senders: 64, latency: 1_000, begins: [0, 30_000] };
    expectUsed(drive(bucket(600), load), 600, [0.93, 0.03]);
    expectUsed(drive(fixedWindow(600), load), 600, [0.93, 0.03]);
  });

  it.each([1, 5])('is met once by a build that is banned for %i minutes then', (minutes) => {
    const server = banning(bucket(600), minutes * MINUTE);
    const found = from(10, drive(server, { minutes: 12, senders: 64, latency: 1_000 }));
    expect(server.bans()).toBe(1);
    expect(found.perMinute).toBeGreaterThan(0.95 * 600);
  });

  it.each([
    ['of a second', bucket(600)],
    ['of one', bucket(600, 1)],
  ])('of a bucket %s that asks for half a minute each time is found within six minutes', (_, server) => {
    const found = from(6, drive(server, { minutes: 12, senders: 16, latency: 300, says: 30 }));
    expect(found.perMinute).toBeGreaterThan(0.8 * 600);
    expect(found.refused).toBeLessThan(0.01);
  });

  it('is not run into by all at once after each pause that the server asks for', () => {
    const found = drive(bucket(60, 60), { minutes: 10, senders: 64, latency: 1_000, says: 30 });
    expectUsed(found, 60, [0.85, 0.02]);
  });

  it('is asked about ever more rarely while the server is shut', () => {
    let asked = 0;
    const shut: LimitedServer = {
      ask: (now) => {
        if (now > 1_000) asked++;
        return { answered: now < 1_000, freeIn: 1, left: 0 };
      },
    };
    drive(shut, { minutes: 10, senders: 64, latency: 100 });
    // A minute at gaps of up to a second and a half, then once a minute.
    expect(asked).toBeGreaterThan(40);
    expect(asked).toBeLessThan(140);
  });
});

describe('refusals by chance', () => {
  it.each([0.05, 0.1, 0.3, 0.5])('of %d of the requests are found out within seconds', (share) => {
    const { seconds } = drive(careless(share), { minutes: 1, senders: 16, latency: 500 });
    const answers = seconds.slice(15).reduce((sum, count) => sum + count, 0) / 45;
    // Sixteen senders get 32 a second at most, and wait 20 ms for each refusal.
    expect(answers).toBeGreaterThan(20);
  });

  it('are not remembered as a limit', () => {
    expect(drive(careless(0.3), { minutes: 1, senders: 16, latency: 500 }).learnt).toEqual([null]);
  });

  it('are told from those of a limit that comes into force later', () => {
    const server = changing(4 * MINUTE, careless(0.3), bucket(300));
    const { minutes, learnt } = drive(server, { minutes: 10, senders: 16, latency: 500 });
    expect(minutes.at(-1)!.answered).toBeGreaterThan(0.9 * 300);
    expect(minutes.at(-1)!.refused).toBeLessThan(minutes.at(-1)!.answered);
    expect(learnt[0] ?? 0).toBeLessThan(600);
  });

  it('beside a limit leave most of what the limit allows', () => {
    const server = both(careless(0.1), bucket(1_200));
    const found = drive(server, { minutes: 12, senders: 64, latency: 500 });
    expect(found.perMinute).toBeGreaterThan(0.85 * 1_200);
    expect(found.refused).toBeLessThan(0.45);
  });
});
