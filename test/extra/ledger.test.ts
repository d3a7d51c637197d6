/** The scripts of the ledger, in a Redis of their own. */

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '../../src/cluster/connect.ts';
import { Ledger, readBooks, type SettledAs } from '../../src/cluster/ledger.ts';
import { Roster } from '../../src/cluster/roster.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import { seeded } from '../helpers/crashing.ts';
import { type OwnRedis, startRedis } from '../helpers/redis.ts';

type AccountSettings = ConstructorParameters<typeof Ledger>[2];
type ClaimRequest = Parameters<Ledger['claim']>[0];

let server: OwnRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = await connectRedis({ url: server.url, password: undefined });
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

const call = (index: number): Digest => digestText(`call ${index}`);
const micro = (count: number): number => count / 1e6;
/** Sent at once. */
const GO = { type: 'go', milliseconds: 0 };
const ABOUT = { host: 'h', pid: 1, version: '1' };
let accounts = 0;

function open(settings: Partial<AccountSettings> = {}) {
  const account = `account-${accounts++}`;
  const none = () => ({ requestsPerMinute: 0, tokensPerMinute: 0 });
  const ledger = new Ledger(redis, account, { cap: undefined, lease: 60_000, mostAgain: 1, rates: none, ...settings });
  return { ledger, account, books: (build?: string) => readBooks(redis, account, build) };
}

const request = (index: number, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  call: call(index),
  owner: 'till',
  number: index,
  model: 'm',
  reserve: micro(100),
  tokens: 10,
  limits: { build: 'b', maxCost: undefined, maxCalls: undefined },
  ...more,
});

