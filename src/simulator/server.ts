/** The world behind HTTP: a server on 127.0.0.1 that speaks OpenAI's APIs, and Anthropic's beside them. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { portProblem } from '../core/port-problem.ts';
import { CHAT, chatOf, MESSAGES, messagesReply } from './anthropic.ts';
import { type BatchService, createBatches } from './batches/shapes.ts';
import { type BatchTrouble, batchTroubleFile } from './batches/trouble.ts';
import { type FaultHook, type FaultRates, faultsByRate, type ServerFault } from './faults.ts';
import { type QuirkName, type Quirks, type QuirkyRequest, quirksOf } from './quirks.ts';
import { faultOf } from './weather/faults.ts';
import { formAt } from './weather/form.ts';
import { drawFault, type FaultPlan } from './weather/plan.ts';
import type { Weather } from './weather/strike.ts';
import { deliver } from './weather/wire.ts';
import { answer, createWorld, errorReply, modelList, type Reply, type World, type WorldConfig } from './world/index.ts';

export interface SimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly config?: WorldConfig;
  /** How long every reply is held back. */
  readonly latencyMs?: number;
  readonly faults?: FaultRates | FaultHook;
  /** What goes wrong with which model, by rate. */
  readonly weather?: FaultPlan;
  /** How every reply differs from what it should be. */
  readonly quirks?: readonly QuirkName[];
  /** How long batches take, and what goes wrong with them. */
  readonly batches?: BatchTrouble;
}

/** Requests for completions and chats since the start. */
export type SimulatorStats = {
  readonly requests: number;
  /** Replies with status 200, whole. */
  readonly answered: number;
  readonly distinctKeys: number;
  /** Requests whose key had been answered before: bought twice. */
  readonly repeats: number;
  readonly faults: number;
};

interface Simulator {
  /** The base URL for clients, ending in `/v1`. */
  readonly url: string;
  stats(): SimulatorStats;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Larger bodies are refused; the longest context takes less. */
const LARGEST_BODY = 32 * 1024 * 1024;
const LARGEST_BATCH = 256 * 1024 * 1024;

/** @throws ProblemError when the port is taken or may not be used. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const world = createWorld(options.config);
  const hook = typeof options.faults === 'function' ? options.faults : faultsByRate(options.faults ?? {});
  const counters = new Counters();
  const quirks = quirksOf(options.quirks ?? []);
  const batches = createBatches(
    ({ id, path, body }) => {
      counters.came(id);
      const asked: QuirkyRequest = { method: 'POST', path, body: {}, key: id, attempt: 0, authorization: '' };
      const reply = replyTo({ world, quirks }, asked, JSON.stringify(body));
      if (reply.status === 200) counters.gone(id);
      return reply;
    },
    options.batches ?? batchTroubleFile.parse({}),
    Date.now,
  );
  const service: Service = {
    world,
    hook,
    weather: options.weather,
    quirks,
    batches,
    counters,
    latencyMs: options.latencyMs ?? 0,
  };
  const server = createServer((request, response) => {
    serve(service, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, options.port ?? 0);
  return {
    url: `http://${HOST}:${port}/v1`,
    stats: () => counters.snapshot(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const FREE_PORT = 'name another port, or port 0 for any that is free';

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(port, error, FREE_PORT)));
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}

class Counters {
  requests = 0;
  answered = 0;
  faults = 0;
  repeats = 0;
  readonly #attempts = new Map<string, number>();
  readonly #answered = new Set<string>();

  /** Counts a request; returns how many came before it with the same key. */
  came(key: string): number {
    this.requests += 1;
    const before = this.#attempts.get(key) ?? 0;
    this.#attempts.set(key, before + 1);
    if (key !== '' && this.#answered.has(key)) this.repeats += 1;
    return before;
  }

  gone(key: string): void {
    this.answered += 1;
    this.#answered.add(key);
  }

  snapshot(): SimulatorStats {
    const { requests, answered, faults, repeats } = this;
    const distinctKeys = this.#attempts.size - (this.#attempts.has('') ? 1 : 0);
    return { requests, answered, distinctKeys, repeats, faults };
  }
}

interface Service {
  readonly world: World;
  readonly hook: FaultHook;
  readonly weather: FaultPlan | undefined;
  readonly quirks: Quirks;
  readonly batches: BatchService;
  readonly counters: Counters;
  readonly latencyMs: number;
}

async function serve(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0]!.replace(/^\/v1(?=\/)/, '');
  if (service.batches.owns(path)) return serveBatches(service.batches, path, request, response);
  if (request.method === 'GET') {
    request.resume();
    if (path === '/models') {
      const asked: QuirkyRequest = { ...askedBy(request), method: 'GET', path, body: {}, attempt: 0 };
      return send(
        response,
        service.quirks.apply(asked, () => ({ status: 200, body: modelList() })),
      );
    }
    if (path === '/__sim/stats') {
      return send(response, { status: 200, body: service.counters.snapshot() });
    }
    return send(response, errorReply(404, null, `There is no ${path}.`));
  }
  if (request.method !== 'POST') return send(response, errorReply(405, null, `${request.method} is not allowed.`));

