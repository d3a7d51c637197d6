import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProviderClient } from '../../src/providers/client.ts';
import { learntRates, modelMemory } from '../../src/providers/learnt-rates.ts';
import { admitAll } from '../engine/money.ts';
import { type Answering, COMPLETION, instantClock, LIMITS, never, order, provider, reply, serve } from './support.ts';

const REFUSED = { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } };
const CHAT = { model: 'm', messages: [] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rates-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Asks for so many replies at once. */
async function buy(count: number, answer: Answering, concurrency = LIMITS.concurrency) {
  const server = await serve(answer);
  const clock = instantClock();
  const start = clock.now();
  const notes: string[] = [];
  const client = createProviderClient({
    providers: [provider({ baseUrl: server.url, limits: { ...LIMITS, attempts: 2, concurrency } })],
    secrets: () => undefined,
    clock,
    random: () => 0.5,
    learntRates: learntRates(folder),
    note: (text) => notes.push(text),
  });
  const asking = Array.from({ length: count }, (_, seed) =>
    client.buy(order({ ...CHAT, seed }), { signal: never, admit: admitAll().admit, onRetry: () => {} }),
  );
  const results = await Promise.all(asking);
  await client.close();
  await server.close();
  return { results, requests: server.received.length, milliseconds: clock.now() - start, slept: clock.slept, notes };
}

describe('refusals', () => {
  it('use up time, not tries', async () => {
    const { results, requests } = await buy(8, (_, response, turn) =>
      turn < 40 ? reply(response, 429, REFUSED) : reply(response, 200, COMPLETION),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(requests).toBe(48);
  });

  it('that go on for long are told once, while they last', async () => {
    const shut = await buy(8, (_, response, turn) =>
      turn < 60 ? reply(response, 503, REFUSED, { 'retry-after': '4' }) : reply(response, 200, COMPLETION),
    );
    expect(shut.notes).toEqual([
      expect.stringMatching(
        /^\S+ has refused every call of m for 2\d s \(503 Rate limit reached\); it is asked again for up to 10 minutes$/,
      ),
    ]);
    const short = await buy(8, (_, response, turn) =>
      turn < 3 ? reply(response, 503, REFUSED, { 'retry-after': '4' }) : reply(response, 200, COMPLETION),
    );
    expect(short.notes).toEqual([]);
  });

  it.each([
    [503, '2'],
    [529, '2'],
    [503, '0'],
  ])('of an overloaded server (%i) that names a time of %s s are waited for as well', async (status, seconds) => {
    const { results, requests } = await buy(1, (_, response, turn) =>
      turn < 9 ? reply(response, status, REFUSED, { 'retry-after': seconds }) : reply(response, 200, COMPLETION),
    );
    expect(results[0]).toMatchObject({ ok: true });
    expect(requests).toBe(10);
  });

  it('of an overloaded server that names none are waited for where it has answered before', async () => {
    const silent = await buy(1, (_, response) => reply(response, 503, REFUSED));
    expect(silent.results[0]).toMatchObject({ ok: false });
    expect(silent.requests).toBe(2);
    const once = await buy(8, (_, response, turn) =>
      turn > 0 && turn < 40 ? reply(response, 503, REFUSED) : reply(response, 200, COMPLETION),
    );
    expect(once.results.every(({ ok }) => ok)).toBe(true);
    expect(once.requests).toBe(47);
    const ever = await buy(8, (_, response, turn) =>
      reply(response, turn === 0 ? 200 : 503, turn ? REFUSED : COMPLETION),
    );
    expect(ever.results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(ever.results[1]).toMatchObject({
      failure: { reason: 'overloaded', message: expect.stringContaining('has refused every call for 10 minutes') },
    });
  });

  it('for ever end after ten minutes, for all that wait', async () => {
    const { results, milliseconds, slept, requests } = await buy(20, (_, response) => reply(response, 429, REFUSED), 1);
    for (const result of results) {
      expect(result).toMatchObject({
        ok: false,
        failure: { class: 'transient', reason: 'rate_limited', message: expect.stringContaining('10 minutes') },
      });
    }
    expect(milliseconds).toBeGreaterThan(600_000);
    expect(milliseconds).toBeLessThan(700_000);
    expect(Math.max(...slept)).toBe(30_000);
    expect(requests).toBeLessThan(60);
  });

  it('that ask for years end at once, for all that wait', async () => {
    const { results, requests } = await buy(50, (_, response) =>
      reply(response, 429, REFUSED, { 'retry-after': '1000000000' }),
    );
    for (const result of results) {
      expect(result).toMatchObject({
        ok: false,
        failure: { message: expect.stringContaining('asks to wait 31 years; build again then') },
      });
    }
    expect(requests).toBeLessThanOrEqual(LIMITS.concurrency);
  });
});

describe('what was learnt of rates', () => {
  it.each([
    [429, {}],
    [429, { 'retry-after': '1' }],
    [503, { 'retry-after': '1' }],
    [529, { 'retry-after': '1' }],
  ])('from refusals by %i is kept for the next build, by identity and model', async (status, headers) => {
    await buy(80, (_, response, turn) =>
      turn < 4 ? reply(response, status, REFUSED, headers) : reply(response, 200, COMPLETION),
    );
    const rate = learntRates(folder).recall('http://test', 'm');
    expect(rate).toBeGreaterThan(10);
    expect(rate).toBeLessThan(100_000);
    expect(learntRates(folder).recall('http://test', 'other')).toBeUndefined();
    learntRates(folder).keep('http://other', 'm', 7.123456);
    expect(JSON.parse(readFileSync(join(folder, 'rates.json'), 'utf8'))).toEqual({
      'http://test': { m: rate },
      'http://other': { m: 7.12 },
    });
  });

  it('is forgotten where refusals turn out to come by chance', () => {
    const rates = learntRates(folder);
    for (const model of ['m', 'n']) rates.keep('http://test', model, 2);
    rates.keep('http://test', 'm', null);
    rates.keep('http://other', 'm', null);
    expect(JSON.parse(readFileSync(join(folder, 'rates.json'), 'utf8'))).toEqual({
      'http://test': { n: 2 },
      'http://other': {},
    });
  });

  it('is nothing where the server refused nothing', async () => {
    await buy(8, (_, response) => reply(response, 200, COMPLETION));
    expect(learntRates(folder).recall('http://test', 'm')).toBeUndefined();
  });

  it.each(['', '{', '[]', '{"http://test": 7}', '{"http://test": {"m": -1}}', '{"http://test": {"m": "7"}}'])(
    'is nothing where the file holds %s',
    (text) => {
      writeFileSync(join(folder, 'rates.json'), text);
      expect(learntRates(folder).recall('http://test', 'm')).toBeUndefined();
      expect(learntRates(folder).recall('__proto__', 'm')).toBeUndefined();
      learntRates(folder).keep('http://test', 'm', 60);
      expect(learntRates(folder).recall('http://test', 'm')).toBe(60);
    },
  );

  it('is by model whatever its shape, and forgets what it cannot read', () => {
    const path = join(folder, 'pairs.json');
    writeFileSync(path, '{"http://test": {"m (too much)": 7, "n": [1, 2]}}');
    const read = (value: unknown) => (Array.isArray(value) ? (value as number[]) : undefined);
    const memory = modelMemory(path, read);
    expect([memory.recall('http://test', 'm (too much)'), memory.recall('http://test', 'n')]).toEqual([
      undefined,
      [1, 2],
    ]);
    memory.keep('http://test', 'm', [3]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ 'http://test': { n: [1, 2], m: [3] } });
  });

  it('costs nothing but the memory where the folder cannot be written', () => {
    const rates = learntRates(join(folder, 'missing'));
    rates.keep('http://test', 'm', 60);
    expect(rates.recall('http://test', 'm')).toBeUndefined();
  });
});
