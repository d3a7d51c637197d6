/** Lines of results as providers write them: each row is read as what the same exchange online would have been. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchApi, BatchRow, BatchState } from '../../src/core/batch-port.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { anthropicBatches } from '../../src/providers/batch/anthropic.ts';
import { fireworksBatches } from '../../src/providers/batch/fireworks.ts';
import { type BatchHttp, cutBody, splitLines } from '../../src/providers/batch/http.ts';
import { openaiBatches } from '../../src/providers/batch/openai.ts';
import { instantClock, never } from './support.ts';

/** Answers each request with the body that its path has, and each file with its lines. */
function httpOf(
  bodies: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, readonly string[]>> = {},
): BatchHttp {
  return {
    baseUrl: 'http://lab/v1',
    clock: instantClock(),
    signal: never,
    json: async ({ path }) => {
      const body = bodies[path];
      if (body === undefined)
        return { ok: false, failure: { class: 'permanent', reason: 'rejected', message: path }, gone: true };
      return { ok: true, value: { body: body as never, header: () => undefined } };
    },
    put: async () => ({ ok: true, value: undefined }),
    async *lines(url) {
      const lines = files[url];
      if (lines === undefined) throw new Error(`nothing is at ${url}`);
      yield lines;
    },
  };
}

const TOO_LARGE = { class: 'permanent', reason: 'rejected', message: '413 too large' } as const;
const TOO_LATE = { class: 'transient', reason: 'server_error', message: '503' } as const;

async function rowsOf(api: Pick<BatchApi, 'rows'>, state: Partial<BatchState>): Promise<BatchRow[]> {
  const all: BatchRow[] = [];
  for await (const rows of api.rows({ id: 'b', results: ['f'], ...state } as BatchState)) all.push(...rows);
  return all.map((row) => {
    if (row.type !== 'response') return row;
    const { parsed, ...rest } = row;
    expect([undefined, JSON.stringify(JSON.parse(row.body))]).toContain(parsed && JSON.stringify(parsed));
    return rest;
  });
}

const answer = {
  id: 'chatcmpl-1',
  choices: [{ message: { content: 'a "quote", a }},"error":null} and a \\' } }],
  usage: { x: 1e-7 },
};
const failure = { error: { message: 'no', type: 'invalid_request_error' } };

