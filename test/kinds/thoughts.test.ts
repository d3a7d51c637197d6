/** Policies that speak messages and models that think: what is judged, what is kept, and that weights are of all that was drawn. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Dialect, ModelRef, Request } from '../../src/core/call.ts';
import { NO_USAGE } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { RowGenerator } from '../../src/core/kind.ts';
import { LOGPROBS, RESPONSES } from '../../src/datasets/row-types.ts';
import type { LogprobRow, ResponseRow } from '../../src/datasets/rows.ts';
import { withoutThoughts, withoutThoughtsAfter } from '../../src/kinds/files/thoughts.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { responses } from '../../src/kinds/responses.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { loadJinja } from '../../src/teacher-forcing/jinja-template.ts';
import { dialect } from '../helpers/dialect.ts';
import { answerMessages, idsOf, type MessageWays } from '../servers/message-server.ts';
import { answerAt, exactly, isEnd, type Ways } from '../servers/tokenizer-server.ts';

beforeAll(loadJinja);

/** Made once: making and compiling schemas anew for each row took a third of these tests. */
const [RESPONSE_ROW, LOGPROB_ROW] = [RESPONSES.schema(), LOGPROBS.schema()];

/** As gpt-oss writes its prompts. */
const CHANNELS: Partial<Dialect> = {
  template: 'file',
  jinja: {
    source:
      "{{ bos_token }}{% for m in messages %}<|start|>{{ m['role'] }}<|message|>{{ m['content'] }}<|end|>{% endfor %}<|start|>assistant",
    bos: '<|begin_of_text|>',
    variables: {},
    special: ['<|channel|>', '<|message|>', '<|start|>', '<|end|>'],
  },
};
/** As Qwen 3 is asked to think: its prompt opens the block. */
const OPENED: Partial<Dialect> = {
  template: 'file',
  jinja: {
    source:
      "{{ bos_token }}{% for m in messages %}<|header_start|>{{ m['role'] }}<|header_end|>\n\n{{ m['content'] }}<|eot|>{% endfor %}<|header_start|>assistant<|header_end|>\n\n<think>",
    bos: '<|begin_of_text|>',
    variables: {},
    special: [],
  },
};

const refOf = (model: string, changes: Partial<Dialect>): ModelRef => ({
  identity: 'http://lab/v1',
  model,
  dialect: dialect(changes),
});

const policyOf = (model: ModelRef, more: { readonly api?: 'chat'; readonly system?: string } = {}) => ({
  model,
  draw: 'p0',
  temperature: 1,
  top_p: 1,
  max_tokens: 70,
  prompt: '{{prompt}}',
  ...more,
});
type Policy = ReturnType<typeof policyOf>;

interface Servers {
  readonly messages?: MessageWays;
  readonly texts?: Ways;
}

interface Driven {
  readonly row: JsonObject;
  readonly replies: readonly JsonObject[];
  readonly requests: readonly Request[];
}

function drive(generator: RowGenerator, { messages, texts }: Servers, sample: string): Driven {
  const requests: Request[] = [];
  const replies: JsonObject[] = [];
  let step = generator.next();
  while (!step.done) {
    const request = step.value;
    requests.push(request);
    const draw = `${sample} ${request.draw}`;
    const { body } = request.path.endsWith('/chat/completions')
      ? answerMessages(request.body, draw, messages)
      : answerAt(request.path, request.body, draw, texts);
    const raw = JSON.parse(JSON.stringify(body)) as JsonObject;
    replies.push(raw);
    const decoded = request.decode(raw);
    const usage = protocolAt(request.path).usageOf(raw) ?? NO_USAGE;
    const answer: Answer<unknown> = decoded.ok
      ? { ok: true, reply: decoded.value, usage }
      : {
          ok: false,
          failure: { class: 'permanent', reason: decoded.reason ?? 'malformed_reply', message: decoded.problem },
        };
    step = generator.next(answer);
  }
  return { row: step.value, replies, requests };
}

const QUESTIONS = ['Say hello in Russian.', 'What is 2 + 2?', '東京について'];

interface Sampled {
  readonly row: ResponseRow;
  /** All that was sampled, without the end of the turn. */
  readonly ids: readonly number[];
  readonly question: string;
}

