import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { faultsByRate } from '../../src/simulator/faults.ts';
import type { QuirkName } from '../../src/simulator/quirks.ts';
import { type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts';
import { startSimulatorWorker } from '../../src/simulator/worker-thread.ts';
import { answer, createWorld } from '../../src/simulator/world/index.ts';
import { BASE_MODEL } from '../../src/simulator/world/policy.ts';
import { renderChat } from '../../src/teacher-forcing/templates.ts';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

const running: Simulator[] = [];
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close();
});
async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

const prompt = renderChat('llama4', [{ role: 'user', content: 'Hi' }], { bos: false });
const body = { model: BASE_MODEL, prompt, max_tokens: 512, temperature: 1 };
const post = (url: string, key: string, value: unknown = body) =>
  fetch(`${url}/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === '' ? {} : { 'idempotency-key': key }) },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });

describe('the server', () => {
  it('talks to the openai SDK', async () => {
    const { url } = await start();
    const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 });
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(['sim-base', 'sim-large', 'sim-oracle']);

    const headers = { 'Idempotency-Key': 'p0/0' };
    const completion = await client.completions.create(body, { headers });
    expect(completion.choices[0]!.text.trim()).not.toBe('');
    expect(completion.choices[0]!.finish_reason).toBe('stop');
    const echoed = await client.completions.create({ ...body, echo: true, logprobs: 1, max_tokens: 0 });
    expect(echoed.choices[0]!.logprobs!.tokens![0]).toBe('<|begin_of_text|>');
    expect(echoed.choices[0]!.logprobs!.token_logprobs![0]).toBeNull();

    const content = `Score.\n<prompt>\nHi\n</prompt>\n<response>\n${completion.choices[0]!.text}\n</response>`;
    const judged = await client.chat.completions.create({
      model: BASE_MODEL,
      messages: [{ role: 'user', content }],
      temperature: 0,
    });
    expect(Number(judged.choices[0]!.message.content)).toBeGreaterThanOrEqual(0);
    await expect(client.completions.create({ ...body, model: 'gpt-9' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  it('answers what the world answers, wherever it listens', async () => {
    const [one, two] = [await start(), await start()];
    const expected = answer(createWorld(), '/completions', body, 'k').body;
    expect(await (await post(one.url, 'k')).json()).toEqual(expected);
    expect(await (await post(two.url, 'k')).json()).toEqual(expected);
    expect(await (await post(one.url, 'other')).json()).not.toEqual(expected);
  });

  it('counts requests, keys and what was bought twice', async () => {
    const simulator = await start();
    for (const key of ['a', 'b', 'a', '', '']) await (await post(simulator.url, key)).text();
    const expected = { requests: 5, answered: 5, distinctKeys: 2, repeats: 1, faults: 0 };
    expect(simulator.stats()).toEqual(expected);
    expect(await (await fetch(new URL('/__sim/stats', simulator.url))).json()).toEqual(expected);
  });

  it('says what is wrong in the shape of the API', async () => {
    const { url } = await start();
    const broken = await post(url, 'k', '{"model":');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toEqual({
      error: { message: 'The body is not JSON.', type: 'invalid_request_error', param: null, code: null },
    });
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/models`, { method: 'DELETE' })).status).toBe(405);
  });

  it('names a port that is in use', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    const error = await startSimulator({ port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).exit).toBe(2);
    expect((error as ProblemError).problems[0]).toEqual({
      id: 'CJE-PORT',
      headline: `port ${port} is in use`,
      hint: 'name another port, or port 0 for any that is free',
    });
  });

  it('holds replies back by its latency', async () => {
    const { url } = await start({ latencyMs: 30 });
    const from = performance.now();
    await Promise.all(Array.from({ length: 20 }, async (_, index) => (await post(url, `${index}`)).text()));
    expect(performance.now() - from).toBeGreaterThanOrEqual(29);
  });
});

describe('faults', () => {
  it('come at their rates, by key and attempt', () => {
    const hook = faultsByRate({ rate429: 0.1, rate500: 0.05, drop: 0.01 });
    const counts = new Map<string, number>();
    for (let index = 0; index < 20_000; index++) {
      const fault = hook({ path: '/completions', key: `${index}`, attempt: 0 });
      const name = fault === undefined ? 'none' : fault.kind === 'status' ? String(fault.status) : fault.kind;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      expect(hook({ path: '/completions', key: `${index}`, attempt: 0 })).toEqual(fault);
    }
    const share = (name: string) => (counts.get(name) ?? 0) / 20_000;
    expect(share('429')).toBeCloseTo(0.1, 1);
    expect(share('500')).toBeCloseTo(0.05, 1);
    expect(share('drop')).toBeGreaterThan(0.005);
    expect(share('drop')).toBeLessThan(0.015);
    expect(share('none')).toBeGreaterThan(0.82);
  });

  it('pass when one tries again, and cost nothing but the try', async () => {
    const simulator = await start({ faults: { rate429: 0.3, rate500: 0.2, drop: 0.1, retryAfterSeconds: 2 } });
    const seen = new Set<string>();
    for (let index = 0; index < 40; index++) {
      for (let done = false; !done; ) {
        const response = await post(simulator.url, `${index}`).catch(() => undefined);
        seen.add(String(response?.status));
        if (response?.status === 429) expect(response.headers.get('retry-after')).toBe('2');
        if (response !== undefined) expect(await response.json()).toHaveProperty(response.ok ? 'choices' : 'error');
        done = response?.ok === true;
      }
    }
    expect([...seen].sort()).toEqual(['200', '429', '500', 'undefined']);
    const { answered, requests, repeats, distinctKeys, faults } = simulator.stats();
    expect({ answered, repeats, distinctKeys }).toEqual({ answered: 40, repeats: 0, distinctKeys: 40 });
    expect(requests).toBe(40 + faults);
  });

  it('may be decided by a hook, half a reply and late replies among them', async () => {
    const { url } = await start({
      faults: ({ key, attempt }) =>
        attempt > 0 ? undefined : key === 'half' ? { kind: 'malformed' } : { kind: 'slow', milliseconds: 20 },
    });
    const half = await post(url, 'half');
    expect(half.status).toBe(200);
    await expect(half.json()).rejects.toThrow();
    expect(await (await post(url, 'half')).json()).toHaveProperty('choices');
    const from = performance.now();
    expect(await (await post(url, 'late')).json()).toHaveProperty('choices');
    expect(performance.now() - from).toBeGreaterThanOrEqual(19);
  });
});