describe('rows', () => {
  const openai = (row: object) => JSON.stringify({ id: 'batch_req_1', custom_id: 'k', ...row });
  it.each<[string, string, BatchRow]>([
    [
      'an answer',
      openai({ response: { status_code: 200, request_id: 'r', body: answer }, error: null }),
      { type: 'response', id: 'k', status: 200, body: JSON.stringify(answer) },
    ],
    [
      'an answer in another order',
      openai({ error: null, response: { body: answer, status_code: 200 } }),
      { type: 'response', id: 'k', status: 200, body: JSON.stringify(answer) },
    ],
    [
      'a failure',
      openai({ response: { status_code: 400, body: failure }, error: null }),
      { type: 'response', id: 'k', status: 400, body: JSON.stringify(failure) },
    ],
    ['expiry', openai({ response: null, error: { code: 'batch_expired', message: '' } }), { type: 'expired', id: 'k' }],
    [
      'an end by cancelling',
      openai({ response: null, error: { code: 'batch_cancelled' } }),
      { type: 'cancelled', id: 'k' },
    ],
    [
      'another error',
      openai({ response: null, error: { code: 'x' } }),
      { type: 'response', id: 'k', status: 500, body: '{"error":{"code":"x"}}' },
    ],
    ['a page of a proxy', '<html>', { type: 'unreadable', text: '<html>' }],
    ['a row without an id', '{"response":{}}', { type: 'unreadable', text: '{"response":{}}' }],
  ])('of OpenAI tell %s', async (_, line, row) => {
    expect(await rowsOf(openaiBatches(httpOf({}, { '/files/f/content': [line] })), {})).toEqual([row]);
  });

  it.each<[object, BatchRow]>([
    [
      { type: 'succeeded', message: answer },
      { type: 'response', id: 'k', status: 200, body: JSON.stringify(answer) },
    ],
    [
      { message: answer, type: 'succeeded' },
      { type: 'response', id: 'k', status: 200, body: JSON.stringify(answer) },
    ],
    [{ type: 'expired' }, { type: 'expired', id: 'k' }],
    [{ type: 'canceled' }, { type: 'cancelled', id: 'k' }],
    ...(['invalid_request_error:400', 'rate_limit_error:429', 'overloaded_error:529', 'new_error:500'] as const).map(
      (told) => {
        const [type, status] = told.split(':');
        const error = { type: 'error', error: { type, message: 'no' } };
        return [
          { type: 'errored', error },
          { type: 'response', id: 'k', status: Number(status), body: JSON.stringify(error) },
        ] as [object, BatchRow];
      },
    ),
  ])('of Anthropic: %j', async (result, row) => {
    const line = JSON.stringify({ custom_id: 'k', result });
    expect(await rowsOf(anthropicBatches(httpOf({}, { '/messages/batches/b/results': [line] })), {})).toEqual([row]);
  });

  it('of Fireworks are in two files that are asked for anew', async () => {
    const base = 'http://lab/v1/accounts/me';
    const urls = {
      'dataset/out/unsigned': null,
      'dataset/out/BIJOutputSet.jsonl': 'http://store/1',
      'dataset/out/error-data': 'http://store/2',
    };
    const http = httpOf(
      { [`${base}/datasets/out:getDownloadEndpoint`]: { filenameToSignedUrls: urls } },
      {
        'http://store/1': [JSON.stringify({ custom_id: 'a', response: answer })],
        'http://store/2': [
          '{"custom_id":"b","error":{"message":"no","code":400}}',
          '{"custom_id":"c","error":{"message":"?"}}',
        ],
      },
    );
    expect(await rowsOf(fireworksBatches(http, base), { results: ['accounts/me/datasets/out'] })).toMatchObject([
      { id: 'a', status: 200, body: JSON.stringify(answer) },
      { id: 'b', status: 400 },
      { id: 'c', status: 500 },
    ]);
  });

  it('have the body that stands in the line, whatever it holds', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (body, id) => {
        const line = JSON.stringify({ custom_id: id, response: { status_code: 200, body }, error: null });
        const cut = cutBody(line, 'body', '},"error":null}');
        if (cut === undefined) return;
        expect(cut.body).toBe(JSON.stringify(body));
        expect(cut.rest).toEqual({ custom_id: id, response: { status_code: 200, body: null }, error: null });
      }),
    );
  });
});

describe('states', () => {
  it.each([
    ['validating', undefined],
    ['IN_PROGRESS', undefined],
    ['something new', undefined],
    ['COMPLETED', 'completed'],
    ['failed', 'refused'],
    ['expired', 'expired'],
    ['cancelling', undefined],
    ['canceled', 'cancelled'],
  ])('of OpenAI: %s', async (status, end) => {
    const looked = await openaiBatches(httpOf({ '/batches/b': { id: 'b', status } })).look('b');
    expect(looked).toMatchObject({ ok: true, value: { end } });
  });

  it.each([
    ['JOB_STATE_PENDING', undefined],
    ['JOB_STATE_NEVER_SEEN', undefined],
    ['JOB_STATE_COMPLETED', 'completed'],
    ['JOB_STATE_FAILED', 'refused'],
    ['JOB_STATE_EXPIRED', 'expired'],
    ['JOB_STATE_EARLY_STOPPED', 'cancelled'],
  ])('of Fireworks: %s', async (state, end) => {
    const base = 'http://lab/v1/accounts/me';
    const looked = await fireworksBatches(httpOf({ [`${base}/batchInferenceJobs/b`]: { state } }), base).look('b');
    expect(looked).toMatchObject({ ok: true, value: { end } });
  });

  it('name the lines of a refusal, counted from 1 there and from 0 here', async () => {
    const errors = {
      data: [
        { code: 'missing', line: 3, message: 'Missing' },
        { code: 'token_limit_exceeded', line: null },
      ],
    };
    const looked = await openaiBatches(httpOf({ '/batches/b': { id: 'b', status: 'failed', errors } })).look('b');
    expect(looked).toMatchObject({
      value: {
        mistakes: [
          { line: 2, message: 'Missing' },
          { line: undefined, message: 'token_limit_exceeded' },
        ],
      },
    });
  });
});