describe('a ledger', () => {
  test('lets one try of a call be sent, and knows its answer', async () => {
    const { ledger, books } = open();
    const first = request(1);
    expect(await ledger.claim(first)).toEqual(GO);
    expect(await ledger.claim(request(1, { owner: 'other' }))).toMatchObject({ type: 'flying' });
    expect(await ledger.claim(request(1, { number: 2 }))).toMatchObject({ type: 'flying' });
    expect(await books()).toMatchObject({ reserved: micro(100), calls: 1 });
    expect(await ledger.settle(first, 'billed', micro(60), 'answer')).toBe('booked');
    expect(await books()).toEqual({ spent: micro(60), reserved: 0, unknown: 0, calls: 1, unknowns: 0, givenUp: 0 });
    const have = { type: 'have', digest: 'answer' };
    expect(await ledger.claim(request(1, { owner: 'other' }))).toEqual(have);
    // Asked anew it is another try, but only of whoever knows this answer.
    expect(await ledger.claim(request(1, { number: 3, superseding: 'older' }))).toEqual(have);
    expect(await ledger.claim(request(1, { number: 4, superseding: 'answer' }))).toEqual(GO);
  });

  test('books a try that nobody settles as unknown, once, and lets the call be bought again as often as was said', async () => {
    const { ledger, books, account } = open({ lease: 1 });
    expect(await ledger.claim(request(1))).toEqual(GO);
    await expect.poll(() => ledger.lapse()).toBe(1);
    expect(await Promise.all([ledger.lapse(), ledger.lapse()])).toEqual([0, 0]);
    const once = { spent: 0, reserved: 0, unknown: micro(100), calls: 1, unknowns: 1, givenUp: 0 };
    expect(await books()).toEqual(once);
    expect(await books('b')).toEqual(once);
    // The till was frozen, and comes back: its answer is known, its money stays where it is.
    expect(await ledger.settle(request(1), 'billed', micro(60), undefined)).toBe('late');
    expect(await books()).toEqual(once);
    expect(await ledger.claim(request(1, { owner: 'second', number: 2 }))).toEqual(GO);
    await expect.poll(() => ledger.lapse()).toBe(1);
    expect(await ledger.claim(request(1, { owner: 'third', number: 3 }))).toEqual({ type: 'unresolved' });
    expect(await redis.hlen(`cje:{${account}}:unknowns`)).toBe(2);
    expect(await ledger.resolve()).toBe(1);
    expect(await ledger.claim(request(1, { owner: 'third', number: 4 }))).toEqual(GO);
  });

  test('books what costs nothing, answered or not', async () => {
    const { ledger, books } = open({ lease: 1 });
    for (const [index, outcome] of (['billed', 'unknown', 'unsent'] as const).entries()) {
      expect(await ledger.claim(request(index, { reserve: 0 }))).toEqual(GO);
      expect(await ledger.settle(request(index), outcome, 0, undefined)).toBe('booked');
    }
    expect(await ledger.claim(request(9, { reserve: 0 }))).toEqual(GO);
    await expect.poll(() => ledger.lapse()).toBe(1);
    expect(await books()).toEqual({ spent: 0, reserved: 0, unknown: 0, calls: 3, unknowns: 2, givenUp: 0 });
  });

  test('holds answers until they are elsewhere, as many as there is room for', async () => {
    const { ledger, account } = open();
    const bytes = () => redis.get(`cje:{${account}}:held-bytes`).then(Number);
    const answer = async (index: number, digest: string, held: string) => {
      await ledger.claim(request(index));
      for (let twice = 0; twice < 2; twice++) await ledger.settle(request(index), 'billed', 0, digest, held);
    };
    await answer(1, 'a', '12345');
    await answer(2, 'b', '123');
    expect([await ledger.held(call(1)), await ledger.held(call(2)), await bytes()]).toEqual(['12345', '123', 8]);
    await answer(3, 'c', 'x'.repeat(65 << 20));
    expect([await ledger.held(call(3)), await bytes()]).toEqual([undefined, 8]);
    // One that was asked anew meanwhile is not what was given.
    await ledger.release(
      new Map([
        [call(1), 'a'],
        [call(2), 'older'],
      ]),
    );
    expect([await ledger.allHeld(), await bytes()]).toEqual([['123'], 3]);
  });

  test('gives up an answer that nobody finds on a person’s word, and counts it', async () => {
    const { ledger, books } = open();
    for (const index of [1, 2]) {
      await ledger.claim(request(index));
      await ledger.settle(request(index), 'billed', micro(60), `answer ${index}`);
      await ledger.missing(call(index), `answer ${index}`);
    }
    // The second was found after all.
    await ledger.missing(call(2), undefined);
    expect(await ledger.allMissing()).toEqual([call(1)]);
    expect([await ledger.giveUp(), await ledger.giveUp()]).toEqual([1, 0]);
    expect(await ledger.claim(request(1, { number: 3 }))).toEqual(GO);
    expect(await ledger.claim(request(2, { number: 4 }))).toEqual({ type: 'have', digest: 'answer 2' });
    await ledger.settle(request(1, { number: 3 }), 'billed', micro(60), 'answer 3');
    expect(await books()).toMatchObject({ spent: micro(180), calls: 3, givenUp: 1 });
  });

  test('keeps the tries of a till that lives', async () => {
    const { ledger } = open({ lease: 200 });
    await ledger.claim(request(1));
    const until = Date.now() + 500;
    await expect
      .poll(async () => [await ledger.beat('till', [call(1)]), Date.now() > until], { timeout: 5000 })
      .toEqual([{ isOpen: true, held: 1 }, true]);
    expect(await ledger.lapse()).toBe(0);
    expect(await ledger.beat('another', [call(1)])).toEqual({ isOpen: false, held: 0 });
  });

  test('holds the caps of the account and of a build to the micro-dollar, and waits where room may come', async () => {
    const { ledger, books } = open({ cap: micro(1000) });
    const limits = { build: 'small', maxCost: micro(250), maxCalls: 3 };
    expect(await ledger.claim(request(1, { limits }))).toEqual(GO);
    expect(await ledger.claim(request(2, { limits }))).toEqual(GO);
    expect(await ledger.claim(request(3, { limits }))).toEqual({ type: 'full' });
    await ledger.settle(request(1), 'billed', micro(75), 'a');
    await ledger.settle(request(2), 'billed', micro(75), 'b');
    expect(await ledger.claim(request(3, { limits, reserve: micro(100.001) }))).toMatchObject({
      type: 'broke',
      by: 'build',
    });
    expect(await ledger.claim(request(3, { limits }))).toEqual(GO);
    await ledger.settle(request(3), 'free', 0, undefined);
    expect(await ledger.claim(request(4, { limits }))).toMatchObject({ type: 'broke', by: 'calls' });
    for (let index = 10; index < 18; index++) expect(await ledger.claim(request(index))).toEqual(GO);
    expect(await ledger.claim(request(20, { reserve: micro(50) }))).toEqual(GO);
    expect(await ledger.claim(request(21, { reserve: micro(1) }))).toEqual({ type: 'full' });
    expect(await books()).toMatchObject({ spent: micro(150), reserved: micro(850) });
  });

  test('books the same when every script is sent twice, as after a reconnect', async () => {
    const random = seeded(7);
    const run = async (twice: boolean) => {
      const next = seeded(3);
      const { ledger, books } = open({ cap: micro(3000) });
      const send = async <T>(work: () => Promise<T>): Promise<T> => {
        const result = await work();
        if (twice && random() < 0.7) await work();
        return result;
      };
      for (let index = 0; index < 120; index++) {
        const asked = request(index % 90, { number: index });
        const claim = await send(() => ledger.claim(asked));
        if (claim.type !== 'go') continue;
        const outcome = (['billed', 'billed', 'free', 'unsent', 'unknown'] as const)[
          Math.floor(next() * 5)
        ] as SettledAs;
        const cost = micro(Math.floor(next() * 100));
        await send(() => ledger.settle(asked, outcome, cost, outcome === 'billed' ? `answer ${index}` : undefined));
      }
      return books();
    };
    const once = await run(false);
    expect(once.spent + once.unknown).toBeGreaterThan(micro(2000));
    expect(once.spent + once.unknown).toBeLessThanOrEqual(micro(3000));
    expect(await run(true)).toEqual(once);
    await redis.script('FLUSH');
    expect(await run(true)).toEqual(once);
  });

  test('gives out turns below one limit to whoever asks, evenly and ahead of time, and none is lost', async () => {
    const rate = 100;
    const lease = 60_000;
    const { ledger, account } = open({ lease, rates: () => ({ requestsPerMinute: rate * 60, tokensPerMinute: 0 }) });
    const turns: number[] = [];
    const waits: number[] = [];
    let index = 0;
    const till = async (owner: string) => {
      while (index < 160) {
        const number = index++;
        let claim = await ledger.claim(request(number, { owner }));
        for (; claim.type !== 'go'; claim = await ledger.claim(request(number, { owner }))) {
          if (claim.type === 'wait') waits.push(claim.milliseconds);
        }
        const intent = `cje:{${account}}:int:${call(number)}`;
        expect(claim.milliseconds).toBeLessThanOrEqual(501);
        turns.push(Number(await redis.hget(intent, 'turn')));
        // A claim that is sent again is the same turn.
        const left = await ledger.claim(request(number, { owner }));
        expect(left.type === 'go' && left.milliseconds).toBeLessThanOrEqual(claim.milliseconds);
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(till));
    turns.sort((a, b) => a - b);
    const inSecond = turns.map((from) => turns.filter((at) => at >= from && at < from + 1000).length);
    expect(Math.max(...inSecond)).toBeLessThanOrEqual(rate);
    expect((1000 * (turns.length - 1)) / (turns.at(-1)! - turns[0]!)).toBeGreaterThanOrEqual(0.95 * rate);
    expect(waits.length).toBeGreaterThan(0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(Math.ceil(1000 / (0.95 * rate)));
  });

  test('holds tokens a minute, and lets a request through that is larger than a second’s worth', async () => {
    const { ledger } = open({ rates: () => ({ requestsPerMinute: 0, tokensPerMinute: 6_000 }) });
    expect(await ledger.claim(request(1, { tokens: 500 }))).toEqual(GO);
    const wait = await ledger.claim(request(2, { tokens: 10 }));
    expect(wait).toMatchObject({ type: 'wait' });
    expect('milliseconds' in wait && wait.milliseconds).toBeGreaterThan(3_500);
  });

  test('has one till at a time, until that has said nothing for a lease', async () => {
    const { ledger } = open({ lease: 300 });
    const taken = { isOpen: true };
    expect(await ledger.open('first')).toEqual(taken);
    expect(await ledger.open('first')).toEqual(taken);
    const second = { isOpen: false, by: 'first' };
    expect(await ledger.open('second')).toEqual(second);
    // One that is not open closes nothing.
    await ledger.leave('second');
    expect(await ledger.open('second')).toEqual(second);
    await ledger.leave('first');
    expect(await ledger.open('second')).toEqual(taken);
    await expect.poll(() => ledger.open('third')).toEqual(taken);
    // The second was frozen, and is told as it comes back.
    expect(await ledger.beat('second', [])).toEqual({ isOpen: false, held: 0 });
  });

  test('passes over heartbeats that it cannot read', async () => {
    const roster = new Roster(redis, 'roster');
    const worker = { ...ABOUT, code: 'c', places: 2, since: 1, jobs: [{ node: 'a', since: 2 }] };
    await roster.beat('workers', 'good', worker);
    const foreign = ['{', 'null', '7', '{}', '{"at":"now"}', JSON.stringify({ ...worker, at: 5, jobs: 3 })];
    for (const [index, text] of foreign.entries()) await redis.hset('cje:{roster}:workers', `bad-${index}`, text);
    expect(await roster.read('workers')).toEqual([{ id: 'good', seconds: 0, ...worker }]);
    await redis.hset('cje:{roster}:tills', 'old', JSON.stringify({ ...ABOUT, at: 1 }));
    expect(await roster.read('tills')).toEqual([]);
    expect(await redis.hlen('cje:{roster}:tills')).toBe(0);
  });

  test('is opened once with what was spent before', async () => {
    const { ledger, books } = open();
    expect(await ledger.openBooks({ spent: 2, unknown: 0.5 })).toBe(1);
    expect(await ledger.openBooks({ spent: 9, unknown: 9 })).toBe(0);
    expect(await books()).toMatchObject({ spent: 2, unknown: 0.5 });
  });
});
