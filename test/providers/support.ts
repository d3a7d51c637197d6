/** What the transport's tests depend on: a server that says what it is told to, and clocks that are moved by hand. */

import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import type { Limits, Provider } from '../../src/core/graph.ts';
import { canonicalJson, type JsonObject } from '../../src/core/json.ts';
import type { CallRequest } from '../../src/core/provider-port.ts';
import { createFanOut } from '../../src/providers/abort-fan-out.ts';
import type { Clock } from '../../src/providers/clock.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestServer {
  readonly url: string;
  readonly received: Received[];
  close(): Promise<void>;
}

/** A list of what a file's tests open: after each test it is closed, the last first. */
export function closedAfterEach(): { close(): Promise<unknown> }[] {
  const opened: { close(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.close();
  });
  return opened;
}

export type Answering = (request: Received, response: ServerResponse, turn: number) => void;

export async function serve(answer: Answering): Promise<TestServer> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const entry = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      received.push(entry);
      answer(entry, response, received.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(text);
}

export const COMPLETION = {
  id: 'cmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
};

export const LIMITS: Limits = { concurrency: 8, timeoutSeconds: 30, attempts: 4 };

export function provider(fields: Partial<Provider> = {}): Provider {
  return {
    name: 'test',
    type: 'openai',
    identity: 'http://test',
    limits: LIMITS,
    options: {},
    place: { file: 'providers.yaml' },
    ...fields,
  };
}

export function order(body: JsonObject, identity = 'http://test', path = '/chat/completions'): CallRequest {
  const text = canonicalJson(body);
  return { key: digestText(text), identity, path, body: text, fields: body };
}

/** A clock on which every sleep is over at once, and moves time by what was asked. */
export function instantClock(start = 1_700_000_000_000): Clock & { readonly slept: number[] } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      if (signal.aborted) return;
      slept.push(ms);
      now += ms;
    },
  };
}

export interface VirtualClock extends Clock {
  /** Lets everything that is due before the next timer happen, then moves on to that timer; false without one. */
  step(): Promise<boolean>;
  /** Moves to this moment, through every timer before it. */
  advance(ms: number): Promise<void>;
}

/** A signal that never aborts, and that any number may listen to. */
export const never: AbortSignal = new AbortController().signal;
setMaxListeners(0, never);

/** A clock that stands still until it is moved. */
export function virtualClock(start = 0): VirtualClock {
  let now = start;
  let timers: { readonly at: number; readonly wake: () => void }[] = [];
  const endings = createFanOut();
  const next = () => timers.reduce<number | undefined>((least, { at }) => Math.min(least ?? at, at), undefined);
  const moveTo = async (at: number) => {
    now = at;
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const { wake } of due) wake();
    await settle();
  };
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          stay();
          resolve();
        };
        const timer = { at: now + ms, wake };
        timers.push(timer);
        const stay = endings.subscribe(signal, () => {
          timers = timers.filter((other) => other !== timer);
          wake();
        });
      }),
    async step() {
      await settle();
      const at = next();
      if (at === undefined) return false;
      await moveTo(at);
      return true;
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let at = next(); at !== undefined && at <= end; at = next()) await moveTo(at);
      await moveTo(end);
    },
  };
}

/** Lets all promises that are due run. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
