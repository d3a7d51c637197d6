/** Requests that make a batch: which errors leave it open whether it was made. */

import { expect, it } from 'vitest';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import { createBatchHttp } from '../../src/providers/batch/http.ts';

const REQUEST = { method: 'post', path: '/batches', body: '{}' } as const;

/** A server that answers with the statuses in turn, each time with this header. */
function httpOf(statuses: readonly number[], headers: Readonly<Record<string, string>> = {}) {
  let tries = 0;
  const http = createBatchHttp({
    transport: {
      baseUrl: 'http://here',
      request: async () => ({
        type: 'status',
        status: statuses[tries++]!,
        body: '',
        header: (name) => headers[name] ?? null,
      }),
      put: () => Promise.reject(new Error('nothing is put')),
      stream: () => Promise.reject(new Error('nothing is read')),
    },
    ring: { keys: () => [] },
    protocol: openaiChat,
    attempts: statuses.length,
    clock: { now: () => 0, sleep: async () => {} },
    random: () => 0,
    signal: new AbortController().signal,
  });
  return { http, tries: () => tries };
}

/** Asks for a batch. */
async function make(...statuses: number[]) {
  const { http, tries } = httpOf(statuses);
  const step = await http.json(REQUEST, true);
  return { step, tries: tries() };
}

it('does not sit out a long wait that a server asks of a look', async () => {
  const { http, tries } = httpOf([429, 429, 429], { 'retry-after': '300' });
  expect(await http.json({ method: 'get', path: '/batches/b' })).toMatchObject({ ok: false, lookAgain: 300_000 });
  expect(tries()).toBe(1);
  expect(await http.json(REQUEST, true)).not.toHaveProperty('lookAgain');
});

it.each([
  ['5000', 2, undefined],
  ['5001', 1, 5001],
])('sits out five seconds that a server asks of a look, and no more: %s ms', async (asked, asks, lookAgain) => {
  const { http, tries } = httpOf([429, 429], { 'retry-after-ms': asked });
  const step = await http.json({ method: 'get', path: '/batches/b' });
  expect([tries(), 'lookAgain' in step ? step.lookAgain : undefined]).toEqual([asks, lookAgain]);
});

it.each([429, 503, 529])('asks again after a %i, which says that nothing was made', async (status) => {
  const { step, tries } = await make(status, status);
  expect(tries).toBe(2);
  expect(step).toMatchObject({ ok: false });
  expect(step).not.toHaveProperty('maybeDone');
});

it.each([500, 502, 504])('asks once where a %i may hide that it was made', async (status) => {
  const { step, tries } = await make(status, status);
  expect(tries).toBe(1);
  expect(step).toMatchObject({ ok: false, maybeDone: true });
});

it('leaves it open after a 409, which may be about what an earlier try has made', async () => {
  expect(await make(409, 409)).toMatchObject({ tries: 1, step: { ok: false, maybeDone: true } });
});

it('says that a 413 is too much at once', async () => {
  expect(await make(413, 413)).toMatchObject({ tries: 1, step: { ok: false, tooLarge: true } });
});
