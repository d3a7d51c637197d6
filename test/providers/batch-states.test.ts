/** What a provider says of a batch, count by count, and which results are gone for good. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BatchState, ResultsCut } from '../../src/core/batch-port.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import { anthropicBatches } from '../../src/providers/batch/anthropic.ts';
import { createBatchHttp } from '../../src/providers/batch/http.ts';
import { learntRates } from '../../src/providers/learnt-rates.ts';
import { createRates } from '../../src/providers/rates.ts';
import { instantClock, never } from './support.ts';

async function looked(body: JsonObject, retryAfter?: string): Promise<BatchState> {
  const api = anthropicBatches({
    baseUrl: 'http://lab/v1',
    clock: instantClock(),
    signal: never,
    json: async () => ({
      ok: true,
      value: { body, header: (name) => (name === 'retry-after' ? retryAfter : undefined) },
    }),
    put: async () => ({ ok: true, value: undefined }),
    async *lines() {},
  });
  const step = await api.look('b');
  if (!step.ok) throw new Error(step.failure.message);
  return step.value;
}

describe('a batch of Anthropic', () => {
  const counts = { processing: 0, succeeded: 4, errored: 3, canceled: 0, expired: 0 };
  const of = (status: string, more: Partial<typeof counts> = {}) =>
    ({ id: 'b', processing_status: status, request_counts: { ...counts, ...more } }) as JsonObject;

  it('has answered what has succeeded, once it has ended', async () => {
    const state = { id: 'b', mistakes: [], results: [] };
    expect(await looked(of('ended'))).toEqual({ ...state, end: 'completed', status: 'ended', total: 7, answered: 4 });
    const running = { ...state, end: undefined, status: 'in_progress', total: 9, answered: 0 };
    expect(await looked(of('in_progress', { processing: 2 }))).toEqual(running);
    expect(await looked(of('in_progress', { processing: 2 }), '30')).toEqual({ ...running, lookAgain: 30_000 });
    expect(await looked(of('in_progress', { processing: 2 }), '0')).toEqual(running);
  });

  it('was cut short where anything in it expired or was cancelled', async () => {
    expect(await looked(of('ended', { expired: 1 }))).toMatchObject({ end: 'expired', total: 8 });
    expect(await looked(of('ended', { expired: 1, canceled: 2 }))).toMatchObject({ end: 'cancelled', total: 10 });
    expect(await looked(of('canceling', { canceled: 2 }))).toMatchObject({ end: undefined });
  });
});

it.each([
  [404, 'permanent'],
  [410, 'permanent'],
  [400, 'transient'],
  [403, 'transient'],
  [429, 'transient'],
  [500, 'transient'],
])('results that are answered with %i are gone, or are read another time: %s', async (status, kind) => {
  const http = createBatchHttp({
    transport: {
      baseUrl: 'http://here',
      request: () => Promise.reject(new Error('nothing is asked')),
      put: () => Promise.reject(new Error('nothing is put')),
      stream: async () => ({
        status,
        header: () => null,
        body: (async function* () {
          yield Buffer.from('{"error":{"message":"no"}}');
        })(),
      }),
    },
    ring: { keys: () => [] },
    protocol: openaiChat,
    attempts: 1,
    clock: instantClock(),
    random: () => 0,
    signal: never,
  });
  const read = async () => {
    for await (const _ of http.lines('http://here/file')) throw new Error('a line came');
  };
  const error = await read().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ResultsCut);
  expect((error as ResultsCut).failure.class).toBe(kind);
});

describe('rates', () => {
  it('that were learnt are kept to a hundredth, beside those of others, and a rate that is none is not recalled', () => {
    const cache = mkdtempSync(join(tmpdir(), 'cje-rates-'));
    try {
      const rates = learntRates(cache);
      rates.keep('i', 'm', 12.3456);
      rates.keep('i', 'other', 7);
      expect(JSON.parse(readFileSync(join(cache, 'rates.json'), 'utf8'))).toEqual({ i: { m: 12.35, other: 7 } });
      rates.keep('i', 'other', null);
      expect(['m', 'other', 'constructor'].map((model) => learntRates(cache).recall('i', model))).toEqual([
        12.35,
        undefined,
        undefined,
      ]);
      writeFileSync(join(cache, 'rates.json'), '{"i":{"zero":0,"minus":-1,"text":"7"}}');
      expect(['zero', 'minus', 'text'].map((model) => learntRates(cache).recall('i', model))).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      writeFileSync(join(cache, 'rates.json'), 'no JSON');
      expect(learntRates(cache).recall('i', 'm')).toBeUndefined();
    } finally {
      rmSync(cache, { recursive: true });
    }
  });

  it('after the first refusal are what was answered in the minute before', () => {
    const rates = createRates({}, undefined, 0);
    // One a second until 906 s, then ten within the next second, of which the last one was refused.
    for (let second = 0; second < 907; second++) rates.send(1, second * 1000);
    const sent = Array.from({ length: 10 }, (_, n) => rates.send(1, 907_000 + 100 * n));
    rates.settle(sent.at(-1)!, { rateLimited: true }, 908_000);
    // The requests that go on as before are no part of it.
    for (let tried = 0; tried < 32; tried++)
      expect([rates.wait(1, 908_000), rates.send(1, 908_000).onTrial]).toEqual([0, true]);
    // 68 in that minute, and a gain of 3/68 begins a quarter of that below: 67.25 a minute.
    expect(rates.wait(1, 908_000)).toBe(Math.ceil(60_000 / 67.25));
  });

  it('that refusals taught are told to nobody before they held for two minutes', () => {
    const rates = createRates({}, undefined, 0);
    const sent = Array.from({ length: 601 }, (_, n) => rates.send(1, 100 * n));
    rates.settle(sent.at(-1)!, { rateLimited: true }, 60_020);
    // 600 were answered in a minute, of which nobody knows how many had been saved up.
    expect(rates.sure()).toBeUndefined();
  });
});