it('an input that Fireworks does not take in one request goes through an address that is signed', async () => {
  const base = 'http://lab/v1/accounts/me';
  const dataset = `${base}/datasets/cje-x`;
  const asked: string[] = [];
  const put: string[] = [];
  const http: BatchHttp = {
    ...httpOf({}),
    async json({ method, path, body }) {
      asked.push(`${method} ${path.slice(base.length)}`);
      if (path === `${dataset}:upload`) return { ok: false, failure: TOO_LARGE, tooLarge: true };
      const size = body === undefined ? 0 : JSON.parse(String(body)).filenameToSize?.['input.jsonl'];
      const answer: Readonly<Record<string, JsonObject>> = {
        [`${dataset}:getUploadEndpoint`]: { filenameToSignedUrls: { 'input.jsonl': `http://bucket/in?size=${size}` } },
        [dataset]: { state: 'READY' },
      };
      return { ok: true, value: { body: answer[path] ?? {}, header: () => undefined } };
    },
    async put(url, { pieces, size }) {
      const text = Buffer.concat([...pieces]).toString();
      put.push(text);
      expect(url).toBe(`http://bucket/in?size=${size}`);
      expect(Buffer.byteLength(text)).toBe(size);
      // An address that has lapsed is asked for anew.
      return put.length === 1 ? { ok: false, failure: TOO_LATE } : { ok: true, value: undefined };
    },
  };
  const calls = ['a', 'b'].map((name) => ({ key: digestText(name), body: `{"model":"m","prompt":"–${name}"}` }));
  const uploaded = await fireworksBatches(http, base).upload({ id: 'x' as Digest, model: 'm', path: '/p', calls });
  expect(uploaded).toEqual({ ok: true, value: 'accounts/me/datasets/cje-x' });
  expect(asked.map((line) => line.replace('/datasets/cje-x', ''))).toEqual([
    'post /datasets',
    'post :upload',
    'post :getUploadEndpoint',
    'post :getUploadEndpoint',
    'post :validateUpload',
    'get ',
  ]);
  expect(put[1]).toBe(
    calls.map(({ key }, index) => `{"custom_id":"${key}","body":{"prompt":"–${'ab'[index]}"}}\n`).join(''),
  );
});

it.each([
  ['transient', 3],
  ['permanent', 1],
] as const)('an upload through a signed address that fails for a %s reason is tried %i times', async (kind, tries) => {
  const base = 'http://lab/v1/accounts/me';
  let puts = 0;
  const waits: number[] = [];
  const failure = kind === 'transient' ? TOO_LATE : TOO_LARGE;
  const http: BatchHttp = {
    ...httpOf({}),
    clock: { now: () => 0, sleep: async (milliseconds) => void waits.push(milliseconds) },
    async json({ path }) {
      if (path.endsWith(':upload')) return { ok: false, failure: TOO_LARGE, tooLarge: true };
      const body = { filenameToSignedUrls: { 'input.jsonl': 'http://bucket/in' } };
      return { ok: true, value: { body, header: () => undefined } };
    },
    async put() {
      puts++;
      return { ok: false, failure };
    },
  };
  const calls = [{ key: digestText('a'), body: '{"model":"m"}' }];
  const uploaded = await fireworksBatches(http, base).upload({ id: 'x' as Digest, model: 'm', path: '/p', calls });
  expect(uploaded).toEqual({ ok: false, failure });
  expect([puts, waits]).toEqual([tries, kind === 'transient' ? [1000, 2000] : []]);
});

