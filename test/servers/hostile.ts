/**
 * A server of OpenAI's two APIs that misbehaves as it is told, written from what servers were seen to do; it shares no
 * code with what it checks. It keeps its own bill: $1 a million input tokens and $4 a million output tokens.
 */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface HostileServer {
  readonly url: string;
  /** How it answers from now on. */
  mode: Mode;
  /** Called as each POST request comes. */
  onRequest: () => void;
  /** POST requests so far. */
  readonly requests: number;
  /** Dollars that it has charged. */
  readonly bill: number;
  close(): Promise<void>;
}

const TEXT = 'A tea pot.';
const VERDICT = '{"score": 7}';
const USAGE = { prompt_tokens: 50, completion_tokens: 10, total_tokens: 60 };
const DOLLARS = (50 * 1 + 10 * 4) / 1e6;

const LIMIT = { code: 429, message: 'Rate limited upstream' };

type Api = 'completions' | 'chat';
type Reply = Record<string, unknown>;
/** What is written over a good reply, and over its first choice. */
type Change = (api: Api) => { reply?: Reply; choice?: Reply };

const said =
  (content: unknown): Change =>
  (api) => ({
    choice: api === 'chat' ? { message: { role: 'assistant', content } } : { text: content },
  });
const message =
  (fields: Reply): Change =>
  () => ({ choice: { message: { role: 'assistant', ...fields } } });
const usage =
  (counts: unknown): Change =>
  () => ({ reply: { usage: counts } });

/** Replies with status 200; each was worked for, and is charged. */
const CHANGES = {
  well: () => ({}),
  'no choices': () => ({ reply: { choices: undefined } }),
  'an empty list of choices': () => ({ reply: { choices: [] } }),
  'null for a text': said(null),
  'an empty text': said(''),
  'white space': said(' \n\t '),
  'parts of a text': (api) =>
    said([
      { type: 'text', text: api === 'chat' ? VERDICT.slice(0, 5) : 'A tea' },
      { type: 'text', text: api === 'chat' ? VERDICT.slice(5) : ' pot.' },
    ])(api),
  'parts without a text': said([{ type: 'image_url', image_url: { url: 'data:' } }]),
  'an error inside a choice': () => ({ choice: { error: { code: 502, message: 'upstream broke' } } }),
  'an end by error': () => ({ choice: { finish_reason: 'error' } }),
  'a content filter': () => ({ choice: { finish_reason: 'content_filter' } }),
  'a refusal': message({ content: null, refusal: 'I will not.' }),
  'an end by length': () => ({ choice: { finish_reason: 'length' } }),
  'thoughts alone': () => ({
    choice: { finish_reason: 'length', message: { role: 'assistant', content: null, reasoning_content: 'Let me see' } },
  }),
  'a score off the scale': message({ content: '{"score": 55}' }),
  prose: message({ content: 'It is rather good.' }),
  'a usage of zero': usage({ prompt_tokens: 0, completion_tokens: 0 }),
  'no usage': usage(undefined),
  'null for a usage': usage(null),
  'a usage of input alone': usage({ prompt_tokens: 50 }),
  'a negative usage': usage({ prompt_tokens: -50, completion_tokens: -10 }),
  'thoughts counted in the total alone': usage({ prompt_tokens: 40, completion_tokens: 1, total_tokens: 50 }),
  'a usage beyond all counting': usage({ prompt_tokens: 1e308, completion_tokens: 1e308 }),
  'a usage beyond all contexts': usage({ prompt_tokens: 1e9, completion_tokens: 1e9 }),
  'a usage beyond its request': usage({ prompt_tokens: 1e6, completion_tokens: 10 }),
  'an error inside a message': message({ content: 'partial', error: { code: 502, message: 'upstream broke' } }),
  'an error beside a usage': () => ({ reply: { error: { message: 'overloaded' }, choices: undefined } }),
  'a limit beside a usage': () => ({ reply: { error: LIMIT, choices: undefined } }),
  'a limit inside a choice': (api) => ({
    choice: {
      finish_reason: 'error',
      error: LIMIT,
      ...(api === 'chat' ? { message: { role: 'assistant', content: '' } } : { text: '' }),
    },
  }),
  'a usage in texts': usage({ prompt_tokens: '50', completion_tokens: '10' }),
} satisfies Record<string, Change>;

/** What is no reply with status 200; whether it is charged is said beside it. */
const ACTIONS: Record<string, { readonly charged: boolean; act(response: ServerResponse): void }> = {
  'a usage without end': {
    charged: true,
    act: (response) =>
      json(
        response,
        200,
        `{"choices":[{"text":"${TEXT}","message":{"content":"{\\"score\\":7}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1e400,"completion_tokens":10}}`,
      ),
  },
  'a page of HTML': {
    charged: false,
    act: (response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Welcome</title></html>'),
  },
  'no content': { charged: false, act: (response) => void response.writeHead(204).end() },
  'a cut body': {
    charged: true,
    act(response) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"choices":[{"text":"A t');
      setImmediate(() => response.destroy());
    },
  },
  'a reset': { charged: false, act: (response) => void (response.socket as Socket).resetAndDestroy() },
  'a 400': {
    charged: false,
    act: (response) =>
      json(response, 400, '{"error":{"message":"Invalid type for messages","type":"invalid_request_error"}}'),
  },
  'a 500': { charged: false, act: (response) => json(response, 500, '{"error":{"message":"oops"}}') },
  'a 502': {
    charged: false,
    act: (response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>'),
  },
  'a 500 with a usage': {
    charged: true,
    act: (response) => json(response, 500, JSON.stringify({ error: { message: 'oops' }, usage: USAGE })),
  },
  'a 429 with a usage': {
    charged: true,
    act: (response) => json(response, 429, JSON.stringify({ error: LIMIT, usage: USAGE })),
  },
  'a limit alone': { charged: false, act: (response) => json(response, 200, JSON.stringify({ error: LIMIT })) },
  'a limit inside a choice without a usage': {
    charged: false,
    act: (response) =>
      json(response, 200, JSON.stringify({ choices: [{ text: '', message: { content: '' }, error: LIMIT }] })),
  },
  'a 401': {
    charged: false,
    act: (response) => json(response, 401, '{"error":{"message":"Incorrect API key provided"}}'),
  },
};

export type Mode = keyof typeof CHANGES | keyof typeof ACTIONS;

export async function hostileServer(): Promise<HostileServer> {
  const state = { url: '', mode: 'well' as Mode, requests: 0, bill: 0, onRequest: () => {} };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (request.method !== 'POST') return json(response, 200, '{"data":[{"id":"hostile"}]}');
    state.requests++;
    state.onRequest();
    const { model } = JSON.parse(text) as { model: string };
    const action = ACTIONS[state.mode];
    if (action !== undefined) {
      if (action.charged) state.bill += DOLLARS;
      return action.act(response);
    }
    state.bill += DOLLARS;
    const api: Api = request.url!.endsWith('/chat/completions') ? 'chat' : 'completions';
    const change: Change = CHANGES[state.mode as keyof typeof CHANGES];
    const { reply = {}, choice = {} } = change(api);
    const good = api === 'chat' ? { message: { role: 'assistant', content: VERDICT } } : { text: TEXT };
    const choices = [{ index: 0, finish_reason: 'stop', ...good, ...choice }];
    json(response, 200, JSON.stringify({ id: 'x', model, choices, usage: USAGE, ...reply }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  state.url = `http://127.0.0.1:${port}/v1`;
  return Object.assign(state, {
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  });
}

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
