/** Rows of the kinds that call: what is asked for which item, and what an answer becomes. */

import { describe, expect, it } from 'vitest';
import { type Answer, type ModelRef, NO_USAGE, type Request } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { RowGenerator } from '../../src/core/kind.ts';
import type { ResponseRow } from '../../src/datasets/rows.ts';
import { hashSample } from '../../src/datasets/sample.ts';
import type { judgeResponse } from '../../src/kinds/files/judge.ts';
import { sampledAt } from '../../src/kinds/files/policy.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { oracle } from '../../src/kinds/oracle.ts';
import { responses } from '../../src/kinds/responses.ts';
import { scores } from '../../src/kinds/scores.ts';
import { truth } from '../../src/kinds/truth.ts';
import { policyValue } from '../../src/simulator/world/index.ts';
import { sumAsSampled } from '../../src/teacher-forcing/as-sampled.ts';
import { input, inputs, many } from './support.ts';

const model: ModelRef = {
  identity: 'simulator:1',
  model: 'm',
  dialect: { template: 'llama3', bos: 'server', tokenLimit: 'max_tokens', temperature: true, echoTokens: 1, extra: {} },
};
const judge: Parameters<typeof judgeResponse>[0] = {
  model,
  temperature: 0,
  max_tokens: 50,
  template: '{{prompt}} {{response}}',
  output: 'score',
  attempts: 1,
  scale: [0, 10],
  rationale: 'none',
  read: 'schema',
  draws: 1,
};
const policy: Parameters<typeof sampledAt>[0] = {
  model,
  draw: 'pi',
  temperature: 0.7,
  top_p: 0.9,
  max_tokens: 100,
  prompt: '{{prompt}}',
};

/** Runs a row with the answers in turn. */
function rowOf(generator: RowGenerator, answers: readonly (object | Answer<unknown>)[]) {
  const asked: Request[] = [];
  let step = generator.next();
  for (const answer of answers) {
    if (step.done === true) break;
    asked.push(step.value);
    step = generator.next('ok' in answer ? (answer as Answer<unknown>) : { ok: true, reply: answer, usage: NO_USAGE });
  }
  if (step.done !== true) throw new Error('it asks for more');
  return { row: step.value as JsonObject, asked };
}
const failure: Answer<unknown> = { ok: false, failure: { class: 'permanent', reason: 'filtered', message: '' } };
const verdict = (score: number) => ({
  content: JSON.stringify({ score }),
  finishReason: 'stop',
  model: 'j',
  usage: NO_USAGE,
});
const response = (prompt_id: string, more: Partial<ResponseRow> = {}): ResponseRow => ({
  prompt_id,
  prompt: 'P',
  status: 'ok',
  response: 'R',
  finish_reason: 'stop',
  model: 'm',
  temperature: 1,
  top_p: 1,
  usage: null,
  ...more,
});
const sizes = (one: number, of: Readonly<Record<string, number>> = {}) => ({
  one: () => one,
  many: () => new Map(Object.entries(of)),
});

describe('scores', () => {
  const row = (item: ResponseRow, ...answers: (object | Answer<unknown>)[]) =>
    rowOf(scores.row(item, { judge, replicate: 2 }), answers);

  it('are the judge’s, on the unit scale, or say why there is none', () => {
    expect(row(response('a'), verdict(7)).row).toEqual({
      prompt_id: 'a',
      scale: [0, 10],
      status: 'ok',
      score: 0.7,
      variance: 0,
      model: 'j',
    });
    expect(row(response('a'), verdict(70)).row).toEqual({
      prompt_id: 'a',
      scale: [0, 10],
      status: 'out_of_range',
      score: null,
      variance: null,
      model: 'j',
    });
    expect(row(response('a'), failure).row).toMatchObject({ status: 'filtered', score: null, model: null });
    expect(row(response('a'), verdict(7)).asked.map(({ draw }) => draw)).toEqual(['2']);
  });

  it('are not asked for where there is no response', () => {
    for (const item of [response('a', { status: 'refused' }), response('a', { response: null })]) {
      const { row: given, asked } = row(item, verdict(7));
      expect(given).toMatchObject({ status: 'no_response', score: null });
      expect(asked).toEqual([]);
    }
  });

  it('of pairs are even without asking where both answers are the same, and none where there is no other', () => {
    const pairs = { ...judge, output: 'pairwise', template: '{{response_a}} {{response_b}}' } as const;
    const against = (other: string | null, ...answers: object[]) =>
      rowOf(scores.row({ ...response('a'), other }, { judge: pairs, replicate: 0 }), answers);
    expect(against('R')).toEqual({
      row: { prompt_id: 'a', status: 'ok', score: 0.5, variance: 0, orders: [0.5, 0.5], model: null },
      asked: [],
    });
    expect(against(null)).toMatchObject({ row: { status: 'no_response_to_compare', score: null }, asked: [] });
    const winner = (name: string) => ({ ...verdict(0), content: JSON.stringify({ winner: name }) });
    expect(against('S', winner('A'), winner('B')).row).toMatchObject({ status: 'ok', score: 1 });
  });
});

