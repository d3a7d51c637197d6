/** Tables of what each API may say of an end, of tokens and of limits: every word and every count that may be absent. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { anthropicMessages } from '../../src/protocols/anthropic-messages/messages.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import { openaiCompletions } from '../../src/protocols/openai-completions/completions.ts';
import { sglangGenerate } from '../../src/protocols/sglang-generate/generate.ts';
import { sizeOfBody } from '../../src/protocols/size.ts';

const chat = (end: unknown, message: JsonObject = { content: 'words' }, more: JsonObject = {}): JsonObject =>
  ({ choices: [{ message, finish_reason: end, ...more }] }) as JsonObject;

describe('an end in the words of OpenAI’s APIs', () => {
  it.each(['stop', 'length', 'eos', 'eos_token', 'stop_sequence', 'end_turn', 'max_tokens', null, ''])(
    'is that of an answer: %j',
    (end) => {
      expect(openaiChat.verdictOf(chat(end)).type).toBe('answer');
      expect(openaiCompletions.verdictOf({ choices: [{ text: 'words', finish_reason: end }] }).type).toBe('answer');
    },
  );

  it.each([
    ['content_filter', { type: 'no-answer', reason: 'filtered' }],
    ['error', { type: 'error' }],
    ['tool_calls', { type: 'no-answer', reason: 'malformed_reply' }],
    [7, { type: 'no-answer', reason: 'malformed_reply' }],
  ])('is not: %j', (end, verdict) => {
    expect(openaiChat.verdictOf(chat(end))).toMatchObject(verdict);
  });

  it('at the limit without a text was used up by thoughts, where there were any', () => {
    const of = (end: string, message: JsonObject) => {
      const verdict = openaiChat.verdictOf({ ...chat(end, message), usage: { completion_tokens: 9 } });
      return verdict.type === 'no-answer' ? verdict.message : verdict.type;
    };
    const thought = { content: '', reasoning: 'hm' };
    expect([of('length', thought), of('stop', thought), of('length', { content: '' })]).toEqual([
      'reasoning used all 9 of max_tokens',
      'the reply has no text',
      'the reply has no text',
    ]);
    expect(
      of('stop', { content: [{ text: 'one ' }, { type: 'text', text: 'two' }, { type: 'image', text: 'x' }] }),
    ).toBe('answer');
    expect(of('stop', { content: [{ type: 'image', text: 'x' }] })).toBe(
      'choices.0.message.content: no text, and no part with text',
    );
  });
});

describe('an end in the words of Anthropic', () => {
  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['tool_use', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
  ])('%s is %s', (stopped, end) => {
    const raw = { content: [{ type: 'text', text: 'words' }], stop_reason: stopped };
    expect(anthropicMessages.endOf(raw)).toBe(end);
    expect(anthropicMessages.verdictOf(raw).type).toBe('answer');
  });

  it.each(['thinking', 'redacted_thinking'])('at the limit after %s alone was used up by it', (type) => {
    const of = (stopped: string) =>
      anthropicMessages.verdictOf({ content: [{ type, thinking: 'hm' }], stop_reason: stopped });
    expect(of('max_tokens')).toMatchObject({ message: 'reasoning used all of max_tokens' });
    expect(of('end_turn')).toMatchObject({ message: 'the reply has no text' });
  });
});

describe('tokens', () => {
  const usage = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
    inputTokens,
    cachedInputTokens,
    outputTokens,
  });

  it.each([
    [{ prompt_tokens: 9, completion_tokens: 2 }, usage(9, 0, 2)],
    [{ prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } }, usage(9, 4, 2)],
    [{ prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: {} }, usage(9, 0, 2)],
    [{ prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: null }, usage(9, 0, 2)],
    [{ prompt_tokens: 9, completion_tokens: 2, total_tokens: 20 }, usage(9, 0, 11)],
    [{ prompt_tokens: 9, completion_tokens: 2, total_tokens: 3 }, usage(9, 0, 2)],
    [{ prompt_tokens: 0, completion_tokens: 0 }, usage(0, 0, 0)],
    [{ prompt_tokens: 9 }, undefined],
    [{ prompt_tokens: -1, completion_tokens: 2 }, undefined],
    [{ prompt_tokens: 1e308, completion_tokens: 2 }, undefined],
  ])('of OpenAI: %j', (told, expected) => {
    expect(openaiChat.usageOf({ usage: told } as JsonObject)).toEqual(expected);
  });

  it.each([
    [{ input_tokens: 9, output_tokens: 2 }, usage(9, 0, 2)],
    [{ input_tokens: 9, output_tokens: 2, cache_read_input_tokens: 4 }, usage(13, 4, 2)],
    [{ input_tokens: 9, output_tokens: 2, cache_creation_input_tokens: 5 }, usage(14, 0, 2)],
    [{ input_tokens: 9, output_tokens: 2, cache_read_input_tokens: null }, usage(9, 0, 2)],
    [{ output_tokens: 2 }, undefined],
  ])('of Anthropic: %j', (told, expected) => {
    expect(anthropicMessages.usageOf({ usage: told } as JsonObject)).toEqual(expected);
  });

  it.each([
    [{ prompt_tokens: 9, completion_tokens: 0 }, usage(9, 0, 0)],
    [{ prompt_tokens: 9, completion_tokens: 0, cached_tokens: 4 }, usage(9, 4, 0)],
    [{ prompt_tokens: 9 }, undefined],
  ])('of SGLang: %j', (told, expected) => {
    expect(sglangGenerate.usageOf({ meta_info: told } as JsonObject)).toEqual(expected);
  });

  it.each<[JsonObject, number | undefined]>([
    [{ max_tokens: 10 }, 10],
    [{ max_completion_tokens: 7, max_tokens: 10 }, 7],
    [{ max_tokens: 10, n: 3 }, 30],
    [{ max_tokens: 10, n: 2, best_of: 5 }, 50],
    [{ max_tokens: 10, n: 0 }, 10],
    [{ max_tokens: 10, prompt: ['a', 'b'] }, 20],
    [{ max_tokens: 10, prompt: [1, 2, 3] }, 10],
    [{ max_tokens: 10, prompt: [[1, 2], [3]], n: 2 }, 40],
    [{ max_tokens: 0 }, 0],
    [{}, undefined],
  ])('that may be answered at most: %j', (body, most) => {
    expect(openaiCompletions.outputCap(body)).toBe(most);
  });

  it('of a request are at most its bytes and what is put around them, and likely a quarter', () => {
    const size = (fields: JsonObject) => sizeOfBody(openaiChat, { body: `${'ä'.repeat(50)}b`, fields });
    expect(size({ model: 'm', max_tokens: 10 })).toEqual({
      model: 'm',
      inputTokensAtMost: 165,
      outputTokensAtMost: 10,
      tokensLikely: 36,
    });
    expect(size({ model: 'm' })).toMatchObject({ outputTokensAtMost: undefined, tokensLikely: 26 });
  });
});

describe('limits', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each<[Readonly<Record<string, string>>, object]>([
    [
      { limit: '50', remaining: '7', reset: '2026-01-01T00:00:07Z' },
      { limit: 50, remaining: 7, resetMilliseconds: 7000 },
    ],
    // A window that has ended needs no wait.
    [
      { limit: '50', remaining: '0', reset: '2025-12-31T23:59:00Z' },
      { limit: 50, remaining: 0, resetMilliseconds: 0 },
    ],
    [{ limit: '0', remaining: '0', reset: '2026-01-01T00:00:07Z' }, {}],
    [{ remaining: '-1', reset: 'soon' }, {}],
    [{ remaining: '3' }, { remaining: 3 }],
  ])('of Anthropic: %j', (told, limit) => {
    const header = (name: string) => told[name.replace('anthropic-ratelimit-requests-', '')];
    expect(anthropicMessages.rateReport(header, now)).toEqual({ requests: limit, tokens: {}, overLimit: false });
  });

  it.each<[Readonly<Record<string, string>>, object, boolean]>([
    [
      { 'limit-requests': '50', 'remaining-requests': '7', 'reset-requests': '1m2s' },
      { limit: 50, remaining: 7, resetMilliseconds: 62_000 },
      false,
    ],
    [{ 'limit-requests': '0', 'remaining-requests': '7' }, {}, false],
    [{ 'remaining-requests': '-3', 'reset-requests': '20ms', 'over-limit': ' Yes' }, { resetMilliseconds: 20 }, true],
    [{ 'over-limit': 'no' }, {}, false],
  ])('of OpenAI: %j', (told, limit, overLimit) => {
    const header = (name: string) => told[name.replace('x-ratelimit-', '')];
    expect(openaiChat.rateReport(header, now)).toEqual({ requests: limit, tokens: {}, overLimit });
  });
});
