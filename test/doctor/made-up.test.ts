import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../src/core/json.ts';
import type { CallsKind, Inputs } from '../../src/core/kind.ts';
import { madeUpItem } from '../../src/doctor/made-up.ts';
import { scores } from '../../src/kinds/scores.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';

const DIALECT = {
  template: 'llama4',
  bos: 'server',
  tokenLimit: 'max_tokens',
  temperature: true,
  echoTokens: 0,
  extra: {},
} as const;
const kind = scores as CallsKind<unknown, unknown>;
const one = (node: string) => ({ arity: 'one' as const, nodes: [{ label: '', node }] });

/** What a judge with this template would be asked of a made-up item, as one text; undefined where it asks nothing. */
function asked(judge: JsonObject, inputs: Record<string, ReturnType<typeof one>>): string | undefined {
  const model = { identity: 'x', model: 'm', dialect: DIALECT };
  const params = kind.params.parse({
    judge: { model, temperature: 0, max_tokens: 64, attempts: 1, output: 'score', ...judge },
  }) as JsonObject;
  const item = madeUpItem(kind, params, inputs, { prompt: 'How far?', response: 'Far.' });
  const step = kind.row(item, params).next();
  return step.done
    ? undefined
    : openaiChat
        .textsOf(step.value.body)
        .texts.map(({ text }) => text)
        .join('\n');
}

describe('a made-up item', () => {
  it('has the columns and the reference that a template asks for', () => {
    const template = '{{prompt}} {{response}} {{reference}} {{columns.topic}} {{ columns.level }}';
    expect(asked({ template }, { responses: one('responses/a') })).toBe('How far? Far. Far. doctor doctor');
  });

  it('is compared with another text than its own', () => {
    const inputs = { responses: one('responses/a'), against: one('responses/b') };
    const text = asked({ template: '{{prompt}}: {{response_a}} | {{response_b}}', output: 'pairwise' }, inputs);
    expect(text).toMatch(/^How far\?: Far\. \| Far\. .+/);
  });
});

it.each([
  [z.number().min(3), 3],
  [z.number().min(-3), 0],
  [z.int().min(2), 2],
  [z.number(), 0],
  [z.boolean(), false],
  [z.enum(['low', 'high']), 'low'],
  [z.number().min(5).nullable(), 5],
  [z.array(z.string()), []],
])('a made-up value of a column is the plainest that its type allows: %#', (level, value) => {
  const type = { name: 'levels', schema: () => z.strictObject({ prompt_id: z.string(), level }) };
  const levels = {
    ...kind,
    inputs: { levels: { arity: 'one' as const, rows: [type] } },
    items: (_: unknown, inputs: Inputs) => inputs.one('levels').rows(),
  };
  const item = madeUpItem(levels, {}, { levels: one('levels') }, { prompt: 'How far?', response: 'Far.' });
  expect(item).toEqual({ prompt_id: 'doctor', level: value });
});
