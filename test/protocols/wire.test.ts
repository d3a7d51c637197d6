import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ModelRef } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import { canonicalJson, type Json } from '../../src/core/json.ts';
import { joinPieces, measurePieces } from '../../src/core/pieces.ts';
import { jsonSchemaOf } from '../../src/protocols/json-schema.ts';
import { anyText } from '../helpers/any-text.ts';
import { dialect } from '../helpers/dialect.ts';
import { chat, completion, forcedText } from '../helpers/openai.ts';

const model = (changes: Partial<ModelRef['dialect']> = {}): ModelRef => ({
  identity: 'https://example.test/v1',
  model: 'scout',
  dialect: dialect(changes),
});

describe('a body', () => {
  it('holds what was given and nothing else, in canonical order', () => {
    const { body, path, draw, identity } = completion(model(), { prompt: 'Hi', maxTokens: 5 }, 'p0/0');
    expect(JSON.stringify(body)).toBe('{"max_tokens":5,"model":"scout","prompt":"Hi"}');
    expect({ path, draw, identity }).toEqual({
      path: '/completions',
      draw: 'p0/0',
      identity: 'https://example.test/v1',
    });
  });

  it('does not change when an argument is undefined instead of absent', () => {
    const args = { prompt: 'Hi', maxTokens: 5, seed: undefined } as unknown as Parameters<typeof completion>[1];
    expect('seed' in completion(model(), args, '').body).toBe(false);
  });

  it('carries every argument under the name that the API knows', () => {
    const { body } = completion(
      model(),
      {
        prompt: [1, 2],
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        stop: ['\n'],
        echo: true,
        logprobs: 1,
        seed: 3,
        returnTokenIds: true,
      },
      '',
    );
    expect(body).toEqual({
      model: 'scout',
      prompt: [1, 2],
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['\n'],
      echo: true,
      logprobs: 1,
      seed: 3,
      return_token_ids: true,
    });
    expect(canonicalJson(body)).toBe(JSON.stringify(body));
  });

  it("speaks the dialect: the token limit's name, no temperature, extra fields that never overwrite ours", () => {
    const dialect = {
      tokenLimit: 'max_completion_tokens',
      temperature: false,
      extra: { context_length_exceeded_behavior: 'error', model: 'another' },
    } as const;
    const { body } = chat(
      model(dialect),
      { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 7, temperature: 0, topP: 1 },
      '0',
    );
    expect(body).toEqual({
      context_length_exceeded_behavior: 'error',
      max_completion_tokens: 7,
      messages: [{ role: 'user', content: 'Hi' }],
      model: 'scout',
    });
  });

  it('asks for an echo with as few new tokens as the server takes', () => {
    expect(forcedText(model(), 'ab', '').body).toEqual({
      model: 'scout',
      prompt: 'ab',
      echo: true,
      logprobs: 1,
      max_tokens: 0,
    });
    expect(forcedText(model({ echoTokens: 1 }), 'ab', '').body.max_tokens).toBe(1);
  });

  it('asks for structured output strictly', () => {
    const schema = jsonSchemaOf(z.object({ score: z.number().min(0).max(10) }));
    const { body } = chat(
      model(),
      { messages: [{ role: 'user', content: 'Hi' }], maxTokens: 7, jsonSchema: { name: 'score', schema } },
      '0',
    );
    expect(body.response_format).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'score',
        strict: true,
        schema: {
          type: 'object',
          properties: { score: { type: 'number', minimum: 0, maximum: 10 } },
          required: ['score'],
          additionalProperties: false,
        },
      },
    });
    expect(canonicalJson(body)).toBe(JSON.stringify(body));
  });
});