describe('a list of batches', () => {
  const HOUR = 3_600_000;
  const NOW = 100 * HOUR;
  const made = (id: string, hours: number) => ({
    id,
    created_at: (NOW + hours * HOUR) / 1000,
    metadata: { cje: id === 'ours' ? 'x' : 'y' },
  });
  type Listed = ReturnType<typeof made>;

  /** Looks for the batch among pages of two, as told by a server whose clock is ahead by some hours. */
  async function findIn(all: readonly Listed[], { ahead = 0, told = true, stuck = false } = {}) {
    let pages = 0;
    const http: BatchHttp = {
      ...httpOf({}),
      clock: { ...instantClock(), now: () => NOW },
      json: async ({ path }) => {
        pages++;
        const after = stuck ? null : new URL(path, 'http://lab').searchParams.get('after');
        const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
        const body = { data: all.slice(from, from + 2) as never, has_more: stuck || from + 2 < all.length };
        const date = new Date(NOW + ahead * HOUR).toUTCString();
        return { ok: true, value: { body, header: () => (told ? date : undefined) } };
      },
    };
    const submission = { id: 'x', at: NOW, count: 1 } as Parameters<BatchApi['find']>[0];
    const found = await openaiBatches(http).find(submission);
    return { pages, ids: found.ok ? found.value.map(({ id }) => id) : undefined };
  }

  const OLD = Array.from({ length: 40 }, (_, index) => made(`old-${index}`, -50 - index));

  it.each<[string, readonly Listed[], object]>([
    ['newest first', [made('new', 1), made('ours', 0), ...OLD], {}],
    ['oldest first', [...OLD.toReversed(), made('ours', 0), made('new', 1)], {}],
    ['in no order', [OLD[1]!, OLD[3]!, OLD[0]!, ...OLD.slice(4), made('ours', 0)], {}],
    ['by a clock that is behind', [made('new', -4), made('ours', -5), ...OLD], { ahead: -5 }],
    ['by a clock that is ahead', [made('ours', 5), ...OLD], { ahead: 5 }],
    ['by a clock that is not told', [made('ours', -5), ...OLD], { told: false }],
    ['by a server that gives the same page again and again', [made('ours', 0), ...OLD], { stuck: true }],
  ])('is read %s', async (_, all, how) => {
    expect((await findIn(all, how)).ids).toEqual(['ours']);
  });

  it('is not read to its end where it is in order', async () => {
    // Three pages of nothing but what is too old.
    expect((await findIn(OLD)).pages).toBe(3);
  });
});

describe('lines', () => {
  const linesOf = async (text: string, size = 64) => {
    const bytes = Buffer.from(text);
    const chunks = (async function* () {
      for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
    })();
    const read: string[] = [];
    for await (const lines of splitLines(chunks)) read.push(...lines);
    return read;
  };

  it('are put together from whatever pieces come, whether the last one is ended or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[a-z–]{1,9}$/).map((word) => JSON.stringify({ word }))),
        fc.constantFrom('', '\n', '\r\n\r\n'),
        fc.integer({ min: 1, max: 7 }),
        async (lines, end, size) => {
          expect(await linesOf(lines.join('\n') + end, size)).toEqual(lines);
        },
      ),
    );
  });

  it('lose the mark of a byte order and the ends of other systems', async () => {
    expect(await linesOf('\ufeff{"a":1}\r\n \r\n{"b":2}\r\n')).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('that end in the middle of one were cut', async () => {
    await expect(linesOf('{"a":1}\n{"b":')).rejects.toThrow('they end within a line: "{\\"b\\":"');
  });
});