function sampledUnder(policy: Policy, servers: Servers): Sampled[] {
  return QUESTIONS.map((question, index) => {
    const item = { prompt_id: `p${index}`, prompt: question };
    const params = { policy, temperature: 'policy' as const, draws: 1, replicate: 0 };
    const { row, requests } = drive(responses.row(item, params), servers, item.prompt_id);
    RESPONSE_ROW.parse(row);
    // What is sampled depends on no way of showing it.
    const [request] = requests as [Request];
    const asked = { ...request.body, return_token_ids: true, logprobs: request.path.includes('chat') ? true : 1 };
    const draw = `${item.prompt_id} ${request.draw}`;
    const told = request.path.includes('chat') ? answerMessages(asked, draw) : answerAt(request.path, asked, draw);
    const [{ token_ids: all }] = told.body.choices as [{ token_ids: number[] }];
    return { row: row as ResponseRow, ids: isEnd(all.at(-1)) ? all.slice(0, -1) : all, question };
  });
}

function forcedUnder(policy: Policy, servers: Servers, { row }: Sampled): LogprobRow {
  const { row: made } = drive(logprobs.row(row, { policy, passes: 1, replicate: 0 }), servers, row.prompt_id);
  LOGPROB_ROW.parse(made);
  return made as LogprobRow;
}

/** log P of all that was sampled, after the ids of its prompt. */
function exact({ model, ...policy }: Policy, { ids, question }: Sampled, isOpened = false): number {
  const messages = [
    ...('system' in policy ? [{ role: 'system', content: policy.system! }] : []),
    { role: 'user', content: question },
  ];
  const before = idsOf(model.model, messages, false);
  const opened = isOpened ? idsOf(model.model, [...messages, { role: 'assistant', content: '<think>' }], true) : before;
  const values = exactly(model.model, [...opened, ...ids]).slice(opened.length);
  return values.reduce<number>((sum, value) => sum + value!, 0);
}

const usable = (rows: readonly ResponseRow[]) => rows.filter(({ status }) => status === 'ok' || status === 'truncated');

describe('a policy that speaks messages', () => {
  it.each([
    ['chat', 'base', {}],
    ['chat', 'base', { usage: 'none' }],
    ['ids', 'base', {}],
    ['chat', 'thinker', {}],
    ['ids', 'thinker', {}],
    ['ids', 'thinker', { thoughts: 'apart' }],
    ['ids', 'channels', {}],
  ] as const)(
    'by %s, of %s, has the exact number of the tokens that were sampled, or a status',
    (forcing, name, messages) => {
      const model = refOf(name, { template: 'none', forcing });
      const policy = policyOf(model, { api: 'chat' });
      const other = policyOf(model, { api: 'chat', system: 'Think first.' });
      const sampled = sampledUnder(policy, { messages }).filter(({ row }) => usable([row]).length > 0);
      expect(sampled.length).toBeGreaterThan(1);
      let told = 0;
      for (const each of sampled) {
        const own = forcedUnder(policy, { messages }, each);
        if (own.status === 'ok') {
          told++;
          expect(own.logprob).toBeCloseTo(exact(policy, each), 6);
          expect(own.check).toMatchObject({ agreement: 'agrees' });
          const under = forcedUnder(other, { messages }, each);
          expect([under.status, under.logprob]).toEqual(['ok', expect.closeTo(exact(other, each), 6)]);
        } else expect(own.status).toMatch(/^retokenized$/);
      }
      expect(told).toBeGreaterThan(forcing === 'ids' ? sampled.length - 1 : 0);
    },
  );

  it.each<[string, string, MessageWays, RegExp]>([
    ['rewrites answers', 'thinker', { template: 'drops-thoughts' }, /^retokenized$/],
    ['ends what it is to go on with', 'base', { template: 'ends-it' }, /^retokenized$/],
    ['takes thoughts out', 'thinker', { thoughts: 'apart' }, /^thoughts_apart$/],
    ['tells no ids', 'base', { ids: 'none' }, /^no_token_ids$/],
    ['tells nothing of prompts', 'base', { promptLogprobs: 'none' }, /^(echo_unsupported|retokenized)$/],
    ['leaves out what it had cached', 'base', { promptLogprobs: 'cached' }, /^(shape|retokenized)$/],
    ['tells the value of the token behind', 'base', { promptLogprobs: 'shifted' }, /^(forced_shifted|retokenized)$/],
    ['tells values on another scale', 'base', { promptLogprobs: 'scaled' }, /^(forced_scaled|retokenized)$/],
    ['clamps values', 'base', { promptLogprobs: 'clamped' }, /^(bad_value|retokenized)$/],
  ])('on a server that %s, has the name of that', (_, name, messages, status) => {
    const policy = policyOf(refOf(name, { template: 'none', forcing: 'chat' }), { api: 'chat' });
    const statuses = sampledUnder(policy, { messages })
      .filter(({ row }) => usable([row]).length > 0)
      .map((each) => forcedUnder(policy, { messages }, each).status);
    expect(statuses.length).toBeGreaterThan(1);
    for (const each of statuses) expect(each).toMatch(status);
    const named = statuses.filter((each) => each !== 'retokenized');
    if (!status.test('retokenized') || status.source.includes('|')) expect(named.length).toBeGreaterThan(0);
  });
});

