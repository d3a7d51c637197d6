import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Dialect, ModelRef, Request } from '../../src/core/call.ts';
import { jsonSchemaOf } from '../../src/protocols/json-schema.ts';
import { answer, createWorld, DEFAULT_WORLD, type World } from '../../src/simulator/world/index.ts';
import { BASE_MODEL, LARGE_MODEL, MODELS, ORACLE_MODEL } from '../../src/simulator/world/policy.ts';
import { simulatedPrompts } from '../../src/simulator/world/prompts.ts';
import { alignEcho } from '../../src/teacher-forcing/align.ts';
import type { AlignOptions } from '../../src/teacher-forcing/echo.ts';
import { chatTemplate, renderChat } from '../../src/teacher-forcing/templates.ts';
import { chat, completion, forcedText } from '../helpers/openai.ts';

const world = createWorld();
const dialect: Dialect = {
  template: 'llama4',
  bos: 'server',
  tokenLimit: 'max_tokens',
  temperature: true,
  echoTokens: 0,
  extra: {},
};
const modelOf = (model: string, changes: Partial<Dialect> = {}): ModelRef => ({
  identity: 'simulator:test',
  model,
  dialect: { ...dialect, ...changes },
});
const base = modelOf(BASE_MODEL);

/** Sends a request as a client would, its draw standing for the key. */
function send<R>(request: Request<R>, to: World = world): R {
  const reply = answer(to, request.path, JSON.parse(JSON.stringify(request.body)), request.draw);
  expect(reply.status).toBe(200);
  const decoded = request.decode(JSON.parse(JSON.stringify(reply.body)));
  if (!decoded.ok) throw new Error(decoded.problem);
  return decoded.value;
}

const COT = 'Think step-by-step before providing your answer.';
const promptFor = (user: string, system?: string) =>
  renderChat(
    'llama4',
    [...(system === undefined ? [] : [{ role: 'system', content: system } as const]), { role: 'user', content: user }],
    { bos: false },
  );
const prompts = simulatedPrompts(100, 9).map(({ prompt }) => prompt);
const align: AlignOptions = { bosToken: chatTemplate('llama4')!.bos, extraTokens: 0 };
const sampled = (user: string, draw: string, to: World = world) =>
  send(completion(base, { prompt: promptFor(user), maxTokens: 512, temperature: 1, returnTokenIds: true }, draw), to);

describe('generation', () => {
  it('is a pure function of body and key', () => {
    const request = completion(base, { prompt: promptFor('Hi'), maxTokens: 512, temperature: 1 }, 'p0/0');
    const reply = (key: string, body = request.body) => JSON.stringify(answer(world, '/completions', body, key).body);
    expect(reply('p0/0')).toBe(reply('p0/0'));
    expect(reply('p0/0', { ...Object.fromEntries(Object.entries(request.body).reverse()) })).toBe(reply('p0/0'));
  });

  it('makes the clone another sample of the same policy', () => {
    const texts = (draw: string) => prompts.map((prompt) => sampled(prompt, draw).text);
    const logger = texts('p0/0');
    expect(texts('p0/0')).toEqual(logger);
    const clone = texts('pi_clone/0');
    expect(clone.filter((text, index) => text === logger[index])).toHaveLength(0);
  });

  it('stops by itself, by length and by a stop text', () => {
    const prompt = promptFor('Hi');
    const whole = send(completion(base, { prompt, maxTokens: 512 }, 'a'));
    expect(whole.finishReason).toBe('stop');
    const cut = send(completion(base, { prompt, maxTokens: 5 }, 'a'));
    expect(cut).toMatchObject({ finishReason: 'length', usage: { outputTokens: 5 } });
    const stopped = send(completion(base, { prompt, maxTokens: 512, stop: ['.'] }, 'a'));
    expect(stopped.finishReason).toBe('stop');
    expect(stopped.text).not.toContain('.');
    expect(stopped.text).not.toBe('');
    expect(whole.usage.outputTokens).toBe(world.tokenizer.encode(whole.text).length);
    expect(whole.usage.inputTokens).toBe(world.tokenizer.encode(prompt).length + 1);
  });

  it('reports the log probabilities of what it generated, at temperature 1', () => {
    const prompt = promptFor('Hi');
    const reply = send(completion(base, { prompt, maxTokens: 512, temperature: 0.3, logprobs: 1 }, 'a'));
    const forced = alignEcho(send(forcedText(base, prompt + reply.text, 'b')).echo, prompt, reply.text, align);
    const total = reply.echo!.tokenLogprobs.reduce<number>((sum, value) => sum + value!, 0);
    expect(forced).toMatchObject({ status: 'ok', logprob: expect.closeTo(total, 9) });
  });
});

