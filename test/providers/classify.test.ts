import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import * as judging from '../../src/providers/classify.ts';

type Row = [name: string, status: number, body: unknown, classified: string, flags?: 'ambiguous' | 'maybe billed'];

const openai = (message: string, type: string, code: string | null, param: string | null = null) => ({
  error: { message, type, param, code },
});
const fireworks = (message: string, code: string, type = 'error') => ({ error: { message, param: null, code, type } });
const vllm = (message: string, type: string, code: number) => ({ object: 'error', message, type, param: null, code });
const vllmNested = (message: string, type: string, code: number) => ({ error: { message, type, param: null, code } });
const nginx = (title: string) => `<html>\r\n<head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

const TABLE: Row[] = [
  // OpenAI
  [
    'OpenAI, prompt too long',
    400,
    openai(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 204308 tokens.",
      'invalid_request_error',
      'context_length_exceeded',
      'messages',
    ),
    'permanent/context_overflow',
  ],
  [
    'OpenAI, flagged prompt',
    400,
    openai(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
      'invalid_request_error',
      'invalid_prompt',
    ),
    'permanent/filtered',
  ],
  [
    'Azure, content filter',
    400,
    openai(
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      'invalid_request_error',
      'content_filter',
      'prompt',
    ),
    'permanent/filtered',
  ],
  [
    'OpenAI, unsupported value',
    400,
    openai(
      "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
      'invalid_request_error',
      'unsupported_value',
      'temperature',
    ),
    'permanent/rejected',
  ],
  ['OpenAI, bad model id', 400, openai('invalid model ID', 'invalid_request_error', null), 'fatal/unknown_model'],
  [
    'OpenAI, hard billing limit',
    400,
    openai('Billing hard limit has been reached', 'invalid_request_error', 'billing_hard_limit_reached'),
    'fatal/no_credit',
  ],
  [
    'OpenAI, wrong key',
    401,
    openai('Incorrect API key provided: sk-abc***xyz.', 'invalid_request_error', 'invalid_api_key'),
    'fatal/bad_key',
  ],
  [
    'OpenAI, model of another project',
    403,
    openai('Project `proj_1` does not have access to model `gpt-4o`', 'invalid_request_error', 'model_not_found'),
    'fatal/unknown_model',
  ],
  [
    'OpenAI, region',
    403,
    openai('Country, region, or territory not supported', 'request_forbidden', 'unsupported_country_region_territory'),
    'fatal/not_allowed',
  ],
  [
    'OpenAI, no such model',
    404,
    openai(
      'The model `gpt-9` does not exist or you do not have access to it.',
      'invalid_request_error',
      'model_not_found',
    ),
    'fatal/unknown_model',
  ],
  [
    'OpenAI, rate limit',
    429,
    openai(
      'Rate limit reached for gpt-4o in organization org-1 on requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 120ms.',
      'requests',
      'rate_limit_exceeded',
    ),
    'transient/rate_limited',
  ],
  [
    'OpenAI, no quota',
    429,
    openai(
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
    'fatal/no_credit',
  ],
  [
    'OpenAI, account not active',
    429,
    openai(
      'Your account is not active, please check your billing details on our website.',
      'billing_not_active',
      'billing_not_active',
    ),
    'fatal/no_credit',
  ],
  [
    'OpenAI, larger than the minute',
    429,
    openai(
      'Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 61337. The input or output tokens must be reduced in order to run successfully.',
      'tokens',
      'rate_limit_exceeded',
    ),
    'permanent/rejected',
  ],
  [
    'OpenAI, server error',
    500,
    openai('The server had an error while processing your request. Sorry about that!', 'server_error', null),
    'transient/server_error',
  ],
  [
    'OpenAI, overloaded',
    503,
    openai('The engine is currently overloaded, please try again later', 'service_unavailable', null),
    'transient/overloaded',
  ],
  // Fireworks
  [
    'Fireworks, prompt too long',
    400,
    fireworks(
      'The prompt is too long: 140000, model maximum context length: 131071',
      'invalid_request_error',
      'invalid_request_error',
    ),
    'permanent/context_overflow',
  ],
  ['Fireworks, wrong key', 401, fireworks('The API key you provided is invalid.', 'UNAUTHORIZED'), 'fatal/bad_key'],
  ['Fireworks, spend limit', 402, fireworks('Payment required', 'PAYMENT_REQUIRED'), 'fatal/no_credit'],
  ['Fireworks, forbidden', 403, fireworks('Forbidden', 'FORBIDDEN'), 'fatal/not_allowed', 'ambiguous'],
  [
    'Fireworks, model not deployed',
    404,
    {
      error: {
        message: 'Model not found, inaccessible, and/or not deployed',
        param: 'model',
        code: 'NOT_FOUND',
        type: 'error',
      },
    },
    'fatal/unknown_model',
  ],
  [
    'Fireworks, account suspended',
    412,
    fireworks(
      'Account lab is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.',
      'PRECONDITION_FAILED',
    ),
    'fatal/no_credit',
  ],
  [
    'Fireworks, adapter that does not load',
    412,
    fireworks('LoRA failed to load', 'PRECONDITION_FAILED'),
    'fatal/unknown_model',
    'ambiguous',
  ],
  ['Fireworks, too large', 413, fireworks('Request body too large', 'PAYLOAD_TOO_LARGE'), 'permanent/context_overflow'],
  [
    'Fireworks, rate limit',
    429,
    fireworks('rate limit exceeded, please try again later', 'RATE_LIMITED'),
    'transient/rate_limited',
  ],
  ['Fireworks, overloaded', 503, fireworks('Service overloaded', 'UNAVAILABLE'), 'transient/overloaded'],
  // vLLM
  [
    'vLLM, prompt too long (flat)',
    400,
    vllm(
      "This model's maximum context length is 131072 tokens. However, you requested 156632 tokens (152536 in the messages, 4096 in the completion).",
      'BadRequestError',
      400,
    ),
    'permanent/context_overflow',
  ],
  [
    'vLLM, prompt too long (nested)',
    400,
    vllmNested(
      'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
      'BadRequestError',
      400,
    ),
    'permanent/context_overflow',
  ],
  [
    'vLLM, no room to answer',
    400,
    vllm('max_tokens must be at least 1, got -186.', 'BadRequestError', 400),
    'permanent/context_overflow',
  ],
  [
    'vLLM, bad field',
    400,
    vllm("[{'type': 'extra_forbidden', 'loc': ('body', 'x')}]", 'BadRequestError', 400),
    'permanent/rejected',
  ],
  ['vLLM, wrong key', 401, { error: 'Unauthorized' }, 'fatal/bad_key'],
  ['vLLM, no such model', 404, vllm('The model `Qwen` does not exist.', 'NotFoundError', 404), 'fatal/unknown_model'],
  ['vLLM, no such path', 404, { detail: 'Not Found' }, 'fatal/unknown_model', 'ambiguous'],
  [
    'vLLM, validation',
    422,
    { detail: [{ loc: ['body', 'n'], msg: 'value is not a valid integer' }] },
    'permanent/rejected',
  ],
  [
    'vLLM, engine died',
    500,
    vllm('EngineCore encountered an issue.', 'InternalServerError', 500),
    'transient/server_error',
  ],
  ['vLLM, not implemented', 501, vllm('Echo is unsupported.', 'NotImplementedError', 501), 'permanent/rejected'],
  // whatever stands between
  ['proxy, redirect', 302, '', 'fatal/not_allowed', 'ambiguous'],
  ['proxy, wrong path', 404, nginx('404 Not Found'), 'fatal/unknown_model', 'ambiguous'],
  ['proxy, no POST here', 405, nginx('405 Not Allowed'), 'fatal/not_allowed', 'ambiguous'],
  ['proxy, slow client', 408, nginx('408 Request Time-out'), 'transient/timeout'],
  [
    'same key under way',
    409,
    openai('A request with this idempotency key is under way', 'conflict', null),
    'transient/server_error',
  ],
  ['model gone', 410, { error: { message: 'This model has been retired', code: 'gone' } }, 'fatal/unknown_model'],
  ['proxy, too large', 413, nginx('413 Request Entity Too Large'), 'permanent/context_overflow'],
  ['proxy, too early', 425, '', 'transient/overloaded'],
  ['law', 451, '', 'permanent/filtered'],
  ['proxy, bad gateway', 502, nginx('502 Bad Gateway'), 'transient/server_error', 'maybe billed'],
  ['proxy, gateway time-out', 504, nginx('504 Gateway Time-out'), 'transient/timeout', 'maybe billed'],
  ['proxy, origin time-out', 524, nginx('524: A timeout occurred'), 'transient/timeout', 'maybe billed'],
  [
    'overloaded',
    529,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    'transient/overloaded',
  ],
  [
    'moderation by a gateway',
    403,
    { error: { message: 'This model requires moderation; your input was flagged for "violence"', code: 403 } },
    'permanent/filtered',
  ],
  ['limit told by 400', 400, openai('Slow down', 'rate_limit_exceeded', null), 'transient/rate_limited'],
  ['limit told by 403', 403, { error: { code: 'RateLimitExceeded', message: 'Slow down' } }, 'transient/rate_limited'],
  ['prompt that is quoted', 400, { error: { message: 'invalid: "too many requests"' } }, 'permanent/rejected'],
];

const classify = (exchange: Parameters<typeof judging.classify>[0]) => judging.classify(exchange, openaiChat);
const classifyStatus = (status: number, body: unknown) => judging.classifyStatus(status, openaiChat.errorOf(body));

describe('error statuses', () => {
  it.each(TABLE)('%s', (_, status, body, expected, flags) => {
    const { failure, ambiguous, maybeBilled } = classifyStatus(status, body);
    expect(`${failure.class}/${failure.reason}`).toBe(expected);
    expect(ambiguous).toBe(flags === 'ambiguous');
    expect(maybeBilled).toBe(flags === 'maybe billed');
    expect(failure.message).toMatch(new RegExp(`^${status} \\S`));
  });

  it('keeps of a page only its title, and never a long text whole', () => {
    expect(classifyStatus(502, nginx('502 Bad Gateway')).failure.message).toBe('502 502 Bad Gateway');
    expect(classifyStatus(400, { error: { message: 'x'.repeat(5000) } }).failure.message.length).toBeLessThan(420);
  });

  it('has a classification for every status and any body', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 999 }), fc.oneof(fc.jsonValue(), fc.string()), (status, body) => {
        const { failure } = classifyStatus(status, body);
        expect(['permanent', 'transient', 'fatal']).toContain(failure.class);
      }),
    );
  });
});

describe('exchanges without an error status', () => {
  const header = () => null;

  it('takes a page or a cut body for a bad reply that was perhaps billed', () => {
    for (const raw of ['', '{"choices":[{"te', '<html>login</html>', '[1]', 'null']) {
      const classified = classify({ type: 'reply', status: 200, raw, header });
      expect(classified.failure).toMatchObject({ class: 'transient', reason: 'bad_reply' });
      expect(classified.maybeBilled).toBe(true);
    }
  });

  it('judges an error in a reply of status 200 by its own code', () => {
    const judge = (error: unknown) =>
      classify({ type: 'reply', status: 200, raw: JSON.stringify({ error }), header }).failure.reason;
    expect(judge({ code: 429, message: 'Rate limit exceeded' })).toBe('rate_limited');
    expect(judge({ status_code: 429, message: 'no' })).toBe('rate_limited');
    expect(judge({ type: 'rate_limit_error', message: 'no' })).toBe('rate_limited');
    expect(judge('Rate limit exceeded')).toBe('rate_limited');
    expect(judge({ code: 402, message: 'Insufficient credits' })).toBe('no_credit');
    expect(judge('the upstream failed')).toBe('server_error');
  });

  it('takes an error of null for none, as it stands beside an answer', () => {
    const raw = JSON.stringify({ error: null, choices: 'none' });
    expect(classify({ type: 'reply', status: 200, raw, header }).failure).toMatchObject({ reason: 'bad_reply' });
  });

  it('knows when a request never left', () => {
    const refused = classify({ type: 'connection', sent: false, detail: 'ECONNREFUSED' });
    const dropped = classify({ type: 'connection', sent: true, detail: 'other side closed' });
    expect([refused.maybeBilled, dropped.maybeBilled]).toEqual([false, true]);
    expect(refused.failure).toMatchObject({ class: 'transient', reason: 'connection' });
    expect(classify({ type: 'timeout', seconds: 30 })).toMatchObject({
      failure: { class: 'transient', reason: 'timeout', message: 'no answer within 30 s' },
      maybeBilled: true,
    });
  });
});

describe('an error in the place of a reply', () => {
  it.each([
    [400, 'rejected'],
    [401, 'bad_key'],
    [599, 'server_error'],
    [600, 'server_error'],
    [399, 'server_error'],
    ['insufficient_quota', 'server_error'],
  ])('of the code %s is %s', (code, reason) => {
    const raw = JSON.stringify({ error: { message: 'no', code } });
    expect(classify({ type: 'reply', status: 200, raw, header: () => null }).failure).toMatchObject({ reason });
  });

  it.each([
    [400, false],
    [429, false],
    [499, false],
    // A server that fails at its work, or says no code, had begun it.
    [500, true],
    [503, true],
    [undefined, true],
  ])('of the code %s was perhaps billed: %s', (code, maybeBilled) => {
    const raw = JSON.stringify({ error: { message: 'no', code } });
    expect(classify({ type: 'reply', status: 200, raw, header: () => null }).maybeBilled).toBe(maybeBilled);
  });
});

it('an engine in this machine that ended is asked no more, in its own words', () => {
  const told = openaiChat.errorOf(openai('it ended', '', 'local_engine_lost'));
  expect(judging.classifyStatus(503, told)).toMatchObject({
    failure: { class: 'fatal', reason: 'engine_lost', message: 'it ended' },
  });
});
