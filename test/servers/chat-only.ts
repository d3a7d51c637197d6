/** A server that speaks `/chat/completions` and nothing else, as many hosted and local models do. */

import { createServer, type IncomingMessage, type Server } from 'node:http';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [setting: string]: unknown;
}

export interface ChatServer {
  readonly baseUrl: string;
  /** Bodies of the requests that were answered, in order. */
  readonly asked: readonly ChatRequest[];
  close(): Promise<void>;
}

interface ChatServerOptions {
  /** What is said to a request. */
  readonly answer: (request: ChatRequest) => string;
  /** False: a request for structured output is refused, as servers without it do. */
  readonly schemas?: boolean;
  /** Awaited before each answer. */
  readonly before?: () => Promise<void>;
}

/** Listens on a port of 127.0.0.1 that was free. */
export async function startChatServer({ answer, schemas = true, before }: ChatServerOptions): Promise<ChatServer> {
  const asked: ChatRequest[] = [];
  const server = createServer(async (request, response) => {
    const reply = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const refuse = (status: number, message: string) =>
      reply(status, { error: { message, type: 'invalid_request_error', param: null, code: null } });
    if (request.method === 'GET' && request.url?.endsWith('/models') === true) {
      return reply(200, { object: 'list', data: [{ id: 'local-model', object: 'model' }] });
    }
    if (request.url?.endsWith('/chat/completions') !== true) return refuse(404, 'This is a chat model');
    const body = JSON.parse(await textOf(request)) as ChatRequest;
    if (!schemas && body.response_format !== undefined) return refuse(400, "'response_format' is not supported");
    await before?.();
    asked.push(body);
    const content = answer(body);
    const tokens = (text: string) => Math.ceil(text.length / 4);
    const input = body.messages.reduce((sum, message) => sum + tokens(message.content), 0);
    reply(200, {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 0,
      model: body.model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: input, completion_tokens: tokens(content), total_tokens: input + tokens(content) },
    });
  });
  await listening(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

/** A number in [0, 1) that stays with its text. */
export function share(text: string): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return hash / 2 ** 32;
}

/** Policies that differ by their system text, and a judge that likes long answers. */
export function policiesAndJudge({ messages }: ChatRequest): string {
  const last = messages.at(-1)?.content ?? '';
  const judged = /<response>([\s\S]*)<\/response>/.exec(last)?.[1];
  if (judged !== undefined) {
    const score = Math.min(5, 1 + judged.trim().length / 60 + share(judged));
    return JSON.stringify({
      analysis: `It has ${judged.trim().length} characters.`,
      score: Math.round(score * 10) / 10,
    });
  }
  const system = messages.find(({ role }) => role === 'system')?.content ?? '';
  const sentence = `About this: ${last.slice(0, 30)}. `;
  // No two policies say quite the same, so that none is judged for another.
  return `${sentence.repeat(/thorough/.test(system) ? 3 : 1)}${share(system + last).toFixed(6)}`;
}