describe('forcing', () => {
  it('gives the exact log probability of 200 responses, under the logger and under others', () => {
    let seen = 0;
    for (const user of prompts) {
      const { text } = sampled(user, 'p0/0');
      for (const [model, system] of [
        [BASE_MODEL, undefined],
        [LARGE_MODEL, COT],
      ] as const) {
        const prompt = promptFor(user, system);
        const { echo } = send(forcedText(modelOf(model), prompt + text, 'x/0'));
        const result = alignEcho(echo, prompt, text, align);
        const exact = world.logProbability(world.law(model, system ?? null, user), text);
        expect(result.status).toBe('ok');
        expect(Math.abs((result as { logprob: number }).logprob - exact)).toBeLessThan(1e-9);
        seen += 1;
      }
    }
    expect(seen).toBe(200);
  });

  it('works on prompts of any script, half code points included', () => {
    for (const user of [
      '🙂 what?',
      'Что такое любовь?',
      '世界 は 何',
      'e\u0301\ufffd\ufeff',
      ' \n\nlead',
      'say "\\n"',
    ]) {
      const prompt = promptFor(user);
      const { text } = sampled(user, 'p0/0');
      const { echo } = send(forcedText(base, prompt + text, 'x'));
      const exact = world.logProbability(world.law(BASE_MODEL, null, user), text);
      expect(alignEcho(echo, prompt, text, align)).toMatchObject({
        status: 'ok',
        logprob: expect.closeTo(exact, 9),
      });
    }
  });

  it('drops the extra token of servers that must generate one, and forces what was cut at the limit', () => {
    const prompt = promptFor('Hi');
    const { text } = send(completion(base, { prompt, maxTokens: 7 }, 'a'));
    const { echo } = send(forcedText(modelOf(BASE_MODEL, { echoTokens: 1 }), prompt + text, 'x'));
    expect(echo!.tokens).toHaveLength(1 + world.tokenizer.encode(prompt).length + 8);
    expect(alignEcho(echo, prompt, text, { ...align, extraTokens: 1 })).toMatchObject({ status: 'ok', tokens: 7 });
  });

  it('shows the beginning of text once, and twice when the prompt holds one too', () => {
    const prompt = promptFor('Hi');
    const { text } = sampled('Hi', 'p0/0');
    const twice = send(forcedText(base, `<|begin_of_text|>${prompt}${text}`, 'x'));
    expect(alignEcho(twice.echo, `<|begin_of_text|>${prompt}`, text, align).status).toBe('bos');
  });

  it('is of another policy when the prompt came without the template', () => {
    const user = 'What is a monad?\n\n';
    const { text } = send(completion(base, { prompt: user, maxTokens: 512 }, 'plain'));
    const { echo } = send(forcedText(base, user + text, 'x'));
    const aligned = alignEcho(echo, user, text, align);
    const templated = world.logProbability(world.law(BASE_MODEL, null, user), text);
    if (text.startsWith('\n')) expect(aligned.status).toBe('boundary_span');
    else expect(aligned).toMatchObject({ status: 'ok', logprob: expect.not.closeTo(templated, 2) });
  });

  it('merges across a careless boundary in about 11 % of responses', () => {
    let merged = 0;
    for (let draw = 0; draw < 400; draw++) {
      const { text } = send(completion(base, { prompt: 'Tell me a story.\n\n', maxTokens: 512 }, `plain/${draw}`));
      const { echo } = send(forcedText(base, `Tell me a story.\n\n${text}`, 'x'));
      const { status } = alignEcho(echo, 'Tell me a story.\n\n', text, align);
      expect(status).toBe(text.startsWith('\n') ? 'boundary_span' : 'ok');
      if (status !== 'ok') merged += 1;
    }
    expect(merged).toBeGreaterThan(20);
    expect(merged).toBeLessThan(70);
  });

  it('needs token ids where the template itself merges with the response', () => {
    const merging = createWorld({ ...DEFAULT_WORLD, mergeTemplateNewlines: true });
    let spans = 0;
    for (const user of prompts) {
      const prompt = promptFor(user);
      const { text, tokenIds, promptTokenIds } = sampled(user, 'p0/0', merging);
      const byText = alignEcho(send(forcedText(base, prompt + text, 'x'), merging).echo, prompt, text, align);
      expect(byText.status).toBe(text.startsWith('\n') ? 'boundary_span' : 'ok');
      if (byText.status !== 'ok') spans += 1;

      const sentIds = { prompt: promptTokenIds!, response: tokenIds! };
      const { echo } = send(forcedText(base, [...sentIds.prompt, ...sentIds.response], 'x'), merging);
      const exact = merging.logProbability(merging.law(BASE_MODEL, null, user), text);
      expect(alignEcho(echo, prompt, text, { ...align, sentIds })).toMatchObject({
        status: 'ok',
        logprob: expect.closeTo(exact, 9),
      });
      const retold = send(forcedText(base, prompt + text, 'x'), merging).echo;
      if (text.startsWith('\n')) {
        expect(alignEcho(retold, prompt, text, { ...align, sentIds }).status).not.toBe('ok');
      }
    }
    expect(spans).toBeGreaterThan(2);
  });

  it('survives a response that no model of ours wrote', () => {
    const prompt = promptFor('Hi');
    const result = alignEcho(send(forcedText(base, `${prompt}Qué tal 🙂?`, 'x')).echo, prompt, 'Qué tal 🙂?', align);
    expect(result.status).toBe('ok');
    expect((result as { logprob: number }).logprob).toBeLessThan(-100);
  });
});