describe('a chat request', () => {
  it('is written as the canonical text of its body, whatever it holds', () => {
    const json = fc.jsonValue() as fc.Arbitrary<Json>;
    const words = anyText();
    const message = fc.record({ role: fc.constantFrom('system' as const, 'user' as const), content: words });
    const schema = fc.record({ name: words, schema: fc.dictionary(words, json) });
    const settings = fc.record(
      {
        temperature: fc.double({ min: 0, max: 2, noNaN: true }),
        topP: fc.double({ min: 0, max: 1, noNaN: true }),
        seed: fc.nat(),
        jsonSchema: schema,
      },
      { requiredKeys: [] },
    );
    const dialect = fc.record({
      extra: fc.dictionary(fc.oneof(words, fc.constantFrom('messages', 'a', 'zz', 'model', '9', '10')), json),
      temperature: fc.boolean(),
      tokenLimit: fc.constantFrom('max_tokens' as const, 'max_completion_tokens' as const),
    });
    fc.assert(
      fc.property(dialect, settings, fc.array(message, { maxLength: 3 }), (speech, given, messages) => {
        const { body, written } = chat(model(speech as never), { ...given, maxTokens: 5, messages }, 'd');
        expect(written?.body).toBe(body);
        expect(joinPieces(written!.pieces)).toBe(canonicalJson(body));
        expect(measurePieces(written!.pieces).digest).toBe(digestText(canonicalJson(body)));
        expect(body).toMatchObject({
          messages: messages.map(({ role, content }) => ({ role, content })),
          model: 'scout',
        });
      }),
    );
  });
});

describe('jsonSchemaOf', () => {
  it('closes nested objects, in arrays too, and keeps a property that is called properties', () => {
    const schema = jsonSchemaOf(
      z.object({ properties: z.object({ b: z.string() }), a: z.array(z.object({ c: z.int() })) }),
    );
    expect(schema).toMatchObject({
      additionalProperties: false,
      required: ['a', 'properties'],
      properties: {
        a: { items: { additionalProperties: false, required: ['c'] } },
        properties: { additionalProperties: false, required: ['b'] },
      },
    });
    expect(schema.$schema).toBeUndefined();
  });

  it('closes each of several alternatives, and keeps them and the words of an enumeration in their order', () => {
    const schema = jsonSchemaOf(
      z.object({ b: z.object({ d: z.string(), c: z.enum(['z', 'a']) }).nullable(), a: z.string() }),
    );
    expect(JSON.stringify(schema.properties)).toBe(
      JSON.stringify({
        a: { type: 'string' },
        b: {
          anyOf: [
            {
              additionalProperties: false,
              properties: { c: { enum: ['z', 'a'], type: 'string' }, d: { type: 'string' } },
              required: ['c', 'd'],
              type: 'object',
            },
            { type: 'null' },
          ],
        },
      }),
    );
  });

  it('gives the same bytes whatever the order of declaration', () => {
    const one = jsonSchemaOf(z.object({ a: z.number(), b: z.string() }));
    const two = jsonSchemaOf(z.object({ b: z.string(), a: z.number() }));
    expect(JSON.stringify(one)).toBe(JSON.stringify(two));
  });

  it('refuses an optional property', () => {
    expect(() => jsonSchemaOf(z.object({ a: z.number().optional() }))).toThrow('a is optional');
  });
});

