/** Files of other programs, read as prompts and as responses without a setting. */

import { describe, expect, it } from 'vitest';
import { ROWS, type SourceKind } from '../../src/core/kind.ts';
import type { PromptRow, ResponseRow } from '../../src/datasets/rows.ts';
import { prompts } from '../../src/kinds/prompts.ts';
import { tableResponses } from '../../src/kinds/table-responses.ts';
import { input, inputs } from './support.ts';

async function rowsOf<P, R>(kind: SourceKind<P>, file: string, text: string, params: object, given = inputs({})) {
  const bytes = Buffer.from(text);
  const outputs = await kind.parse(kind.params.parse(params), { [file]: { bytes, label: 'f.jsonl' } }, given);
  return [...(outputs.files[ROWS] as Iterable<R>)];
}

const promptsIn = (text: string) =>
  rowsOf<Parameters<typeof prompts.parse>[0], PromptRow>(prompts, 'prompts', text, {
    source: '/f.jsonl',
    samples: 'all',
    seed: 1,
    ids: 'content',
    language: null,
  });
const responsesIn = (text: string, asked?: readonly object[], params: object = {}) =>
  rowsOf<Parameters<typeof tableResponses.parse>[0], ResponseRow>(
    tableResponses,
    'file',
    text,
    { as: 'responses', file: '/f.jsonl', ...params },
    inputs(asked === undefined ? {} : { prompts: input({ rows: asked }) }),
  );
const lines = (...rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');

const state = (id: string, text: string, answer: string) => ({
  instance: { input: { text }, references: [], split: 'test', id },
  request: { model: 'lab/m', prompt: `Question: ${text}\nAnswer:`, temperature: 0 },
  result: { success: true, completions: [{ text: answer, logprob: -1 }] },
});
const HELM = JSON.stringify({
  adapter_spec: { method: 'generation', model: 'lab/m' },
  request_states: [state('id1', 'How?', 'So.'), state('id2', 'Why?', 'Because.')],
});

const turn = (content: string) => ({ role: 'user', content });
const OPENAI = lines(
  { custom_id: 'q1', method: 'POST', url: '/v1/chat/completions', body: { model: 'm', messages: [turn('How?')] } },
  { custom_id: 'q2', method: 'POST', url: '/v1/responses', body: { model: 'm', input: 'Why?', instructions: 'x' } },
);
const ANTHROPIC = lines(
  { custom_id: 'q1', params: { model: 'm', max_tokens: 9, system: 'Be brief.', messages: [turn('How?')] } },
  { custom_id: 'q2', params: { model: 'm', max_tokens: 9, messages: [turn('Why?')] } },
);
const sample = (id: number, prompt: string, answer: string) => ({
  doc_id: id,
  doc: { question: prompt },
  target: '4',
  arguments: { gen_args_0: { arg_0: prompt, arg_1: { until: ['\n'] } } },
  resps: [[answer]],
  filtered_resps: ['4'],
  exact_match: 1,
});
const LM_EVAL = lines(sample(0, 'How?', 'So.'), sample(1, 'Why?', 'Because.'));

describe('prompts', () => {
  it.each([
    ['HELM', HELM, ['id1', 'id2']],
    ["a batch of OpenAI's", OPENAI, ['q1', 'q2']],
    ["a batch of Anthropic's", ANTHROPIC, ['q1', 'q2']],
    ['lm-evaluation-harness', LM_EVAL, ['0', '1']],
  ])('of %s', async (_, text, ids) => {
    const rows = await promptsIn(text);
    expect(rows.map(({ prompt_id, prompt }) => [prompt_id, prompt])).toEqual([
      [ids[0], 'How?'],
      [ids[1], 'Why?'],
    ]);
  });

  it("keep what the system is told beside a batch's turns", async () => {
    expect((await promptsIn(ANTHROPIC))[0]!.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'How?' },
    ]);
  });
});

describe('responses', () => {
  const known = [
    { prompt_id: 'q1', prompt: 'How?' },
    { prompt_id: 'q2', prompt: 'Why?' },
  ];
  const message = { role: 'assistant', content: 'So.' };
  const answered = (custom_id: string, response: object | null, more: object = {}) => ({
    id: `batch_req_${custom_id}`,
    custom_id,
    response,
    ...more,
  });
  const parts = [
    { type: 'reasoning', summary: [] },
    { type: 'message', content: [{ type: 'output_text', text: 'Because.' }] },
  ];

  it.each([
    ['HELM', HELM],
    ['lm-evaluation-harness', LM_EVAL],
  ])('of %s', async (_, text) => {
    const rows = await responsesIn(text);
    expect(rows.map(({ prompt, response }) => [prompt, response])).toEqual([
      ['How?', 'So.'],
      ['Why?', 'Because.'],
    ]);
  });

  it("of a batch of OpenAI's, whose prompts stand in another file", async () => {
    const text = lines(
      answered('q1', { status_code: 200, body: { model: 'm', choices: [{ index: 0, message }] } }),
      answered('q2', { status_code: 200, body: { model: 'm', output: parts } }),
    );
    expect((await responsesIn(text, known)).map(({ response }) => response)).toEqual(['So.', 'Because.']);
  });

  it('without their prompts are told where those are named', async () => {
    await expect(
      responsesIn(lines(answered('q1', { status_code: 200, body: { choices: [{ message }] } }))),
    ).rejects.toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ hint: expect.stringContaining('--prompts') })] }),
    );
  });

  it('that are errors are none', async () => {
    const text = lines(
      answered('q1', { status_code: 400, body: { error: { message: 'too long' } } }),
      answered('q2', null, { error: { code: 'batch_expired' } }),
    );
    expect((await responsesIn(text, known)).map(({ status }) => status)).toEqual(['no_response', 'no_response']);
  });

  it("of a batch of Anthropic's, without its thoughts", async () => {
    const content = [
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'So.' },
    ];
    const text = lines(
      { custom_id: 'q1', result: { type: 'succeeded', message: { role: 'assistant', model: 'm', content } } },
      { custom_id: 'q2', result: { type: 'errored', error: { type: 'x' } } },
    );
    expect((await responsesIn(text, known)).map(({ response }) => response)).toEqual(['So.', null]);
  });

  it('that were kept as whole replies are what those say', async () => {
    const text = lines({ prompt: 'How?', response: { id: 'x', choices: [{ message }] } });
    expect((await responsesIn(text))[0]!.response).toBe('So.');
  });

  it('stand where a column that was named says, beside all that', async () => {
    const columns = { prompt: 'doc.question', response: 'filtered_resps.0' };
    expect((await responsesIn(LM_EVAL, undefined, { columns })).map(({ response }) => response)).toEqual(['4', '4']);
  });
});
