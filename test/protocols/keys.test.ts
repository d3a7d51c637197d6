/** Keys that an earlier version recorded: requests of OpenAI's APIs keep them, or everything paid for is bought again. */

import { expect, it } from 'vitest';
import type { Dialect, Request } from '../../src/core/call.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { judgeResponse } from '../../src/kinds/files/judge.ts';
import { judgeSchema } from '../../src/kinds/files/judge-file.ts';
import { anthropicMessages } from '../../src/protocols/anthropic-messages/messages.ts';
import { dialect } from '../helpers/dialect.ts';
import { chat, completion, forcedText } from '../helpers/openai.ts';

const spoken = dialect({ template: 'llama4' });
const model = { identity: 'https://api.example.com/v1', model: 'scout', dialect: spoken };
const own = {
  ...model,
  dialect: {
    ...spoken,
    tokenLimit: 'max_completion_tokens',
    temperature: false,
    extra: { return_token_ids: true },
  },
} as const;

function judged(output: 'score' | 'interval', response: string, replicate: number): Request {
  const template = 'Rate.\n{{prompt}}\n{{response}} é';
  const judge = judgeSchema.parse({ model, max_tokens: 64, template, output });
  const first = judgeResponse(judge, { prompt: 'Q', response }, replicate).next();
  if (first.done) throw new Error('a judge asks');
  return first.value;
}

it.each<[string, Request, string]>([
  [
    'a completion',
    completion(model, { prompt: 'Hi', maxTokens: 5, temperature: 0.5, topP: 1 }, 'p0/0'),
    'ae8dde09ded895d56c3dd6a8d9365d38',
  ],
  ['a forced text', forcedText(model, 'Hi there', 'p0/0'), '566e359e6bc6b1a7e448df00d8e51165'],
  [
    'a chat',
    chat(
      own,
      {
        messages: [
          { role: 'system', content: 'Be "brief".' },
          { role: 'user', content: 'Hi' },
        ],
        maxTokens: 7,
        temperature: 0,
        seed: 3,
      },
      '0',
    ),
    '41863bc6fb1ef167433185c8c623c5bb',
  ],
  ['a score', judged('score', 'A\n"ü"', 0), 'c49fd2757331d199ce4af52687a5743d'],
  ['an interval', judged('interval', 'A', 1), '5074c596d622c35a33dc1a8abc877f2e'],
])('%s keeps the key under which it was bought', (_, request, key) => expect(keyCall(request).key).toBe(key));

it.each<[NonNullable<Dialect['json']> | undefined, object | undefined, boolean]>([
  [undefined, { type: 'json_schema', json_schema: { name: 'score', strict: true, schema: { type: 'object' } } }, false],
  ['object', { type: 'json_object' }, true],
  ['none', undefined, true],
])(
  'a model with json %s is asked for a schema as it can take it, in words where it takes none',
  (json, format, worded) => {
    const held = { ...model, dialect: dialect(json === undefined ? {} : { json }) };
    const jsonSchema = { name: 'score', schema: { type: 'object' } };
    const messages = [{ role: 'user' as const, content: 'Rate.' }];
    const request = chat(held, { messages, maxTokens: 7, jsonSchema }, '0');
    expect(request.body.response_format).toEqual(format);
    const words =
      'Rate.\n\nAnswer with nothing but one JSON object that this JSON schema describes:\n{"type":"object"}';
    expect(request.body.messages).toEqual([{ role: 'user', content: worded ? words : 'Rate.' }]);
    expect(JSON.parse(keyCall(request).body)).toEqual(request.body);

    const claude = anthropicMessages.form({ ...held, protocol: 'anthropic-messages' }, { maxTokens: 7, jsonSchema });
    const { body } = claude(messages, '0');
    expect([body.tools !== undefined, body.tool_choice !== undefined]).toEqual([!worded, !worded]);
    expect(body.messages).toEqual([{ role: 'user', content: worded ? words : 'Rate.' }]);
    // Where no schema is wanted, nothing of it is said.
    expect(chat(held, { messages, maxTokens: 7 }, '0').body.messages).toEqual([{ role: 'user', content: 'Rate.' }]);
  },
);
