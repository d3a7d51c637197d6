/** Policies of any chat model: what they are sent, what is read of their replies, and how often they are asked. */

import { describe, expect, it } from 'vitest';
import type { Answer, ModelRef } from '../../src/core/call.ts';
import { NO_USAGE } from '../../src/core/call.ts';
import type { ChatReply } from '../../src/core/protocol.ts';
import { joinInputs } from '../../src/datasets/join.ts';
import { RESPONSES } from '../../src/datasets/row-types.ts';
import { drawName } from '../../src/datasets/rows.ts';
import { policySchema, scoringPolicySchema } from '../../src/kinds/files/policy.ts';
import { withoutThoughts } from '../../src/kinds/files/thoughts.ts';
import { responses } from '../../src/kinds/responses.ts';
import { dialect } from '../helpers/dialect.ts';
import { input, inputs, many } from './support.ts';

const MODEL: ModelRef = { identity: 'lab', model: 'talker', dialect: dialect({ template: 'none' }) };
const policyOf = (more: object = {}) =>
  policySchema.parse({ api: 'chat', model: MODEL, draw: 'brief', max_tokens: 100, ...more });
const params = (more: object = {}, policy: object = {}) => ({
  policy: policyOf(policy),
  temperature: 'policy' as const,
  replicate: 0,
  draws: 1,
  ...more,
});
const said = (content: string | null, more: Partial<ChatReply> = {}): Answer<ChatReply> => ({
  ok: true,
  usage: NO_USAGE,
  reply: { content, reasoning: null, finishReason: 'stop', model: 'talker', usage: NO_USAGE, ...more },
});

/** The request of one item, and its row. */
function asked(item: object, given: ReturnType<typeof params>, answer: Answer<ChatReply> = said('Yes.')) {
  const row = responses.row({ prompt_id: 'a', prompt: 'How?', ...item }, given);
  const first = row.next();
  if (first.done === true) throw new Error('nothing was asked');
  const end = row.next(answer);
  if (end.done !== true) throw new Error('asked twice');
  expect(RESPONSES.schema().parse(end.value)).toEqual(end.value);
  const body = first.value.body as { readonly messages: readonly object[] };
  return { request: first.value, body, row: end.value };
}

