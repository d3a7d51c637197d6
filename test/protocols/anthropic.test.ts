import { describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/protocol.ts';
import { anthropicMessages as api } from '../../src/protocols/anthropic-messages/messages.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { askedWait } from '../../src/protocols/shared/waits.ts';
import { classifyStatus } from '../../src/providers/classify.ts';
import { dialect } from '../helpers/dialect.ts';

const model = { identity: 'claude', model: 'claude-test', dialect: dialect(), protocol: 'anthropic-messages' } as const;
const jsonSchema = { name: 'score', schema: { type: 'object' } };
const asked = (messages: readonly Message[]) => api.form(model, { maxTokens: 9, jsonSchema, seed: 1 })(messages, '0');

describe('a request', () => {
  it('has its system text apart, its schema as a tool, and no seed', () => {
    const { body, path } = asked([
      { role: 'system', content: 'Be fair.' },
      { role: 'user', content: 'Hi' },
    ]);
    expect(path).toBe('/messages');
    expect(body).toEqual({
      max_tokens: 9,
      messages: [{ content: 'Hi', role: 'user' }],
      model: 'claude-test',
      system: 'Be fair.',
      tool_choice: { type: 'tool', name: 'score', disable_parallel_tool_use: true },
      tools: [{ name: 'score', input_schema: { type: 'object' } }],
    });
    expect(protocolAt(path).textsOf(body).texts).toEqual([
      { name: 'system', text: 'Be fair.' },
      { name: 'user', text: 'Hi' },
    ]);
    expect([api.outputCap(body), api.modelOf(body)]).toEqual([9, 'claude-test']);
  });

  it('carries the version, and the key where there is one', () => {
    expect(api.auth(undefined)).toEqual({ 'anthropic-version': '2023-06-01' });
    expect(api.auth('k')).toEqual({ 'anthropic-version': '2023-06-01', 'x-api-key': 'k' });
  });
});

describe('a reply', () => {
  const text = [{ type: 'text', text: 'No.' }];
  const used = [
    { type: 'thinking', thinking: '…' },
    { type: 'tool_use', name: 'score', input: { score: 8 } },
  ];
  it.each([
    ['a tool', used, 'tool_use', { content: '{"score":8}', finishReason: 'stop' }],
    ['a text', text, 'end_turn', { content: 'No.', finishReason: 'stop' }],
    ['a cut', text, 'max_tokens', { content: 'No.', finishReason: 'length' }],
  ])('with %s', (_, content, stopped, expected) => {
    const decoded = api.decode({ type: 'message', model: 'claude-test', content, stop_reason: stopped });
    expect(decoded).toMatchObject({ ok: true, value: { ...expected, model: 'claude-test' } });
  });

  it.each<[string, object, object]>([
    ['a refusal', { content: text, stop_reason: 'refusal' }, { reason: 'refused', problem: 'No.' }],
    ['a silent refusal', { content: [], stop_reason: 'refusal' }, { reason: 'refused' }],
    ['nothing', { content: [], stop_reason: 'end_turn' }, { reason: 'empty_response' }],
    ['thoughts alone', { content: used.slice(0, 1), stop_reason: 'max_tokens' }, { reason: 'empty_response' }],
    ['a pause', { content: text, stop_reason: 'pause_turn' }, { reason: 'malformed_reply' }],
    ['no content', { stop_reason: 'end_turn' }, { reason: 'malformed_reply' }],
  ])('is no answer with %s', (_, raw, expected) => expect(api.decode(raw)).toMatchObject({ ok: false, ...expected }));

  it('counts cached input as input too, and nothing where nothing is counted', () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 4,
      cache_creation_input_tokens: 2,
      output_tokens: 3,
    };
    expect(api.usageOf({ usage })).toEqual({ inputTokens: 16, cachedInputTokens: 4, outputTokens: 3 });
    expect(api.usageOf({})).toBeUndefined();
  });
});

it.each([
  [529, 'overloaded_error', 'Overloaded', 'transient/overloaded'],
  [429, 'rate_limit_error', 'This request would exceed your rate limit.', 'transient/rate_limited'],
  [500, 'api_error', 'Internal server error', 'transient/server_error'],
  [401, 'authentication_error', 'invalid x-api-key', 'fatal/bad_key'],
  [403, 'permission_error', 'Your API key does not have permission.', 'fatal/not_allowed'],
  [404, 'not_found_error', 'model: claude-none', 'fatal/unknown_model'],
  [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'fatal/no_credit'],
  [400, 'invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum', 'permanent/context_overflow'],
  [400, 'invalid_request_error', 'max_tokens: Field required', 'permanent/rejected'],
  [413, 'request_too_large', 'Request exceeds the maximum size', 'permanent/context_overflow'],
])('the error %s %s "%s" is %s', (status, type, message, expected) => {
  const { failure } = classifyStatus(status, api.errorOf({ type: 'error', error: { type, message } }));
  expect(`${failure.class}/${failure.reason}`).toBe(expected);
});

it('reads limits whose windows end at a time of day', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const values: Readonly<Record<string, string>> = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:07Z',
    'anthropic-ratelimit-tokens-limit': '0',
  };
  const header = (name: string) => values[name];
  const report = api.rateReport(header, now);
  expect(report).toEqual({
    requests: { limit: 50, remaining: 0, resetMilliseconds: 7000 },
    tokens: {},
    overLimit: false,
  });
  expect(askedWait(header, now, report)).toBe(7000);
});