describe('oracle labels', () => {
  const params: Parameters<typeof oracle.items>[0] = {
    oracle: judge,
    enabled: 'on',
    logger: 'p0',
    calibration_share: 0.5,
    validation_share: 0.25,
    seed: 42,
    validation_seed: 43,
    replicate: 0,
  };
  const ids = Array.from({ length: 8 }, (_, i) => `q${i}`);
  const given = inputs({
    responses: many({
      p0: { rows: ids.map((id, i) => response(id, i === 0 ? { status: 'refused' } : {})) },
      pi: { rows: ids.map((id) => response(id)) },
    }),
  });
  const items = [...oracle.items(params, given)];

  it('are on a share of the logger’s responses to calibrate, on another of each target’s to validate', () => {
    const of = (name: string) => items.filter((item) => item.policy === name);
    // ⌈0.5 · 7⌉ of the answered ones, ⌈0.25 · 8⌉.
    expect(of('p0').map(({ split }) => split)).toEqual(new Array(4).fill('calibration'));
    expect(of('pi').map(({ split }) => split)).toEqual(new Array(2).fill('validation'));
    expect(new Set(of('p0').map(({ prompt_id }) => prompt_id))).toEqual(hashSample(ids.slice(1), 0.5, 42));
    expect(new Set(of('pi').map(({ prompt_id }) => prompt_id))).toEqual(hashSample(ids, 0.25, 43));
    expect([...oracle.items({ ...params, enabled: 'off' }, given)]).toEqual([]);
  });

  it('that people gave are of usable responses alone', () => {
    const label = (prompt_id: string) => ({ policy: 'p0', prompt_id, split: 'calibration', status: 'ok', label: 1 });
    const labelled = inputs({
      responses: many({ p0: { rows: ids.map((id, i) => response(id, i === 0 ? { status: 'refused' } : {})) } }),
      labels: input({ rows: [label('q0'), label('q1')] }),
    });
    const found = [...oracle.items({ ...params, enabled: 'off' }, labelled)];
    expect(found.map(({ prompt_id }) => prompt_id)).toEqual(['q1']);
  });

  it('that people gave are of the split that the policy is now in', () => {
    const label = { policy: 'p0', prompt_id: 'q1', split: 'validation', status: 'ok', label: 1 };
    const labelled = inputs({
      responses: many({ p0: { rows: [response('q1')] } }),
      labels: input({ rows: [label] }),
    });
    expect([...oracle.items({ ...params, enabled: 'off' }, labelled)]).toMatchObject([
      { split: 'calibration', given: { ...label, split: 'calibration' } },
    ]);
  });

  it('expects as many as it will ask for', () => {
    const expected = oracle.expect(params, sizes(0, { p0: 8, pi: 10 }));
    // 4 and ⌈2.5⌉.
    expect(expected.items).toBe(7);
    expect(expected.calls[0]!.calls).toBe(7);
    expect(oracle.expect({ ...params, enabled: 'off' }, sizes(0, { p0: 8 }))).toEqual({ items: 0, calls: [] });
  });

  it('keep policy, split and status', () => {
    const row = (answer: object) => rowOf(oracle.row(items[0]!, params), [answer]).row;
    expect(row(verdict(6))).toEqual({
      policy: 'p0',
      prompt_id: items[0]!.prompt_id,
      split: 'calibration',
      status: 'ok',
      label: 0.6,
      scale: [0, 10],
      model: 'j',
    });
    expect(row(verdict(60))).toMatchObject({ status: 'out_of_range', label: null });
  });
});

