import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { CallFailure } from '../../src/core/call.ts';
import type { Provider } from '../../src/core/graph.ts';
import type { CallRequest, CallResult } from '../../src/core/provider-port.ts';
import { createProviderClient } from '../../src/providers/client.ts';
import type { ProviderClientOptions } from '../../src/providers/client-options.ts';
import { missingKeys } from '../../src/providers/secrets.ts';
import { admitAll, MAYBE, NOT_BILLED, UNSENT } from '../engine/money.ts';
import {
  type Answering,
  COMPLETION,
  closedAfterEach,
  instantClock,
  LIMITS,
  never,
  order,
  provider,
  reply,
  serve,
  settle,
} from './support.ts';

const opened = closedAfterEach();

async function shop(answer: Answering, fields: Partial<Provider> = {}, options: Partial<ProviderClientOptions> = {}) {
  const server = await serve(answer);
  const clock = instantClock();
  const buyer = createProviderClient({
    providers: [provider({ baseUrl: server.url, ...fields })],
    secrets: () => undefined,
    clock,
    random: () => 0.5,
    ...options,
  });
  opened.push(server, buyer);
  const retries: [CallFailure, number][] = [];
  const { admit, outcomes } = admitAll();
  const buy = (wanted: CallRequest, signal: AbortSignal = never) =>
    buyer.buy(wanted, { signal, admit, onRetry: (failure, wait) => retries.push([failure, wait]) });
  return { server, buyer, clock, buy, retries, outcomes };
}

const failureOf = (delivery: CallResult): CallFailure => {
  if (delivery.ok) throw new Error('was delivered');
  return delivery.failure;
};
const CHAT = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hello' }] };
const rateLimited = { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } };

describe('which model answered', () => {
  const answering = (model: unknown, options: Partial<ProviderClientOptions> = {}) =>
    shop((_, response) => reply(response, 200, { ...COMPLETION, model }), {}, options);
  const served = (more: object) => [
    { identity: 'lab', model: 'm', answersAs: [], mismatch: 'refuse' as const, oneSnapshot: false, ...more },
  ];

  it('decides whether a reply is an answer; one of another model is kept, and its usage is billed', async () => {
    const { buy, outcomes } = await answering('cheap-q4');
    expect(await buy(order(CHAT))).toMatchObject({
      ok: false,
      failure: {
        class: 'permanent',
        reason: 'wrong_model',
        message: 'the reply says cheap-q4, asked for m',
        answeredBy: 'cheap-q4',
      },
      raw: expect.stringContaining('cheap-q4'),
    });
    expect(outcomes).toEqual([{ billed: { inputTokens: 12, cachedInputTokens: 4, outputTokens: 3 } }]);
  });

  it.each([null, undefined, '', 7, 'M', 'ORG/m', 'm-0613'])(
    'is the one that was asked where it says %s',
    async (name) => {
      const { buy } = await answering(name);
      expect(await buy(order(CHAT))).toMatchObject({ ok: true });
    },
  );

  it('may be one that the provider file lists, or any where it says to note it', async () => {
    const { identity } = order(CHAT);
    for (const rule of [{ answersAs: ['cheap-q4'] }, { mismatch: 'note' as const }]) {
      const { buy } = await answering('cheap-q4', { served: served({ identity, ...rule }) });
      expect(await buy(order(CHAT))).toMatchObject({ ok: true });
    }
    const { buy } = await answering('cheap-q4', { served: served({ identity, model: 'n', answersAs: ['cheap-q4'] }) });
    expect(await buy(order(CHAT))).toMatchObject({ ok: false });
  });
});