  const text = await bodyOf(request);
  const key = String(request.headers['idempotency-key'] ?? '');
  const attempt = service.counters.came(key);
  const fault = service.hook({ path, key, attempt });
  if (fault !== undefined) service.counters.faults += 1;
  const wait = service.latencyMs + (fault?.kind === 'slow' ? fault.milliseconds : 0);
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));

  const reply =
    text === undefined
      ? errorReply(413, null, 'The body is too large.')
      : replyTo(service, { ...askedBy(request), method: 'POST', path, body: {}, attempt }, text);
  if (fault !== undefined && fault.kind !== 'slow') return misbehave(fault, response, reply, path);
  const struck = service.weather && weatherFor(service.weather, { path, key, attempt, text, reply }, request);
  if (struck !== undefined) {
    service.counters.faults += 1;
    await deliver(response, struck.reply, struck.passage);
    if (struck.reply.status === 200 && struck.passage.manner === undefined) service.counters.gone(key);
    return;
  }
  send(response, reply, service.quirks.headers);
  if (reply.status === 200) service.counters.gone(key);
}

interface Answered {
  readonly path: string;
  readonly key: string;
  readonly attempt: number;
  readonly text: string | undefined;
  readonly reply: Reply;
}

/** What a fault that was drawn makes of the right answer; undefined where none was, or it does not fit the request. */
function weatherFor(
  plan: FaultPlan,
  { path, key, attempt, text, reply }: Answered,
  request: IncomingMessage,
): Weather | undefined {
  const form = formAt(path);
  const asked = text === undefined ? undefined : objectOf(text);
  if (form === undefined || asked === undefined) return undefined;
  const drawn = drawFault(plan, { key, attempt, body: asked });
  if (drawn === undefined) return undefined;
  const fault = faultOf(drawn.name);
  const scene = { form, asked, reply, credential: askedBy(request).authorization, settings: drawn.settings };
  if (fault.fits?.(scene) === false) return undefined;
  const { reply: given, passage = {} } = fault.strike(scene);
  if (given === undefined) return { reply, passage };
  const failed = form === 'messages' && given.status >= 400 && isJsonObject(given.body);
  return { reply: failed ? messagesReply(given, {}) : given, passage };
}

function objectOf(text: string): JsonObject | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

const askedBy = ({ headers }: IncomingMessage): Pick<QuirkyRequest, 'key' | 'authorization'> => ({
  key: String(headers['idempotency-key'] ?? ''),
  authorization: headers.authorization ?? String(headers['x-api-key'] ?? ''),
});

function replyTo({ world, quirks }: Pick<Service, 'world' | 'quirks'>, request: QuirkyRequest, text: string): Reply {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return errorReply(400, null, 'The body is not JSON.');
  }
  try {
    const { path, key } = request;
    const asked = { ...request, body: isJsonObject(body) ? body : {} };
    if (path !== MESSAGES) return quirks.apply(asked, () => answer(world, path, body, key));
    const chat = chatOf(asked.body);
    if (isReply(chat)) return chat;
    const reply = quirks.apply({ ...asked, path: CHAT, body: chat }, () => answer(world, CHAT, chat, key));
    return messagesReply(reply, asked.body);
  } catch (error) {
    return errorReply(500, null, error instanceof Error ? error.message : 'The simulator failed.');
  }
}

const isReply = (chat: JsonObject | Reply): chat is Reply => typeof chat.status === 'number';

/** Batches go by their own rules: no fault of single requests strikes them, and their keys are those of their rows. */
async function serveBatches(
  batches: BatchService,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = (await bodyOf(request, LARGEST_BATCH)) ?? '';
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const origin = `http://${request.headers.host ?? HOST}`;
  const reply = await batches.serve({ method: request.method ?? 'GET', path, query, text, origin });
  switch (reply?.type) {
    case undefined:
      return send(response, errorReply(404, null, `There is no ${path}.`));
    case 'json':
      return send(response, reply, reply.headers);
    case 'lines':
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      for (const line of reply.lines) response.write(`${line}\n`);
      response.end();
      return;
    case 'silence':
      response.destroy();
  }
}

/** The whole body as text; undefined when it is too large. */
async function bodyOf(request: IncomingMessage, largest = LARGEST_BODY): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= largest) chunks.push(chunk as Buffer);
  }
  return size <= largest ? Buffer.concat(chunks).toString('utf8') : undefined;
}

function send(response: ServerResponse, { status, body }: Reply, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function misbehave(
  fault: Exclude<ServerFault, { kind: 'slow' }>,
  response: ServerResponse,
  reply: Reply,
  path: string,
): void {
  switch (fault.kind) {
    case 'status': {
      const headers: Record<string, string> =
        fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
      const message = fault.status === 429 ? 'Rate limit reached.' : 'The server had an error.';
      const code = fault.status === 429 ? 'rate_limit_exceeded' : null;
      const error = errorReply(fault.status, code, message);
      send(response, path === MESSAGES ? messagesReply(error, {}) : error, headers);
      return;
    }
    case 'drop':
      response.destroy();
      return;
    case 'malformed': {
      const text = JSON.stringify(reply.body);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(text.slice(0, Math.floor(text.length / 2)));
      return;
    }
  }
}