describe('a model that thinks, over /completions', () => {
  it.each<[string, Partial<Dialect>, boolean]>([
    ['thinker', {}, false],
    ['opened', OPENED, true],
    ['channels', CHANNELS, false],
  ])('%s: the answer is judged, the thoughts are kept, and both are forced', (name, changes, isOpened) => {
    const model = refOf(name, { ...changes, forcing: 'ids' });
    const policy = policyOf(model);
    const sampled = sampledUnder(policy, {});
    const done = sampled.filter(({ row }) => usable([row]).length > 0);
    expect(done.length).toBeGreaterThan(1);
    for (const each of done) {
      const { response, thoughts, usage } = each.row;
      expect(response).not.toMatch(/think>|analysis|<\|/);
      expect(thoughts ?? '').not.toMatch(/think>|<\|/);
      expect(usage?.output).toBeGreaterThanOrEqual(each.ids.length);
      const forced = forcedUnder(policy, {}, each);
      expect([forced.status, forced.tokens]).toEqual(['ok', each.ids.length]);
      expect(forced.logprob).toBeCloseTo(exact(policy, each, isOpened), 6);
    }
    expect(done.some(({ row }) => (row.thoughts ?? '') !== '')).toBe(true);
    for (const { row } of sampled.filter((each) => !done.includes(each))) expect(row.status).toBe('empty_response');
  });

  it('is forced by all of its text, where the text stands for its tokens', () => {
    const policy = policyOf(refOf('thinker', { forcing: 'text' }));
    const done = sampledUnder(policy, {}).filter(({ row }) => usable([row]).length > 0);
    for (const each of done) {
      expect(each.row.generated).toBe(`<think>${each.row.generated!.slice('<think>'.length)}`);
      const { status, logprob } = forcedUnder(policy, {}, each);
      if (status === 'ok') expect(logprob).toBeCloseTo(exact(policy, each), 6);
      else expect(status).toMatch(/^(retokenized|cut_character)$/);
    }
  });

  it('says so where a server leaves the marks out of its text and tells no tokens', () => {
    const policy = policyOf(refOf('channels', CHANNELS));
    for (const { row } of sampledUnder(policy, {})) {
      expect([row.status, row.response]).toEqual(['unmarked_thoughts', null]);
    }
    // Whose thoughts and answer are forced by text then has no text that stands for them.
    const kept = policyOf(refOf('channels', { ...CHANNELS, forcing: 'text' }));
    for (const each of sampledUnder(kept, {}).filter(({ row }) => row.thoughts !== undefined)) {
      if (usable([each.row]).length === 0) continue;
      expect(forcedUnder(kept, {}, each).status).toBe('thoughts_apart');
    }
  });
});

describe('thoughts in a text', () => {
  it.each([
    ['[THINK]a[/THINK]b', 'b', 'a'],
    ['<|channel>thought\na<channel|>b', 'b', 'a'],
    ['<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>', 'b', 'a'],
    ['<|channel|>final<|message|>b', 'b', null],
    ['<|channel|>analysis<|message|>a', '', 'a'],
    ['<think>\n\n</think>\n\nb', 'b', ''],
  ])('%j', (text, answer, thoughts) => {
    expect(withoutThoughts(text)).toEqual({ answer, thoughts });
  });

  it('whose block the prompt opened are thoughts until it ends; and no block is where none was opened', () => {
    expect(withoutThoughtsAfter('x<think>\n', 'a</think>\n\nb')).toEqual({ answer: 'b', thoughts: 'a' });
    expect(withoutThoughtsAfter('x<think>\n', 'a and')).toEqual({ answer: '', thoughts: 'a and' });
    expect(withoutThoughtsAfter('x[THINK]', 'a[/THINK]b')).toEqual({ answer: 'b', thoughts: 'a' });
    expect(withoutThoughtsAfter('x', 'write </think>b')).toEqual({ answer: 'write </think>b', thoughts: null });
    expect(withoutThoughtsAfter('<think>\n\n</think>\n\n', 'b')).toEqual({ answer: 'b', thoughts: null });
  });
});