describe('quirks', () => {
  const forced = { ...body, prompt: `${prompt}Hello there.`, echo: true, logprobs: 1, max_tokens: 0 };
  const ask = async (quirks: readonly QuirkName[], value: unknown = forced, path = '/completions') => {
    const { url } = await start({ quirks });
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer abc' },
      body: JSON.stringify(value),
    });
    // biome-ignore lint/suspicious/noExplicitAny: replies are looked into field by field
    return { url, status: response.status, headers: response.headers, reply: (await response.json()) as any };
  };
  const good = answer(createWorld(), '/completions', forced, '').body as {
    choices: [{ logprobs: { tokens: string[]; token_logprobs: number[] } }];
  };
  const { tokens, token_logprobs: values } = good.choices[0].logprobs;

  it('leave a world without them alone', async () => {
    expect((await ask([])).reply).toEqual(good);
  });

  it('refuse', async () => {
    expect(await ask(['echo-needs-token'])).toMatchObject({ status: 400 });
    expect(await ask(['echo-needs-token'], { ...forced, max_tokens: 1 })).toMatchObject({ status: 200 });
    expect(await ask(['unauthorised'])).toMatchObject({
      status: 401,
      reply: { error: { message: expect.stringContaining('Bearer abc') } },
    });
    expect(await ask(['unknown-models'])).toMatchObject({ status: 404, reply: { error: { code: 'model_not_found' } } });
    expect(await ask(['no-completions'])).toMatchObject({ status: 404 });
    expect(await ask(['new-token-limit'])).toMatchObject({ status: 400 });
    expect(await ask(['own-temperature'])).toMatchObject({ status: 400 });
    const { url } = await ask(['no-listing']);
    expect((await fetch(`${url}/models`)).status).toBe(404);
    const busy = await ask(['busy', 'rate-limits']);
    expect([busy.status, busy.headers.get('retry-after-ms')]).toEqual([429, '1']);
    expect(busy.headers.get('x-ratelimit-limit-requests')).toBe('3000');
  });

  it('change what comes back', async () => {
    const logprobs = async (quirk: QuirkName, value?: unknown) => (await ask([quirk], value)).reply.choices[0].logprobs;
    expect((await ask(['alias'])).reply.model).toBe(`${BASE_MODEL}-2026-01-01`);
    expect((await logprobs('no-echo')).tokens).toEqual(tokens.slice(-1));
    expect((await logprobs('no-bos')).tokens).toEqual(tokens.slice(1));
    expect((await logprobs('no-bos')).token_logprobs).toEqual([null, ...values.slice(2)]);
    const long = await logprobs('cut-left', { ...forced, prompt: `${prompt}${'Zq '.repeat(600)}` });
    expect([long.tokens.length, long.token_logprobs[0]]).toEqual([512, null]);
    expect(Object.keys(await logprobs('offsets-only'))).toEqual(['token_logprobs', 'top_logprobs', 'text_offset']);
    expect((await logprobs('content-logprobs')).content.map(({ token }: { token: string }) => token)).toEqual(tokens);
    expect((await logprobs('flat-logprobs')).token_logprobs).toEqual([null, ...tokens.slice(1).map(() => 0)]);
    expect((await logprobs('unstable')).token_logprobs).not.toEqual(values);
    expect(await logprobs('no-ids')).not.toHaveProperty('token_ids');
    const chat = { model: BASE_MODEL, messages: [{ role: 'user', content: 'Hi' }] };
    const { content } = (await ask(['no-schema'], chat, '/chat/completions')).reply.choices[0].message;
    expect(content).toBe('I would give this answer a solid 7 out of 10.');
  });
});

describe('the worker thread', () => {
  it('listens, counts, closes, and passes on a port in use', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-worker-'));
    try {
      const outfile = join(folder, 'worker.mjs');
      await build({
        entryPoints: [fileURLToPath(new URL('../../src/simulator/worker.ts', import.meta.url))],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      });
      const thread = await startSimulatorWorker(pathToFileURL(outfile), { faults: { rate500: 0 } });
      expect(await (await post(thread.url, 'k')).json()).toEqual(answer(createWorld(), '/completions', body, 'k').body);
      expect(await thread.stats()).toMatchObject({ requests: 1, distinctKeys: 1 });
      const port = Number(new URL(thread.url).port);
      await expect(startSimulatorWorker(pathToFileURL(outfile), { port })).rejects.toMatchObject({
        name: 'ProblemError',
        exit: 2,
      });
      await thread.close();
      await expect(post(thread.url, 'k')).rejects.toThrow();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
