/** Bad weather: what each fault is to whoever buys, over real HTTP. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { createProviderClient, type HttpProviderClient } from '../../src/providers/client.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { FAULT_NAMES, type FaultName } from '../../src/simulator/weather/faults.ts';
import type { FormName } from '../../src/simulator/weather/form.ts';
import { drawFault, type FaultPlan, faultFile } from '../../src/simulator/weather/plan.ts';
import type { Settings } from '../../src/simulator/weather/strike.ts';
import { answer, createWorld, MODELS } from '../../src/simulator/world/index.ts';
import { admitAll } from '../engine/money.ts';
import { instantClock, never, order, provider } from '../providers/support.ts';

const KEY = 'sk-weather-0123456789';
const QUICK: Partial<Record<FaultName, Settings>> = { slow: { milliseconds: 5 }, slow_body: { milliseconds: 20 } };

const schema = { type: 'object', properties: { score: { type: 'number' } }, required: ['score'] };
const messages = [{ role: 'user', content: 'Score.\n<prompt>\nHi\n</prompt>\n<response>\nHello.\n</response>' }];
const common = { model: 'sim-base', max_tokens: 200, temperature: 0 };
const ASKED: Readonly<Record<FormName | 'echo', readonly [path: string, body: JsonObject]>> = {
  chat: [
    '/chat/completions',
    {
      ...common,
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'score', strict: true, schema } },
    },
  ],
  completions: ['/completions', { ...common, prompt: 'Say hello.' }],
  echo: ['/completions', { ...common, max_tokens: 0, prompt: 'Say hello.', echo: true, logprobs: 1 }],
  messages: [
    '/messages',
    {
      ...common,
      messages,
      tools: [{ name: 'score', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'score' },
    },
  ],
};

const only = (name: FaultName, rate = 1): FaultPlan => ({
  seed: 1,
  models: new Map([['*', [{ name, rate, settings: QUICK[name] ?? {} }]]]),
});

/** What came of one call that meets the fault in every try. */
async function boughtUnder(name: FaultName, form: FormName | 'echo'): Promise<string> {
  const simulator = await startSimulator({ weather: only(name) });
  const client: HttpProviderClient = createProviderClient({
    providers: [
      provider({
        baseUrl: simulator.url,
        keyVariable: 'KEY',
        limits: { concurrency: 1, timeoutSeconds: name === 'hang' ? 0.2 : 30, attempts: 2 },
      }),
    ],
    secrets: () => KEY,
    clock: instantClock(),
    random: () => 0.5,
  });
  try {
    const [path, body] = ASKED[form];
    const { admit, outcomes } = admitAll();
    const result = await client.buy(order(body, 'http://test', path), { signal: never, admit, onRetry: () => {} });
    const billed = outcomes.map(({ billed: how }) => (typeof how === 'string' ? how : 'usage')).join(' ');
    return `${result.ok ? 'answer' : result.failure.reason} ${billed}`;
  } finally {
    await client.close();
    await simulator.close();
  }
}

/** Chat, completions, echo, messages; one entry where all four end alike. */
const OUTCOMES: Readonly<Record<FaultName, readonly [string] | readonly [string, string, string, string]>> = {
  no_choices: ['malformed_reply usage'],
  empty_choices: ['malformed_reply usage', 'malformed_reply usage', 'malformed_reply usage', 'empty_response usage'],
  null_text: ['empty_response usage', 'empty_response usage', 'answer usage', 'empty_response usage'],
  empty_text: ['empty_response usage', 'empty_response usage', 'answer usage', 'empty_response usage'],
  blank_text: ['empty_response usage', 'empty_response usage', 'answer usage', 'empty_response usage'],
  text_parts: ['answer usage'],
  odd_parts: ['malformed_reply usage', 'malformed_reply usage', 'answer usage', 'empty_response usage'],
  choice_error: ['server_error usage usage', 'server_error usage usage', 'answer usage', 'server_error maybe maybe'],
  finish_error: ['server_error usage usage', 'server_error usage usage', 'answer usage', 'malformed_reply usage'],
  content_filter: ['filtered usage', 'filtered usage', 'answer usage', 'refused usage'],
  refusal: ['refused usage', 'filtered usage', 'answer usage', 'refused usage'],
  length: ['answer usage'],
  reasoning_only: ['empty_response usage', 'answer usage', 'answer usage', 'empty_response usage'],
  echo_without_logprobs: ['answer usage'],
  fenced_json: ['answer usage'],
  think_json: ['answer usage'],
  prose_json: ['answer usage'],
  text_number: ['answer usage'],
  capital_key: ['answer usage'],
  out_of_scale: ['answer usage'],
  prose_only: ['answer usage'],
  schema_refused: ['rejected no', 'answer usage', 'answer usage', 'answer usage'],
  usage_absent: ['answer maybe'],
  usage_null: ['answer maybe'],
  usage_zero: ['answer maybe'],
  usage_negative: ['answer maybe'],
  usage_text: ['answer maybe'],
  usage_infinite: ['answer maybe'],
  usage_input_only: ['answer maybe'],
  usage_output_only: ['answer maybe'],
  usage_absurd: ['answer usage'],
  wrong_model: ['wrong_model usage'],
  snapshots: ['answer usage'],
  other_spelling: ['answer usage'],
  no_model: ['answer usage'],
  fingerprint: ['answer usage'],
  // Refused for ten minutes of a clock that is moved by hand.
  status_429: ['rate_limited no'],
  quota_429: ['no_credit no'],
  status_400: ['rejected no'],
  context_400: ['context_overflow no'],
  status_401: ['bad_key no'],
  status_402: ['no_credit no'],
  status_404: ['unknown_model no'],
  status_500: ['server_error no no'],
  status_502: ['server_error maybe maybe'],
  status_503: ['overloaded no no'],
  status_529: ['overloaded no no'],
  redirect: ['moved no'],
  html_200: ['bad_reply maybe maybe'],
  no_content: ['bad_reply maybe maybe'],
  invalid_json: ['bad_reply maybe maybe'],
  cut_body: ['connection maybe maybe'],
  reset: ['connection maybe maybe'],
  hang: ['timeout maybe maybe'],
  slow: ['answer usage'],
  slow_body: ['answer usage'],
  gzip: ['answer usage'],
  interim: ['answer usage'],
  key_repeated: ['key_repeated usage', 'key_repeated usage', 'answer usage', 'key_repeated usage'],
};
const FORMS = ['chat', 'completions', 'echo', 'messages'] as const;