describe('what is sent and what is kept', () => {
  it('sends the body byte for byte, under its key', async () => {
    const { buy, server } = await shop((_, response) => reply(response, 200, COMPLETION));
    // Keys that look like integers are what a parse and a new stringify would move.
    const wanted = order({
      ...CHAT,
      logit_bias: { '100': 1, '2': -1, b: 0, a: 1e-7 },
      user: 'ünïcödé "\\u0000\u0001\ud800" 😀',
    });
    expect(wanted.body).toContain('"100":1,"2":-1');
    expect((await buy(wanted)).ok).toBe(true);
    const received = server.received[0]!;
    expect(received.body).toBe(wanted.body);
    expect(received.path).toBe('/v1/chat/completions');
    expect(received.headers['idempotency-key']).toBe(wanted.key);
    expect(received.headers['content-type']).toBe('application/json');
    expect(received.headers['content-length']).toBe(String(Buffer.byteLength(wanted.body)));
  });

  it('keeps the raw reply as received, white space and unknown fields and all', async () => {
    const raw = `{ "usage":{"completion_tokens":3, "prompt_tokens":12,"prompt_tokens_details":{"cached_tokens":4}},\n  "choices":[{"message":{"content":"é\\u00e9😀"}}], "1":1.0, "x":12345678901234567890 }\n`;
    const { buy } = await shop((_, response) => reply(response, 200, raw));
    expect(await buy(order(CHAT))).toEqual({
      ok: true,
      raw,
      reply: JSON.parse(raw),
      usage: { inputTokens: 12, outputTokens: 3, cachedInputTokens: 4 },
    });
  });

  it('settles a reply by its usage, and by nothing where that cannot be believed', async () => {
    const usage = { prompt_tokens: 12, completion_tokens: 3 };
    const answer = { choices: [{ message: { content: 'hi' } }] };
    const cases: [object, unknown][] = [
      [{ ...answer, usage }, { billed: { inputTokens: 12, cachedInputTokens: 0, outputTokens: 3 } }],
      [answer, MAYBE],
      [{ ...answer, usage: { prompt_tokens: 12 } }, MAYBE],
      [{ ...answer, usage: { prompt_tokens: 0, completion_tokens: 0 } }, MAYBE],
      [{ ...answer, usage: { prompt_tokens: -12, completion_tokens: 3 } }, MAYBE],
      [{ ...answer, usage: { prompt_tokens: '12', completion_tokens: '3' } }, MAYBE],
      [{ choices: [], usage }, { billed: { inputTokens: 12, cachedInputTokens: 0, outputTokens: 3 } }],
    ];
    for (const [body, outcome] of cases) {
      const { buy, outcomes } = await shop((_, response) => reply(response, 200, body));
      await buy(order(CHAT));
      expect(outcomes).toEqual([outcome]);
    }
    const { buy, outcomes } = await shop((_, response) =>
      reply(
        response,
        200,
        '{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1e400,"completion_tokens":3}}',
      ),
    );
    expect(await buy(order(CHAT))).toMatchObject({ ok: true, usage: { inputTokens: 0, outputTokens: 0 } });
    expect(outcomes).toEqual([MAYBE]);
  });

  it('is no answer where the reply says so: it is kept with what it said, and billed by its usage', async () => {
    const raw = JSON.stringify({ ...COMPLETION, choices: [{ message: { refusal: 'I will not.' } }] });
    const { buy, outcomes, server } = await shop((_, response) => reply(response, 200, raw));
    expect(await buy(order(CHAT))).toEqual({
      ok: false,
      failure: { class: 'permanent', reason: 'refused', message: 'I will not.' },
      raw,
    });
    expect(outcomes).toEqual([{ billed: { inputTokens: 12, cachedInputTokens: 4, outputTokens: 3 } }]);
    expect(server.received).toHaveLength(1);
  });

  it('that is an error is billed by the tokens that it counts', async () => {
    const { buy, outcomes } = await shop((_, response) =>
      reply(response, 400, { error: { message: 'too long' }, usage: { prompt_tokens: 7, completion_tokens: 0 } }),
    );
    expect(await buy(order(CHAT))).toMatchObject({ ok: false });
    expect(outcomes).toEqual([{ billed: { inputTokens: 7, cachedInputTokens: 0, outputTokens: 0 } }]);
  });

  it('sends the credential, and nothing that the environment adds', async () => {
    process.env.OPENAI_CUSTOM_HEADERS = 'x-injected: yes\nidempotency-key: other\nauthorization: Bearer other';
    process.env.OPENAI_ORG_ID = 'org-from-the-environment';
    process.env.OPENAI_BASE_URL = 'http://127.0.0.1:1/elsewhere';
    try {
      const { buy, server } = await shop(
        (_, response) => reply(response, 200, COMPLETION),
        { keyVariable: 'SOME_KEY' },
        { secrets: (variable) => (variable === 'SOME_KEY' ? ' sk-secret\n' : undefined) },
      );
      const wanted = order(CHAT);
      expect((await buy(wanted)).ok).toBe(true);
      const { headers } = server.received[0]!;
      expect(headers.authorization).toBe('Bearer sk-secret');
      expect(headers['idempotency-key']).toBe(wanted.key);
      expect(Object.keys(headers).sort()).toEqual([
        'accept',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'idempotency-key',
        'user-agent',
      ]);
    } finally {
      delete process.env.OPENAI_CUSTOM_HEADERS;
      delete process.env.OPENAI_ORG_ID;
      delete process.env.OPENAI_BASE_URL;
    }
  });

  it('sends no authorization to a server that asks for none', async () => {
    process.env.OPENAI_API_KEY = 'sk-for-someone-else';
    try {
      const { buy, server } = await shop((_, response) => reply(response, 200, COMPLETION));
      await buy(order(CHAT));
      expect(server.received[0]!.headers.authorization).toBeUndefined();
    } finally {
      delete process.env.OPENAI_API_KEY;
    }
  });
});