describe('responses', () => {
  const params = (temperature: number | 'policy') => ({
    policy: sampledAt(policy, temperature),
    temperature,
    replicate: 3,
    draws: 1,
  });
  const reply = (text: string) => ({ text, finishReason: 'stop', model: 'm1', echo: undefined });

  it('tell the temperature and top_p that they were sampled at', () => {
    const { row, asked } = rowOf(responses.row({ prompt_id: 'a', prompt: 'P' }, params('policy')), [reply('R')]);
    expect(row).toMatchObject({
      status: 'ok',
      response: 'R',
      finish_reason: 'stop',
      model: 'm1',
      temperature: 0.7,
      top_p: 0.9,
    });
    expect(asked[0]).toMatchObject({ draw: 'pi/3', body: { temperature: 0.7, top_p: 0.9, max_tokens: 100 } });
    const replaced = rowOf(responses.row({ prompt_id: 'a', prompt: 'P' }, params(1)), [reply('R')]);
    expect(replaced.row).toMatchObject({ temperature: 1, top_p: 0.9 });
    expect(replaced.asked[0]!.body).toMatchObject({ temperature: 1 });
    expect(sampledAt(policy, 0).temperature).toBe(0);
  });

  it('are none where nothing was said, or the call failed', () => {
    const row = (answer: object) => rowOf(responses.row({ prompt_id: 'a', prompt: 'P' }, params(1)), [answer]).row;
    expect(row(reply(''))).toMatchObject({ status: 'empty_response', response: null });
    expect(row(failure)).toMatchObject({ status: 'filtered', response: null, finish_reason: null });
  });

  it('expects the policy’s longest answer at most, and a typical one where that is shorter', () => {
    const expected = (max_tokens: number, system?: string) =>
      responses.expect(
        {
          policy: { ...policy, max_tokens, ...(system === undefined ? {} : { system }) },
          temperature: 1,
          replicate: 0,
          draws: 1,
        },
        sizes(9),
      ).calls[0]!;
    // `{{prompt}}` is 10 bytes, 3 tokens, beside 60 of a prompt; 8 bytes of system are 2 more.
    expect(expected(100)).toMatchObject({ calls: 9, inputTokens: 63, outputTokens: 100, outputTokensAtMost: 100 });
    expect(expected(900, '12345678')).toMatchObject({ inputTokens: 65, outputTokens: 350, outputTokensAtMost: 900 });
  });
});