describe('a fault', () => {
  it.each(FAULT_NAMES)('%s is what it says to each API', async (name) => {
    const expected = OUTCOMES[name];
    const outcomes = await Promise.all(FORMS.map((form) => boughtUnder(name, form)));
    const told = outcomes.map((outcome) => outcome.replace(/^(rate_limited no)( no)+$/, '$1'));
    expect(told).toEqual(expected.length === 1 ? FORMS.map(() => expected[0]) : expected);
  });

  it('repeats no key in any writing that is kept', async () => {
    for (const as of ['plain', 'escaped', 'base64', 'percent'] as const) {
      const plan: FaultPlan = {
        seed: 0,
        models: new Map([['sim-base', [{ name: 'key_repeated', rate: 1, settings: { as } }]]]),
      };
      const raw = await rawReply(plan, 'completions', KEY);
      const written = {
        plain: KEY,
        escaped: '\\u0073\\u006b',
        base64: Buffer.from(KEY).toString('base64'),
        percent: '%73%6b',
      };
      expect(raw).toContain(written[as]);
    }
  });
});

async function rawReply(weather: FaultPlan | undefined, form: FormName, key = ''): Promise<string> {
  const simulator = await startSimulator(weather === undefined ? {} : { weather });
  try {
    const [path, body] = ASKED[form];
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k', authorization: `Bearer ${key}` };
    const reply = await fetch(simulator.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return await reply.text();
  } finally {
    await simulator.close();
  }
}

describe('the weather', () => {
  it('leaves the world’s answers as they are where nothing is drawn', async () => {
    const fair = await rawReply(undefined, 'completions');
    expect(JSON.parse(fair)).toEqual(answer(createWorld(), '/completions', ASKED.completions[1], 'k').body);
    for (const plan of [only('wrong_model', 0), only('fenced_json'), { seed: 3, models: new Map() }]) {
      expect(await rawReply(plan, 'completions')).toBe(fair);
    }
  });

  it('is drawn by seed, model, key and try, at the rates of the file, whatever their order in it', () => {
    const read = (text: object) => faultFile(MODELS).parse(text);
    const rates = { empty_text: 0.2, status_429: { rate: 0.1, retry_after_seconds: 2 } };
    const plan = read({ seed: 5, models: { 'sim-base': rates, '*': { reset: 1 } } });
    const draws = (of: FaultPlan, attempt = 0) =>
      Array.from({ length: 4000 }, (_, index) =>
        drawFault(of, { key: `k${index}`, attempt, body: { model: 'sim-base' } }),
      );
    const drawn = draws(plan);
    const share = (name: FaultName) => drawn.filter((fault) => fault?.name === name).length / drawn.length;
    expect(share('empty_text')).toBeCloseTo(0.2, 1);
    expect(share('status_429')).toBeCloseTo(0.1, 1);
    expect(drawn.find((fault) => fault?.name === 'status_429')?.settings).toEqual({ retry_after_seconds: 2 });
    const turned = { status_429: rates.status_429, empty_text: 0.2 };
    expect(draws(read({ seed: 5, models: { 'sim-base': turned } }))).toEqual(drawn);
    expect(draws(read({ seed: 6, models: { 'sim-base': rates } }))).not.toEqual(drawn);
    expect(draws(plan, 1)).not.toEqual(drawn);
    expect(drawFault(plan, { key: 'k', attempt: 0, body: { model: 'sim-large' } })?.name).toBe('reset');
    expect(drawFault(read({ models: { 'sim-base': rates } }), { key: 'k', attempt: 0, body: {} })).toBeUndefined();
  });

  it.each([
    [{ models: { 'sim-bse': {} } }, /sim-bse/],
    [{ models: { 'sim-base': { empty_txt: 0.1 } } }, /empty_txt/],
    [{ models: { 'sim-base': { empty_text: 1.5 } } }, /empty_text/],
    [{ models: { 'sim-base': { empty_text: 0.6, reset: 0.6 } } }, /add up to 1.2/],
    [{ models: { 'sim-base': { reset: { rate: 0.1, milliseconds: 5 } } } }, /reset/],
    [{ models: { 'sim-base': { slow: { milliseconds: 5 } } } }, /slow/],
    [{ seed: 'x', models: {} }, /seed/],
    [{}, /models/],
  ])('is refused as %j', (written, message) => {
    const parsed = faultFile(MODELS).safeParse(written);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(message);
  });
});