describe('a chat policy', () => {
  it('sends messages, and no setting that was not made', () => {
    const { request, body } = asked({}, params());
    expect(request).toMatchObject({ path: '/chat/completions', draw: 'brief/0' });
    expect(body).toEqual({ max_tokens: 100, messages: [{ role: 'user', content: 'How?' }], model: 'talker' });
    const more = {
      temperature: 0.5,
      top_p: 0.9,
      reasoning_effort: 'low',
      system: 'Be brief.',
      prompt: 'Q: {{prompt}}',
    };
    expect(asked({}, params({}, more)).body).toEqual({
      max_tokens: 100,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Q: How?' },
      ],
      model: 'talker',
      reasoning_effort: 'low',
      temperature: 0.5,
      top_p: 0.9,
    });
  });

  it('sends a conversation up to its last user turn, its own system text before the conversation’s', () => {
    const messages = [
      { role: 'system', content: 'In rhyme.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: '1' },
      { role: 'user', content: 'Two' },
    ];
    expect(asked({ messages }, params({}, { system: 'Be brief.', prompt: '{{prompt}}!' })).body.messages).toEqual([
      { role: 'system', content: 'Be brief.\n\nIn rhyme.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: '1' },
      { role: 'user', content: 'Two!' },
    ]);
    expect(asked({ messages }, params()).row).toMatchObject({ messages });
  });

  it('keeps thoughts apart from the answer', () => {
    const row = (answer: Answer<ChatReply>) => asked({}, params(), answer).row;
    expect(row(said('Yes.', { reasoning: 'Hm.' }))).toMatchObject({ response: 'Yes.', thoughts: 'Hm.' });
    expect(row(said('<think>\nHm.\n</think>\n\nYes.'))).toMatchObject({ response: 'Yes.', thoughts: 'Hm.' });
    expect(row(said('Yes.'))).not.toHaveProperty('thoughts');
    expect(row(said('<think>Hm, and', { finishReason: 'length' }))).toMatchObject({
      status: 'empty_response',
      response: null,
      thoughts: 'Hm, and',
    });
  });

  it('has no response where it said nothing or the call failed, and a cut one is named', () => {
    const status = (answer: Answer<ChatReply>) => asked({}, params(), answer).row.status;
    expect(status(said(' \n'))).toBe('empty_response');
    expect(status(said('x', { finishReason: 'length' }))).toBe('truncated');
    expect(status({ ok: false, failure: { class: 'permanent', reason: 'rejected', message: '' } })).toBe('rejected');
  });

  it('answers a prompt as often as it is told, each time as a draw of its own', () => {
    const upstream = inputs({ prompts: input({ rows: [{ prompt_id: 'a', prompt: 'How?' }] }) });
    const items = [...responses.items(params({ draws: 3 }), upstream)];
    expect(items.map(({ draw_index }) => draw_index)).toEqual([0, 1, 2]);
    expect(items.map((item) => asked(item, params({ draws: 3 })).request.draw)).toEqual([
      'brief/0',
      'brief/1',
      'brief/2',
    ]);
    // The first draw is what it was when there was one.
    expect(asked({}, params()).request.draw).toBe('brief/0');
    expect([...responses.items(params(), upstream)]).toEqual([{ prompt_id: 'a', prompt: 'How?' }]);
    expect(items.map((item) => responses.item!({ ...item }))).toEqual([
      { id: 'a', prompt: 'a' },
      { id: 'a#1', prompt: 'a' },
      { id: 'a#2', prompt: 'a' },
    ]);
  });

  it('has no log probabilities, and needs no chat template', () => {
    expect(scoringPolicySchema.safeParse(policyOf()).error?.issues[0]).toMatchObject({
      path: ['api'],
      params: { id: 'CJE-CHAT-POLICY' },
    });
    const forcedBy = (forcing: 'ids' | 'generate' | 'text' | 'chat', more = {}) => ({
      ...policyOf(),
      model: { ...MODEL, dialect: { ...MODEL.dialect, forcing } },
      ...more,
    });
    const places = (policy: object) =>
      scoringPolicySchema
        .safeParse(policy)
        .error?.issues.map((issue) => [issue.path[0], 'params' in issue ? issue.params?.id : undefined]);
    for (const forcing of ['ids', 'chat'] as const) expect(places(forcedBy(forcing))).toBeUndefined();
    for (const forcing of ['text', 'generate'] as const) {
      expect(places(forcedBy(forcing))).toEqual([['api', 'CJE-CHAT-POLICY']]);
    }
    // What is forced as a message has no thoughts, and is of no rendered prompt.
    expect(places(forcedBy('chat', { reasoning_effort: 'low' }))).toEqual([['reasoning_effort', 'CJE-CHAT-POLICY']]);
    expect(places(forcedBy('chat', { api: 'completions', temperature: 1 }))).toContainEqual([
      'model',
      'CJE-CHAT-POLICY',
    ]);
    const completions = { model: MODEL, draw: 'd', max_tokens: 9, reasoning_effort: 'low' };
    expect(policySchema.safeParse(completions).error?.issues.map(({ path }) => path[0])).toEqual([
      'temperature',
      'reasoning_effort',
      'model',
    ]);
  });
});

describe('thoughts', () => {
  it.each([
    ['<thinking>a</thinking>b', 'b', 'a'],
    ['a</think>b', 'b', 'a'],
    ['what does <think>a</think> mean?', 'what does <think>a</think> mean?', null],
    ['plain', 'plain', null],
  ])('in %j', (content, answer, thoughts) => {
    expect(withoutThoughts(content)).toEqual({ answer, thoughts });
  });
});

describe('a direct dataset', () => {
  const response = (prompt_id: string, draw_index?: number) => ({
    prompt_id,
    prompt: '',
    status: 'ok',
    response: 'two words',
    finish_reason: 'stop',
    model: null,
    temperature: 1,
    top_p: 1,
    usage: null,
    ...(draw_index === undefined ? {} : { draw_index }),
  });
  const score = (prompt_id: string, value: number, draw_index?: number) => ({
    prompt_id,
    status: 'ok',
    score: value,
    variance: 0,
    ...(draw_index === undefined ? {} : { draw_index }),
  });

  it('has no log, ranks every policy, and lines draws up with their own scores and labels', () => {
    const given = {
      responses: many({
        a: { rows: [response('p', 0), response('p', 1)] },
        b: { rows: [response('p')] },
      }),
      scores: many({ a: { rows: [score('p', 0.1, 0), score('p', 0.2, 1)] }, b: { rows: [score('p', 0.3)] } }),
      oracle: input({ rows: [{ policy: 'a', prompt_id: 'p', draw_index: 1, status: 'ok', label: 1 }] }),
    };
    const joined = joinInputs(inputs(given), null);
    expect(joined.logged).toEqual([]);
    expect(joined.targets).toEqual(['a', 'b']);
    expect(joined.fresh.map((row) => [row.policy, row.draw_index, row.judge_score, row.oracle_label])).toEqual([
      ['a', 0, 0.1, null],
      ['a', 1, 0.2, 1],
      ['b', undefined, 0.3, null],
    ]);
    const { oracle: _, ...unlabelled } = given;
    expect(joinInputs(inputs(unlabelled), null).fresh.every((row) => row.oracle_label === null)).toBe(true);
    expect([drawName('p', 0), drawName('p', 2)]).toEqual(['p', 'p#2']);
  });
});
