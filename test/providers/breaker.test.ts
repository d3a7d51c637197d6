/** A model that answers nothing: how often it is asked, and who goes on when it does answer. */

import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../src/providers/breaker.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import { admitAll } from '../engine/money.ts';
import { COMPLETION, closedAfterEach, instantClock, LIMITS, never, order, provider, reply, serve } from './support.ts';

const CHAT = { model: 'm', messages: [] };

const opened = closedAfterEach();

/** So many calls at once to a server that answers the requests whose number `answers` admits, counted from 0. */
async function ask(calls: number, answers: (turn: number) => boolean, concurrency = calls, random = 0) {
  const server = await serve((_, response, turn) =>
    answers(turn) ? reply(response, 200, COMPLETION) : reply(response, 500, { error: { message: 'oops' } }),
  );
  const clock = instantClock();
  const client = createProviderClient({
    providers: [provider({ baseUrl: server.url, limits: { ...LIMITS, attempts: 6, concurrency } })],
    secrets: () => undefined,
    clock,
    random: () => random,
  });
  opened.push(server, client);
  const buy = (seed: number) =>
    client.buy(order({ ...CHAT, seed }), { signal: never, admit: admitAll().admit, onRetry: () => {} });
  const results = await Promise.all(Array.from({ length: calls }, (_, seed) => buy(seed)));
  return { results, requests: () => server.received.length, buy, longest: Math.max(...clock.slept) };
}

const NOTHING = () => false;

describe('a model that answers nothing', () => {
  it.each([8, 16, 64])('is asked at most twice as often as %d calls are under way', async (calls) => {
    const { results, requests } = await ask(calls, NOTHING);
    expect(results.every(({ ok }) => !ok)).toBe(true);
    expect(requests()).toBeLessThanOrEqual(2 * calls);
  });

  it('is not asked by those that wait for the limiter', async () => {
    const { results, requests } = await ask(100, NOTHING, 4);
    expect(results.every((result) => !result.ok && result.failure.class === 'transient')).toBe(true);
    expect(requests()).toBeLessThanOrEqual(2 * 4 + 6);
  });

  it('is given up when the tries of the one that goes on are spent, and later calls fail at once', async () => {
    const { requests, buy } = await ask(16, NOTHING);
    const before = requests();
    expect(await buy(99)).toMatchObject({ ok: false, failure: { class: 'transient', reason: 'server_error' } });
    expect(requests()).toBe(before);
  });

  it('is given longer where it had answered, since it may be starting anew behind a proxy', async () => {
    expect((await ask(8, NOTHING, 8, 0.5)).longest).toBe(4_000);
    expect((await ask(8, (turn) => turn === 0, 8, 0.5)).longest).toBe(15_000);
  });

  it('is asked by all again when it answers the one that goes on', async () => {
    const { results, requests } = await ask(16, (turn) => turn >= 18);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(requests()).toBe(18 + 16);
  });
});

describe('a breaker', () => {
  it('opens with four failures in a row, and any answer begins the row anew', () => {
    const breaker = createBreaker();
    for (let failure = 0; failure < 3; failure++) breaker.fail(1);
    breaker.succeed();
    expect(breaker.failures).toBe(0);
    for (let failure = 0; failure < 3; failure++) breaker.fail(1);
    expect(breaker.isOpen).toBe(false);
    breaker.fail(1);
    expect(breaker.isOpen).toBe(true);
    breaker.succeed();
    expect([breaker.isOpen, breaker.failures]).toEqual([false, 0]);
  });

  it('opens with half of what is under way', () => {
    const breaker = createBreaker();
    for (let failure = 0; failure < 9; failure++) breaker.fail(20);
    expect(breaker.isOpen).toBe(false);
    breaker.fail(20);
    expect(breaker.isOpen).toBe(true);
  });
});

describe('a model that answers most', () => {
  it('is not given up for a call that it never answers', async () => {
    let turn = 0;
    const poisoned = await ask(1, () => turn++ > 6);
    expect(poisoned.results[0]).toMatchObject({ ok: false });
    expect(await poisoned.buy(5)).toMatchObject({ ok: true });
  });
});

describe('the turn of the one that goes on', () => {
  it('is passed on by whoever is woken for it and wants it no more', async () => {
    const breaker = createBreaker();
    for (let failures = 0; failures < 4; failures++) breaker.fail(1);
    const release = await breaker.take(never);
    const gone = new AbortController();
    const [second, third] = [breaker.take(gone.signal), breaker.take(never)];
    release!();
    gone.abort();
    expect(await second).toBeUndefined();
    const hasTurn = await Promise.race([
      third.then(() => true),
      new Promise((resolve) => setImmediate(resolve, false)),
    ]);
    expect(hasTurn).toBe(true);
  });
});