describe('decoding a completion', () => {
  const { decode } = completion(model(), { prompt: 'Hi', maxTokens: 5 }, '');

  it('reads the legacy echo, nulls and ids included', () => {
    const decoded = decode({
      id: 'x',
      model: 'scout-1',
      choices: [
        {
          text: 'Hi you',
          finish_reason: 'length',
          logprobs: {
            tokens: ['Hi', ' you'],
            token_logprobs: [null, -1.5],
            top_logprobs: [null, { ' you': -1.5 }],
            text_offset: [0, 2],
            token_ids: [7, 8],
          },
          token_ids: [],
          prompt_token_ids: [7, 8],
        },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 1 } },
    });
    expect(decoded).toEqual({
      ok: true,
      value: {
        text: 'Hi you',
        finishReason: 'length',
        model: 'scout-1',
        usage: { inputTokens: 2, cachedInputTokens: 1, outputTokens: 0 },
        echo: {
          tokens: ['Hi', ' you'],
          tokenLogprobs: [null, -1.5],
          tokenIds: [7, 8],
          textOffset: [0, 2],
          likeliest: [null, [-1.5]],
        },
        tokenIds: [],
        promptTokenIds: [7, 8],
      },
    });
  });

  it('counts thoughts that a server tells in the total alone, and nothing where one of the two counts is missing', () => {
    const usageOf = (usage: object) => {
      const decoded = decode({ choices: [{ text: 'x', finish_reason: 'stop' }], usage });
      return decoded.ok ? decoded.value.usage : undefined;
    };
    const counted = { prompt_tokens: 10, completion_tokens: 3 };
    const told = { inputTokens: 10, cachedInputTokens: 0 };
    expect(usageOf({ ...counted, total_tokens: 33 })).toEqual({ ...told, outputTokens: 23 });
    expect(usageOf({ ...counted, total_tokens: 12 })).toEqual({ ...told, outputTokens: 3 });
    expect(usageOf(counted)).toEqual({ ...told, outputTokens: 3 });
    expect(usageOf({ prompt_tokens: 10, total_tokens: 33 })).toMatchObject({ inputTokens: 0, outputTokens: 0 });
  });

  it('admits null wherever servers send it', () => {
    const decoded = decode({
      model: null,
      choices: [{ text: 'x', finish_reason: null, logprobs: null, token_ids: null, prompt_token_ids: null }],
      usage: null,
    });
    expect(decoded).toEqual({
      ok: true,
      value: {
        text: 'x',
        finishReason: null,
        model: null,
        usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 },
      },
    });
  });

  it('reads an echo that stands in a part of its own', () => {
    const decoded = decode({
      prompt: [{ text: 'Hi', logprobs: { tokens: ['Hi'], token_logprobs: [null] } }],
      choices: [{ text: 'x', logprobs: { tokens: ['x'], token_logprobs: [-1] } }],
    });
    expect(decoded.ok && decoded.value.echo).toEqual({ tokens: ['Hi'], tokenLogprobs: [null] });
  });

  it.each([
    [null, 'the reply'],
    ['text', 'the reply'],
    [{ choices: [] }, 'choices'],
    [{ choices: [{ text: 3 }] }, 'choices.0.text'],
    [{ choices: [{ text: '', logprobs: { tokens: ['a'], token_logprobs: ['b'] } }] }, 'token_logprobs'],
  ])('says what is wrong with %j', (raw, field) => {
    const decoded = decode(raw);
    expect(decoded.ok).toBe(false);
    expect(!decoded.ok && decoded.problem).toContain(field);
  });
});

describe('decoding a chat reply', () => {
  const { decode } = chat(model(), { messages: [], maxTokens: 5 }, '');

  it('joins the text parts of a content', () => {
    const content = [{ type: 'text', text: 'a' }, { type: 'image' }, { type: 'text', text: 'b' }];
    expect(decode({ choices: [{ message: { content } }] })).toMatchObject({ ok: true, value: { content: 'ab' } });
  });

  it.each([
    [{}, 'malformed_reply', 'choices: not there'],
    [{ choices: [] }, 'malformed_reply', 'choices: empty'],
    [{ choices: [{ message: { content: null } }] }, 'empty_response', 'the reply has no text'],
    [{ choices: [{ message: { content: ' \n' } }] }, 'empty_response', 'the reply has no text'],
    [{ choices: [{ message: { content: [{ type: 'image' }] } }] }, 'malformed_reply', 'no part with text'],
    [{ choices: [{ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] }, 'refused', 'No.'],
    [{ choices: [{ message: { content: 'a' }, finish_reason: 'content_filter' }] }, 'filtered', 'content_filter'],
    [{ choices: [{ message: { content: 'a' }, finish_reason: 'tool_calls' }] }, 'malformed_reply', 'tool_calls'],
    [{ choices: [{ message: { content: 'a' }, error: { code: 502, message: 'x' } }] }, undefined, '502 x'],
    [
      {
        choices: [{ message: { content: null, reasoning_content: 'hm' }, finish_reason: 'length' }],
        usage: { completion_tokens: 64 },
      },
      'empty_response',
      'reasoning used all 64 of max_tokens',
    ],
  ])('takes %j for no answer', (raw, reason, problem) => {
    const decoded = decode(raw);
    expect(decoded).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    expect(!decoded.ok && decoded.reason).toBe(reason);
  });

  it('does not take a reply without a message', () => {
    expect(decode({ choices: [{ finish_reason: 'stop' }] }).ok).toBe(false);
  });
});
