/**
 * A server of Anthropic's `/v1/messages`, written from what the API documents and sharing no code with what it checks.
 * It keeps its own bill. Started by `fork`, it tells its port; a message `bill` is answered with the bill.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const MODEL = 'claude-test';
const KEY = 'sk-ant-test-0123456789';

const bill = { requests: 0, answered: 0, input: 0, cached: 0, written: 0, output: 0, wrong: [] as string[] };
const turnedAway = new Set<string>();

interface Asked {
  model?: unknown;
  max_tokens?: unknown;
  messages?: { role?: unknown; content?: unknown }[];
  tools?: { name?: unknown; input_schema?: { type?: unknown; properties?: Record<string, unknown> } }[];
  tool_choice?: { type?: unknown; name?: unknown };
  [name: string]: unknown;
}

const KNOWN = ['model', 'max_tokens', 'messages', 'system', 'temperature', 'top_p', 'tools', 'tool_choice'];

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const wrong = trouble(request);
  if (wrong !== undefined) return fail(response, 401, 'authentication_error', wrong);
  if (request.method === 'GET' && pathname === '/v1/models') {
    const model = { type: 'model', id: MODEL, display_name: 'Claude Test', created_at: '2026-01-01T00:00:00Z' };
    return send(response, 200, { data: [model], has_more: false, first_id: MODEL, last_id: MODEL });
  }
  let text = '';
  for await (const chunk of request) text += String(chunk);
  if (request.method !== 'POST' || pathname !== '/v1/messages') {
    return fail(response, 404, 'not_found_error', `${pathname} was not found`);
  }
  bill.requests += 1;
  const asked = JSON.parse(text) as Asked;
  const mistake = mistakeIn(asked);
  if (mistake !== undefined) {
    bill.wrong.push(mistake);
    return fail(response, 400, 'invalid_request_error', mistake);
  }
  if (asked.model !== MODEL) return fail(response, 404, 'not_found_error', `model: ${String(asked.model)}`);
  // What decides is the prompt, the second line of the test's templates; an answer may speak of anything.
  const said = String(asked.messages?.[0]?.content).split('\n')[1] ?? '';
  // Some texts are turned away the first time.
  if (/coffee|rain/.test(said) && !turnedAway.has(text)) {
    turnedAway.add(text);
    if (said.includes('rain')) return fail(response, 529, 'overloaded_error', 'Overloaded');
    const headers = { 'retry-after': '0' };
    return fail(response, 429, 'rate_limit_error', 'This request would exceed your rate limit.', headers);
  }
  return answer(response, asked, said);
});

function answer(response: ServerResponse, asked: Asked, said: string): void {
  const usage = {
    input_tokens: 100,
    cache_read_input_tokens: said.includes('tea') ? 40 : 0,
    cache_creation_input_tokens: 0,
    output_tokens: 7,
  };
  const tool = String(asked.tool_choice?.name);
  const use = (input: Record<string, unknown>) => [{ type: 'tool_use', id: 'toolu_01', name: tool, input }];
  let content: unknown[] = use({ score: 8 });
  let reason = 'tool_use';
  if (said.includes('volcano')) [content, reason] = [[{ type: 'text', text: 'I cannot rate this.' }], 'refusal'];
  // An answer that was cut within the tool's input holds what there was of it: nothing.
  if (said.includes('moon')) [content, reason] = [use({}), 'max_tokens'];
  bill.answered += 1;
  bill.input += usage.input_tokens;
  bill.cached += usage.cache_read_input_tokens;
  bill.output += usage.output_tokens;
  send(response, 200, {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: MODEL,
    content,
    stop_reason: reason,
    stop_sequence: null,
    usage,
  });
}

function trouble({ headers }: IncomingMessage): string | undefined {
  if (headers['anthropic-version'] !== '2023-06-01') return 'anthropic-version: header is required';
  if (headers['x-api-key'] !== KEY) return 'invalid x-api-key';
  return headers.authorization === undefined ? undefined : 'both authorization and x-api-key were sent';
}

function mistakeIn(asked: Asked): string | undefined {
  const unknown = Object.keys(asked).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  if (!Number.isInteger(asked.max_tokens)) return 'max_tokens: Field required';
  if (!Array.isArray(asked.messages) || asked.messages.length === 0)
    return 'messages: at least one message is required';
  if (asked.messages.some(({ role }) => role !== 'user' && role !== 'assistant')) return 'messages: unexpected role';
  const [tool] = asked.tools ?? [];
  if (asked.tool_choice?.type !== 'tool' || tool?.name !== asked.tool_choice.name) return 'tool_choice: no such tool';
  return tool?.input_schema?.type === 'object' ? undefined : 'tools.0.input_schema.type: Field required';
}

function fail(response: ServerResponse, status: number, type: string, message: string, headers = {}): void {
  send(response, status, { type: 'error', error: { type, message }, request_id: 'req_01' }, headers);
}

function send(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'anthropic-ratelimit-requests-limit': '4000',
    'anthropic-ratelimit-requests-remaining': '3999',
    'anthropic-ratelimit-requests-reset': new Date(Date.now() + 1000).toISOString(),
    'anthropic-ratelimit-tokens-limit': '400000',
    'anthropic-ratelimit-tokens-remaining': '399000',
    'anthropic-ratelimit-tokens-reset': new Date(Date.now() + 1000).toISOString(),
    ...headers,
  });
  response.end(JSON.stringify(body));
}

process.on('message', (message) => {
  if (message === 'bill') process.send?.(bill);
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port));