describe('judging by chat', () => {
  const scoreSchema = { name: 'score', schema: jsonSchemaOf(z.object({ score: z.number() })) };
  const intervalSchema = {
    name: 'interval',
    schema: jsonSchemaOf(z.object({ score: z.number(), ci_lower: z.number(), ci_upper: z.number() })),
  };
  const { text } = sampled('Hi', 'p0/0');
  const content = `Score it.\n<prompt>\nHi\n</prompt>\n<response>\n${text}\n</response>`;
  const ask = (model: string, extra: Partial<Parameters<typeof chat>[1]>, draw = '0') =>
    send(
      chat(modelOf(model), { messages: [{ role: 'user', content }], maxTokens: 64, temperature: 0, ...extra }, draw),
    );

  it('fills the schema that it is given', () => {
    const one = JSON.parse(ask(BASE_MODEL, { jsonSchema: scoreSchema }).content!) as Record<string, number>;
    const three = JSON.parse(ask(BASE_MODEL, { jsonSchema: intervalSchema }).content!) as Record<string, number>;
    expect(Object.keys(one)).toEqual(['score']);
    expect(three.score).toBe(one.score);
    expect(three.ci_lower).toBeLessThan(three.score!);
    expect(three.ci_upper).toBeGreaterThan(three.score!);
    expect(one.score! * 100).toBeCloseTo(Math.round(one.score! * 100), 9);
    expect(ask(BASE_MODEL, {}).content).toBe(String(one.score));
  });

  it('obeys maximum and type', () => {
    const schema = jsonSchemaOf(
      z.object({ reasoning: z.string(), score: z.int().min(0).max(100), sure: z.boolean(), tags: z.array(z.string()) }),
    );
    const reply = JSON.parse(ask(BASE_MODEL, { jsonSchema: { name: 's', schema } }).content!);
    const ten = JSON.parse(ask(BASE_MODEL, { jsonSchema: scoreSchema }).content!);
    expect(reply).toEqual({
      reasoning: expect.any(String),
      score: expect.any(Number),
      sure: true,
      tags: [],
    });
    expect(Math.abs(reply.score - 10 * ten.score)).toBeLessThan(1);
    expect(Number.isInteger(reply.score)).toBe(true);
  });

  it('answers in the form that it is told in words, on the scale that this names', () => {
    const form = '{"analysis": "YOUR REASONS", "score": NUMBER FROM 1 TO 5}';
    const told = `${content}\n\nAnswer with one JSON object and nothing else: ${form}`;
    const { content: said } = ask(BASE_MODEL, { messages: [{ role: 'user', content: told }] });
    const { analysis, score } = JSON.parse(said!) as { analysis: string; score: number };
    expect(analysis).toMatch(/^Quality /);
    expect(score).toBeGreaterThanOrEqual(1);
    expect(score).toBeLessThanOrEqual(5);
  });

  it('does not depend on the key at temperature 0, and does above', () => {
    const score = (temperature: number, draw: string) => ask(BASE_MODEL, { temperature }, draw).content;
    expect(score(0, 'a')).toBe(score(0, 'b'));
    expect(score(1, 'a')).toBe(score(1, 'a'));
    expect(score(1, 'a')).not.toBe(score(1, 'b'));
  });

  it('cuts a reply at the token limit, so that it does not parse', () => {
    const reply = ask(BASE_MODEL, { maxTokens: 2, jsonSchema: intervalSchema });
    expect(reply.finishReason).toBe('length');
    expect(() => JSON.parse(reply.content!)).toThrow();
  });

  it('lets the oracle give the label, and a policy answer plain messages', () => {
    const label = JSON.parse(ask(ORACLE_MODEL, { jsonSchema: scoreSchema }).content!) as { score: number };
    expect(label.score).toBeGreaterThan(0);
    expect(label.score).toBeLessThan(10);
    const spoken = send(
      chat(base, { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 512, temperature: 1 }, 'a'),
    );
    expect(spoken.finishReason).toBe('stop');
    expect(world.logProbability(world.law(BASE_MODEL, null, 'Hi'), spoken.content!)).toBeGreaterThan(-60);
  });
});