describe('trying again', () => {
  it('retries what may go better, and tells the listener', async () => {
    const { buy, server, retries, clock } = await shop((_, response, turn) =>
      turn < 2 ? reply(response, 503, { error: { message: 'overloaded' } }) : reply(response, 200, COMPLETION),
    );
    expect(await buy(order(CHAT))).toMatchObject({ ok: true });
    expect(server.received.length).toBe(3);
    expect(new Set(server.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(retries.map(([failure, wait]) => [failure.reason, wait])).toEqual([
      ['overloaded', 1000],
      ['overloaded', 2000],
    ]);
    expect(clock.slept).toEqual([1000, 2000]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['retry-after in seconds', { 'retry-after': '7' }, 7125],
    ['retry-after as a date', { 'retry-after': new Date(1_700_000_000_000 + 9000).toUTCString() }, 9125],
    ['retry-after-ms', { 'retry-after-ms': '40' }, 165],
    [
      'the reset of a used-up limit',
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m2s' },
      62_125,
    ],
  ])('waits as long as it is asked to: %s', async (_, headers, expected) => {
    const { buy, retries } = await shop((_request, response, turn) =>
      turn === 0 ? reply(response, 429, rateLimited, headers) : reply(response, 200, COMPLETION),
    );
    expect((await buy(order(CHAT))).ok).toBe(true);
    expect(retries.map(([failure, wait]) => [failure.reason, wait])).toEqual([['rate_limited', expected]]);
  });

  it('gives up when the attempts are spent', async () => {
    const { buy, server, outcomes } = await shop((_, response) => reply(response, 500, { error: { message: 'boom' } }));
    expect(await buy(order(CHAT))).toEqual({
      ok: false,
      failure: { class: 'transient', reason: 'server_error', message: '500 boom' },
    });
    expect(server.received.length).toBe(LIMITS.attempts);
    expect(outcomes).toEqual(Array.from({ length: LIMITS.attempts }, () => NOT_BILLED));
  });

  it('does not sit through a wait of hours', async () => {
    const { buy, server, clock } = await shop((_, response) =>
      reply(response, 429, rateLimited, { 'retry-after': '7200' }),
    );
    expect(failureOf(await buy(order(CHAT)))).toMatchObject({
      message: expect.stringMatching(/Rate limit reached \(asks to wait 2 hours; build again then\)/),
      outOfTime: true,
    });
    expect(server.received.length).toBe(1);
    expect(clock.slept).toEqual([]);
  });

  it('does not retry what will not go better', async () => {
    const { buy, server } = await shop((_, response) =>
      reply(response, 400, { error: { message: 'too long', code: 'context_length_exceeded' } }),
    );
    expect(failureOf(await buy(order(CHAT)))).toMatchObject({ class: 'permanent', reason: 'context_overflow' });
    expect(server.received.length).toBe(1);
  });

  it('asks again after a body that is not JSON, and counts that it may have been billed', async () => {
    const { buy, outcomes } = await shop((_, response, turn) =>
      reply(response, 200, turn === 0 ? '{"choi' : COMPLETION),
    );
    expect(await buy(order(CHAT))).toMatchObject({ ok: true });
    expect(outcomes).toEqual([MAYBE, { billed: expect.anything() }]);
  });
});

describe('connections', () => {
  it('knows that nothing was sent when nobody listens', async () => {
    const { buy, server, retries, outcomes } = await shop((_, response) => reply(response, 200, COMPLETION));
    await server.close();
    const delivery = await buy(order(CHAT));
    expect(outcomes).toEqual(Array.from({ length: LIMITS.attempts }, () => UNSENT));
    expect(failureOf(delivery)).toMatchObject({ class: 'transient', reason: 'connection' });
    expect(failureOf(delivery).message).toMatch(/^no answer from 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(failureOf(delivery).message.match(/ECONNREFUSED|undefined/g)).toEqual(['ECONNREFUSED']);
    expect(retries.length).toBe(LIMITS.attempts - 1);
  });

  it('takes a connection that drops for perhaps billed', async () => {
    const { buy, outcomes } = await shop((_, response, turn) => {
      if (turn === 0) response.destroy();
      else if (turn === 1) {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        response.write('{"choices":');
        setImmediate(() => response.destroy());
      } else reply(response, 400, { error: { message: 'no' } });
    });
    const delivery = await buy(order(CHAT));
    expect(failureOf(delivery)).toMatchObject({ class: 'permanent', reason: 'rejected' });
    expect(outcomes).toEqual([MAYBE, MAYBE, NOT_BILLED]);
  });

  it('takes silence for a time-out, before the headers and within the body', async () => {
    const { buy, retries, outcomes } = await shop(
      (_, response, turn) => {
        if (turn === 0) return;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{');
      },
      { limits: { ...LIMITS, attempts: 2, timeoutSeconds: 0.03 } },
    );
    const delivery = await buy(order(CHAT));
    expect(failureOf(delivery)).toEqual({
      class: 'transient',
      reason: 'timeout',
      message: 'no answer within 0.03 s',
    });
    expect(outcomes).toEqual([MAYBE, MAYBE]);
    expect(retries.map(([failure]) => failure.reason)).toEqual(['timeout']);
  });

  it('keeps to the provider’s concurrency', async () => {
    const open: ServerResponse[] = [];
    let most = 0;
    const { buy } = await shop(
      (_, response, turn) => {
        open.push(response);
        most = Math.max(most, open.length);
        // Answers once no more can come, so that a buyer that sends fewer at once would wait for ever.
        if (open.length < 3 && turn < 19) return;
        setImmediate(() => {
          for (const held of open.splice(0)) reply(held, 200, { ...COMPLETION, model: null });
        });
      },
      { limits: { ...LIMITS, concurrency: 3 } },
    );
    const deliveries = await Promise.all(
      Array.from({ length: 20 }, (_, index) => buy(order({ ...CHAT, model: `m${index % 2}`, seed: index }))),
    );
    expect(deliveries.every(({ ok }) => ok)).toBe(true);
    expect(most).toBe(3);
  });
});

describe('stopping', () => {
  const INTERRUPTED = { class: 'stopped', reason: 'interrupted' };

  it('sends nothing once the signal has aborted', async () => {
    const { buy, server, outcomes } = await shop((_, response) => reply(response, 200, COMPLETION));
    const delivery = await buy(order(CHAT), AbortSignal.abort());
    expect(failureOf(delivery)).toMatchObject(INTERRUPTED);
    expect(outcomes).toEqual([]);
    expect(server.received).toEqual([]);
  });

  it('leaves a call under way, which may be billed', async () => {
    const controller = new AbortController();
    const { buy, outcomes } = await shop(() => controller.abort());
    const delivery = await buy(order(CHAT), controller.signal);
    expect(failureOf(delivery)).toMatchObject(INTERRUPTED);
    expect(outcomes).toEqual([MAYBE]);
  });

  it('does not wait out a back-off', async () => {
    const controller = new AbortController();
    const clock = instantClock();
    const { buy, server, outcomes } = await shop(
      (_, response) => reply(response, 503, ''),
      {},
      {
        clock: {
          now: clock.now,
          sleep: (_, signal) =>
            new Promise((resolve) => {
              signal.addEventListener('abort', () => resolve());
              setImmediate(() => controller.abort());
            }),
        },
      },
    );
    const delivery = await buy(order(CHAT), controller.signal);
    expect(failureOf(delivery)).toMatchObject(INTERRUPTED);
    expect(outcomes).toEqual([NOT_BILLED, UNSENT]);
    expect(server.received.length).toBe(1);
  });

  it('ends what is under way when it is closed, and buys nothing afterwards', async () => {
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { buy, buyer } = await shop(() => arrive());
    const delivery = buy(order(CHAT));
    await arrived;
    await buyer.close();
    expect(failureOf(await delivery)).toMatchObject(INTERRUPTED);
    expect(failureOf(await buy(order(CHAT)))).toMatchObject(INTERRUPTED);
  });
});

describe('a provider that is hopeless', () => {
  const noCredit = { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } };

  it('is asked no more after a plain fatal failure, not even by those that wait', async () => {
    const { buy, server, buyer } = await shop((_, response) => reply(response, 429, noCredit), {
      limits: { ...LIMITS, concurrency: 1 },
    });
    expect(buyer.concurrency('http://test')).toBe(1);
    const deliveries = await Promise.all(Array.from({ length: 10 }, (_, seed) => buy(order({ ...CHAT, seed }))));
    expect(server.received.length).toBe(1);
    const failures = deliveries.map(failureOf);
    expect(failures[0]).toMatchObject({ class: 'fatal', reason: 'no_credit' });
    expect(failures.every((failure) => failure.message === failures[0]!.message)).toBe(true);
    expect(failureOf(await buy(order({ ...CHAT, model: 'other' })))).toEqual(failures[0]);
  });

  it('stops an unknown model alone, and at once for those that wait', async () => {
    const { buy, server } = await shop(
      ({ body }, response) =>
        body.includes('"lost"')
          ? reply(response, 404, { error: { message: 'The model `lost` does not exist', code: 'model_not_found' } })
          : reply(response, 200, COMPLETION),
      { limits: { ...LIMITS, concurrency: 1 } },
    );
    const lost = Promise.all([1, 2, 3].map((seed) => buy(order({ ...CHAT, model: 'lost', seed }))));
    const found = Promise.all([1, 2, 3].map((seed) => buy(order({ ...CHAT, seed }))));
    expect((await lost).map((delivery) => failureOf(delivery).reason)).toEqual(Array(3).fill('unknown_model'));
    expect((await found).every(({ ok }) => ok)).toBe(true);
    expect(server.received.filter(({ body }) => body.includes('"lost"')).length).toBe(1);
  });

  it('stops an unknown model on one path, and leaves it on another', async () => {
    const notHere = { error: { message: 'This is a chat model and not supported in the v1/completions endpoint.' } };
    const { buy } = await shop(({ path }, response) =>
      path.endsWith('/chat/completions') ? reply(response, 200, COMPLETION) : reply(response, 404, notHere),
    );
    const completions = order({ ...CHAT, prompt: 'Hi' }, 'http://test', '/completions');
    expect(failureOf(await buy(completions))).toMatchObject({ reason: 'unknown_model' });
    expect((await buy(order(CHAT))).ok).toBe(true);
  });

  it('is given three chances where the failure may be an accident', async () => {
    const { buy, server, retries } = await shop((_, response) => reply(response, 403, '<html>denied</html>'));
    expect(failureOf(await buy(order(CHAT)))).toMatchObject({ class: 'fatal', reason: 'not_allowed' });
    expect(server.received.length).toBe(3);
    expect(retries.length).toBe(2);
    await buy(order({ ...CHAT, seed: 1 }));
    expect(server.received.length).toBe(3);
  });

  it('is forgiven by a success in between', async () => {
    const { buy, server } = await shop((_, response, turn) =>
      turn % 3 === 2 ? reply(response, 200, COMPLETION) : reply(response, 403, ''),
    );
    for (let seed = 0; seed < 4; seed++) expect((await buy(order({ ...CHAT, seed }))).ok).toBe(true);
    expect(server.received.length).toBe(12);
  });
});

describe('credentials', () => {
  const hosted = provider({ name: 'openai', baseUrl: 'http://127.0.0.1:1', keyVariable: 'OPENAI_API_KEY' });

  it('are missed before anything is sent', async () => {
    for (const value of [undefined, '', ' \n']) {
      const { buy, server } = await shop(
        (_, response) => reply(response, 200, COMPLETION),
        { name: 'openai', keyVariable: 'OPENAI_API_KEY' },
        { secrets: () => value },
      );
      expect(failureOf(await buy(order(CHAT)))).toEqual({
        class: 'fatal',
        reason: 'no_key',
        message: 'provider "openai" needs a key, and the environment variable OPENAI_API_KEY is not set',
      });
      expect(server.received).toEqual([]);
      expect(missingKeys([hosted, provider()], () => value)).toEqual([
        { provider: hosted, variable: 'OPENAI_API_KEY' },
      ]);
    }
    expect(missingKeys([hosted, provider()], () => 'sk-1')).toEqual([]);
  });

  it('are refused where no key looks like that, without being shown', async () => {
    const { buy } = await shop(
      (_, response) => reply(response, 200, COMPLETION),
      { keyVariable: 'K' },
      { secrets: () => 'two words' },
    );
    const failure = failureOf(await buy(order(CHAT)));
    expect(failure).toMatchObject({ class: 'fatal', reason: 'bad_key' });
    expect(JSON.stringify(failure)).not.toContain('two words');
  });

  it('never come back in a failure, a retry or a reply', async () => {
    const key = 'sk-very-secret-0123456789';
    const hostile = { error: { message: `Incorrect API key provided: ${key}` } };
    const { buy, retries } = await shop(
      (_, response, turn) => {
        if (turn === 0) reply(response, 500, { error: { message: `debug: authorization: Bearer ${key}` } });
        else if (turn === 1) reply(response, 200, `not json, but ${key}`);
        else if (turn === 2) reply(response, 200, { choices: [{ text: `your key is ${key}` }] });
        else reply(response, 401, hostile);
      },
      { keyVariable: 'K' },
      { secrets: () => key },
    );
    const first = await buy(order(CHAT));
    expect(failureOf(first)).toMatchObject({ class: 'permanent', reason: 'key_repeated' });
    const second = await buy(order({ ...CHAT, seed: 2 }));
    expect(failureOf(second).message).toBe('401 Incorrect API key provided: [credential]');
    expect(JSON.stringify([first, second, retries])).not.toContain('secret');
    expect(retries.length).toBe(2);
  });

  it.each(['k', 'EMPTY', 'none', 'not-needed'])('that are no secrets (%s) may be words of an answer', async (key) => {
    const { buy } = await shop(
      (_, response) => reply(response, 200, { choices: [{ message: { content: `key: ${key}` } }] }),
      { keyVariable: 'K' },
      { secrets: () => key },
    );
    expect(await buy(order(CHAT))).toMatchObject({ ok: true });
  });

  it('are blotted out before an excerpt is cut, so that no half of one is left', async () => {
    const key = 'sk-very-secret-0123456789';
    const { buy, retries } = await shop(
      (_, response, turn) =>
        turn === 0
          ? reply(response, 200, `${'x'.repeat(65)} ${key}`)
          : reply(response, 400, { error: { message: `${'y'.repeat(385)} ${key}` } }),
      { keyVariable: 'K' },
      { secrets: () => key },
    );
    expect(failureOf(await buy(order(CHAT)))).toMatchObject({ reason: 'rejected' });
    expect(retries.length).toBe(1);
    expect(JSON.stringify([await buy(order({ ...CHAT, seed: 1 })), retries])).not.toContain('sk-very');
  });
});

describe('looking', () => {
  it('reads a page with the credential, and says why where there is none', async () => {
    const key = 'sk-very-secret-0123456789';
    const { buyer, server } = await shop(
      ({ path }, response) =>
        path === '/v1/models'
          ? reply(response, 200, { data: [{ id: 'm', [key]: key }] })
          : reply(response, 401, { detail: `who is ${key}?` }),
      { keyVariable: 'K' },
      { secrets: () => key },
    );
    expect(await buyer.look('http://test', '/models', never)).toEqual({
      ok: true,
      body: { data: [{ id: 'm', '[credential]': '[credential]' }] },
    });
    expect(server.received[0]!.headers.authorization).toBe(`Bearer ${key}`);
    expect(await buyer.look('http://test', '/nothing', never)).toEqual({
      ok: false,
      status: 401,
      failure: { class: 'fatal', reason: 'bad_key', message: '401 who is [credential]?' },
    });
    await server.close();
    expect(await buyer.look('http://test', '/models', never)).toMatchObject({
      ok: false,
      status: null,
      failure: { reason: 'connection' },
    });
  });

  it('hears what servers say of their limits', async () => {
    const seen: unknown[] = [];
    const { buy } = await shop(
      (_, response) => reply(response, 200, COMPLETION, { 'x-ratelimit-limit-requests': '60' }),
      {},
      { observe: (exchange) => seen.push(exchange) },
    );
    await buy(order(CHAT));
    const report = { requests: { limit: 60 }, tokens: {}, overLimit: false };
    expect(seen).toEqual([{ identity: 'http://test', model: 'm', status: 200, report }]);
  });
});

describe('simulators', () => {
  it('are started once, at the first order, and closed with the buyer', async () => {
    const server = await serve((_, response) => reply(response, 200, COMPLETION));
    const log: string[] = [];
    const simulator = provider({ name: 'sim', type: 'simulator', identity: 'simulator:1' });
    const buyer = createProviderClient({
      providers: [simulator, provider({ baseUrl: 'http://127.0.0.1:1' })],
      secrets: () => undefined,
      startSimulator: async ({ name }) => {
        log.push(`start ${name}`);
        await settle();
        return {
          url: server.url,
          close: async () => {
            log.push(`close ${name}`);
            await server.close();
          },
        };
      },
      clock: instantClock(),
      random: () => 0,
    });
    expect(log).toEqual([]);
    const options = { signal: never, admit: admitAll().admit, onRetry: () => {} };
    const bought = [1, 2, 3].map((seed) => buyer.buy(order({ ...CHAT, seed }, 'simulator:1'), options));
    expect((await Promise.all(bought)).every(({ ok }) => ok)).toBe(true);
    await buyer.close();
    await buyer.close();
    expect(log).toEqual(['start sim', 'close sim']);
  });
});