describe('log probabilities', () => {
  const params = (passes: number, replicate = 0) => ({ policy, passes, replicate });
  /** A reply that echoes what it was sent behind a beginning of text, the response as one token. */
  const echo = (text: string, logprob: number) => ({
    text: '',
    finishReason: 'length',
    model: 'm1',
    echo: { tokens: ['<|begin_of_text|>', text.slice(0, -1), text.slice(-1)], tokenLogprobs: [null, -50, logprob] },
  });
  function forced(item: ResponseRow, values: readonly number[], passes = values.length, replicate = 0) {
    const generator = logprobs.row(item, params(passes, replicate));
    const draws: string[] = [];
    let step = generator.next();
    for (const value of values) {
      if (step.done === true) break;
      draws.push(step.value.draw);
      const reply = echo(step.value.body.prompt as string, value);
      step = generator.next({ ok: true, reply, usage: NO_USAGE });
    }
    return { row: step.done === true ? step.value : undefined, draws };
  }

  it('are the mean over the passes, with their standard deviation', () => {
    // −2, −3, −4: mean −3, √(2/2).
    const { row, draws } = forced(response('a'), [-2, -3, -4], 3, 5);
    expect(row).toMatchObject({
      status: 'ok',
      logprob: expect.closeTo(-3, 12),
      spread: expect.closeTo(1, 12),
      tokens: 1,
      model: 'm1',
    });
    expect(draws).toEqual(['pi/5', 'pi/6', 'pi/7']);
    expect(forced(response('a'), [-2]).row).toMatchObject({ logprob: -2, spread: null });
  });

  it('at another temperature are no surer than the least sure pass', () => {
    const law = { temperature: 0.5, topP: 1 };
    const told = [
      [-0.2, -1.8],
      [-0.2, -4],
    ];
    const generator = logprobs.row(response('a'), {
      ...params(2),
      sampled: { temperature: 0.5, top_p: 1 },
      alternatives: 2,
    });
    let step = generator.next();
    for (const likeliest of told) {
      if (step.done === true) break;
      const { echo: echoed, ...reply } = echo(step.value.body.prompt as string, -0.2);
      const whole = { ...reply, echo: { ...echoed, likeliest: [null, null, likeliest] } };
      step = generator.next({ ok: true, reply: whole, usage: NO_USAGE });
    }
    const bounds = told.map((likeliest) => {
      const sum = sumAsSampled([-0.2], [likeliest], 2, law);
      return sum.status === 'ok' ? sum.bound : Number.NaN;
    });
    expect(bounds[1]).toBeGreaterThan(2 * bounds[0]!);
    expect(step.value).toMatchObject({
      status: 'ok',
      as_sampled: { raw: -0.2, bound: expect.closeTo(bounds[1]!, 12) },
    });
  });

  it('are never a number for a failure', () => {
    expect(forced(response('a', { status: 'refused' }), []).row).toMatchObject({
      status: 'no_response',
      logprob: null,
    });
    expect(forced(response('a', { response: null }), []).row).toMatchObject({ status: 'no_response' });
    expect(rowOf(logprobs.row(response('a'), params(2)), [failure]).row).toMatchObject({
      status: 'filtered',
      logprob: null,
    });
    const bad = rowOf(logprobs.row(response('a'), params(1)), [{ ...echo('xy', -1), echo: undefined }]).row;
    expect(bad).toMatchObject({ status: 'echo_unsupported', logprob: null, model: 'm1' });
  });

  it('expects a call for each pass of each item', () => {
    const { items, calls } = logprobs.expect(params(3), sizes(7));
    expect(items).toBe(7);
    expect(calls[0]).toMatchObject({ calls: 21, inputTokens: 410, outputTokens: 1, outputTokensAtMost: 1 });
  });

  it('of a sample expects no more than there are, and none where no tokens are kept', () => {
    const of = (sample: number, forcing?: 'text') => {
      const { forcing: _, ...plain } = policy.model.dialect;
      const dialect = forcing === undefined ? plain : { ...plain, forcing };
      return logprobs.expect({ ...params(1), policy: { ...policy, model: { ...model, dialect } }, sample }, sizes(7))
        .items;
    };
    expect([of(3, 'text'), of(9, 'text'), of(3)]).toEqual([3, 7, 0]);
  });
});

describe('truth', () => {
  const values = async (identity: string, source: string, temperature: number | 'policy' = 'policy') => {
    const all = { pi: { ...policy, model: { ...model, identity } }, rho: { ...policy, model, system: 'Be brief.' } };
    const { files } = await truth.run(
      { policies: all, temperature, prompts_source: source },
      inputs({ prompts: input({ rows: [{ prompt_id: 'a', prompt: 'Why?' }] }) }),
    );
    return JSON.parse(files['truth.json'] as string) as {
      available: boolean;
      population: string | null;
      values: Record<string, number>;
    };
  };

  it('is known where every policy is simulated, over the law of prompts or over those of the run', async () => {
    const of = (temperature: number, prompts?: string[]) => ({
      pi: policyValue({ model: 'm', system: null, temperature }, prompts),
      rho: policyValue({ model: 'm', system: 'Be brief.', temperature }, prompts),
    });
    expect(await values('simulator:1', 'simulated')).toEqual({
      available: true,
      population: 'prompt law',
      values: of(0.7),
    });
    expect(await values('simulator:1', 'file.jsonl', 1)).toEqual({
      available: true,
      population: 'these prompts',
      values: of(1, ['Why?']),
    });
    expect(await values('openai', 'simulated')).toEqual({ available: false, population: null, values: {} });
  });
});