describe('requests that cannot be answered', () => {
  const status = (path: string, body: unknown) => {
    const reply = answer(world, path, body, '');
    return [reply.status, (reply.body as { error: { code: string | null; message: string } }).error.code];
  };
  const valid = { model: BASE_MODEL, prompt: 'Hi', max_tokens: 5 };

  it.each<[string, unknown, number, string | null]>([
    ['/completions', [], 400, null],
    ['/completions', { prompt: 'Hi' }, 400, null],
    ['/completions', { ...valid, model: 'gpt-9' }, 404, 'model_not_found'],
    ['/completions', { ...valid, model: ORACLE_MODEL }, 404, null],
    ['/completions', { ...valid, prompt: 7 }, 400, null],
    ['/completions', { ...valid, prompt: [] }, 400, null],
    ['/completions', { ...valid, prompt: [999_999] }, 400, null],
    ['/completions', { ...valid, max_tokens: -1 }, 400, null],
    ['/completions', { ...valid, temperature: 3 }, 400, null],
    ['/completions', { ...valid, top_p: 0 }, 400, null],
    ['/completions', { ...valid, stream: true }, 400, null],
    ['/completions', { ...valid, max_tokens: 131_072 }, 400, 'context_length_exceeded'],
    ['/chat/completions', { model: BASE_MODEL, messages: [] }, 400, null],
    ['/chat/completions', { model: BASE_MODEL, messages: [{ role: 'user' }] }, 400, null],
    [
      '/chat/completions',
      { model: BASE_MODEL, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 131_072 },
      400,
      'context_length_exceeded',
    ],
    ['/embeddings', valid, 404, null],
  ])('%s %j', (path, body, expected, code) => {
    expect(status(path, body)).toEqual([expected, code]);
  });

  it('answers a list of prompts, each by itself', () => {
    const body = { model: BASE_MODEL, prompt: [promptFor('Hi'), promptFor('Bye')], max_tokens: 200 };
    const { choices } = answer(world, '/completions', body, 'k').body as {
      choices: { index: number; text: string }[];
    };
    expect(choices.map(({ index }) => index)).toEqual([0, 1]);
    expect(choices[0]!.text).not.toBe(choices[1]!.text);
    expect(MODELS).toHaveLength(3);
  });
});
