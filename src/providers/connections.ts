/**
 * Connections to servers: pooled, through proxies, with certificates of one's own. Requests are dispatched on undici's
 * lowest level, which costs a fraction of `fetch` and of the SDKs over it, and a body is handed on whole.
 */

import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { HeaderReader } from '../core/protocol.ts';
import { createFanOut, type FanOut } from './abort-fan-out.ts';
import { LARGEST_BODY, readBody } from './content-encoding.ts';
import { skipInterim } from './interim.ts';

/** Milliseconds to make a connection, and to keep an idle one. */
const CONNECT_TIMEOUT = 10_000;
const KEEP_ALIVE = 30_000;

/** The code of the error where a proxy makes no connection. */
export const PROXY_REFUSED = 'ERR_PROXY_REFUSED';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Called when it leaves: a connection is there. */
  readonly onSent?: (() => void) | undefined;
  /** Aborted: the request ends at once, and its promise rejects. */
  readonly signal: AbortSignal;
  /** Milliseconds until the whole answer must be there. */
  readonly timeoutMilliseconds: number;
}

/** A body that is too large to be held whole. */
export interface PutRequest extends Pick<HttpRequest, 'url' | 'signal' | 'timeoutMilliseconds'> {
  readonly pieces: Iterable<Uint8Array>;
  /** Bytes of all pieces. */
  readonly size: number;
}

export interface HttpReply {
  readonly status: number;
  readonly header: HeaderReader;
  /** Whole and decoded. */
  readonly text: string;
}

/** A reply whose body is read as it comes. */
export interface StreamedReply {
  readonly status: number;
  readonly header: HeaderReader;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The answer was not there in time. */
export class HttpTimeout extends Error {}

export interface Connections {
  /** @throws an Error that says why no answer came; {@link HttpTimeout} where time ran out */
  send(request: HttpRequest): Promise<HttpReply>;
  /**
   * One `GET` whose body is not held whole. It may take however long, but neither its beginning nor any next piece more
   * than the time allowed. Rejects where no answer comes.
   */
  stream(request: Pick<HttpRequest, 'url' | 'headers' | 'signal' | 'timeoutMilliseconds'>): Promise<StreamedReply>;
  /** One `PUT` whose body is sent as it is made. Rejects where no answer comes. */
  put(request: PutRequest): Promise<HttpReply>;
  /** Drops every connection; requests under way fail. */
  close(): Promise<void>;
}

/** The environment's say on how servers are reached. */
export interface NetworkEnvironment {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** Path of a file of certificates to trust beside the system's. */
  readonly extraCertificates?: string | undefined;
}

export function networkEnvironment(env: NodeJS.ProcessEnv = process.env): NetworkEnvironment {
  return {
    httpProxy: env.http_proxy || env.HTTP_PROXY,
    httpsProxy: env.https_proxy || env.HTTPS_PROXY,
    noProxy: env.no_proxy ?? env.NO_PROXY,
    extraCertificates: env.NODE_EXTRA_CA_CERTS,
  };
}

export interface ConnectionsOptions {
  /** The most connections to one server. */
  readonly connections: number;
  /** Path of a file of certificates to trust beside the system's. */
  readonly caFile?: string | undefined;
  readonly environment: NetworkEnvironment;
  /** The most bytes that a body may have. */
  readonly largestBody?: number;
}

/** @throws an Error for a file of certificates or a proxy's address that cannot be used */
export function openConnections(options: ConnectionsOptions): Connections {
  const agent = createAgent(options);
  const { largestBody = LARGEST_BODY } = options;
  const endings = createFanOut();
  return {
    async send({ method, url, headers, body, onSent, signal, timeoutMilliseconds }) {
      if (signal.aborted) throw aborted();
      const exchange = new WholeExchange({ onSent, signal, timeoutMilliseconds, largestBody }, endings);
      agent.dispatch({ ...target(url), method, headers, body: body ?? null }, exchange);
      const { status, headers: received, bytes } = await exchange.ended;
      const header = headerReader(received);
      return { status, header, text: await readBody(bytes, header('content-encoding') ?? null) };
    },
    async stream({ url, headers, signal, timeoutMilliseconds }) {
      const reply = await agent.request({
        ...target(url),
        method: 'GET',
        headers,
        signal,
        headersTimeout: timeoutMilliseconds,
        bodyTimeout: timeoutMilliseconds,
      });
      const header = headerReader(reply.headers);
      const encodings = header('content-encoding') ?? 'identity';
      const body = encodings === 'identity' ? reply.body : decoded(reply.body, encodings);
      return { status: reply.statusCode, header, body };
    },
    async put({ url, signal, timeoutMilliseconds, pieces, size }) {
      const reply = await agent.request({
        ...target(url),
        method: 'PUT',
        headers: { 'content-length': String(size), 'content-type': 'application/octet-stream' },
        body: Readable.from(pieces, { objectMode: false }),
        signal,
        headersTimeout: timeoutMilliseconds + size / SLOWEST_LINE,
        bodyTimeout: timeoutMilliseconds,
      });
      return { status: reply.statusCode, header: headerReader(reply.headers), text: await reply.body.text() };
    },
    close: () => agent.destroy(),
  };
}

/** What undici asks for in place of an address. An address of many requests is taken apart once. */
export function target(url: URL): { readonly origin: string; readonly path: string } {
  let parts = targets.get(url);
  if (parts === undefined) {
    parts = { origin: url.origin, path: url.pathname + url.search };
    targets.set(url, parts);
  }
  return parts;
}

const targets = new WeakMap<URL, { readonly origin: string; readonly path: string }>();

/** Bytes a millisecond of the slowest line that a large body is sent on. */
const SLOWEST_LINE = 100;

const headerReader =
  (headers: Headers): HeaderReader =>
  (name) => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  };

/** A body that was compressed unasked is small enough to be held. */
async function* decoded(body: Pick<Dispatcher.ResponseData['body'], 'bytes'>, encodings: string) {
  yield Buffer.from(await readBody(await body.bytes(), encodings));
}

const aborted = () => new Error('the request was aborted');

interface ExchangeBounds extends Pick<HttpRequest, 'onSent' | 'signal' | 'timeoutMilliseconds'> {
  readonly largestBody: number;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Gathers one answer, and ends it where it takes too long or grows too large. */
class WholeExchange implements Dispatcher.DispatchHandler {
  readonly ended: Promise<{ readonly status: number; readonly headers: Headers; readonly bytes: Uint8Array }>;
  #resolve!: (answer: { status: number; headers: Headers; bytes: Uint8Array }) => void;
  #reject!: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  readonly #onSent: (() => void) | undefined;
  readonly #largestBody: number;
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;
  #status = 0;
  #headers: Headers = {};
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #over = false;

  constructor({ onSent, signal, timeoutMilliseconds, largestBody }: ExchangeBounds, endings: FanOut) {
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onSent = onSent;
    this.#largestBody = largestBody;
    this.#timer = setTimeout(() => this.#fail(new HttpTimeout('no answer in time')), timeoutMilliseconds);
    this.#unsubscribe = endings.subscribe(signal, () => this.#fail(aborted()));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(aborted());
    else this.#onSent?.();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#largestBody) this.#fail(new Error(`the body is longer than ${this.#largestBody} bytes`));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#finish();
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, bytes });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#finish();
    this.#reject(refusedTunnel(error) ?? error);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#finish();
    this.#reject(error);
    this.#controller?.abort(error);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }
}

export function createAgent({ connections, caFile, environment }: ConnectionsOptions): Dispatcher {
  const { httpProxy, httpsProxy, noProxy } = environment;
  const tls = caFile === undefined ? {} : { ca: trusted(caFile, environment.extraCertificates) };
  const connector = buildConnector({ timeout: CONNECT_TIMEOUT, ...tls });
  // The exchange's own timer is the only one.
  const settings = {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: ((target, done) =>
      connector(target, (...[error, socket]) =>
        error === null ? done(null, skipInterim(socket)) : done(error, null),
      )) satisfies buildConnector.connector as buildConnector.connector,
  };
  if (httpProxy === undefined && httpsProxy === undefined) return new Agent(settings);
  return new EnvHttpProxyAgent({
    ...settings,
    // Empty texts, since undici reads the environment where it is told nothing.
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: noProxy ?? '',
    requestTls: tls,
    proxyTls: tls,
  });
}

/** A proxy that makes no connection, told as such: undici says that the request was aborted. */
function refusedTunnel(error: Error): Error | undefined {
  const status = /\((\d+)\).*HTTP Tunneling/.exec(error.message)?.[1];
  if (status === undefined) return undefined;
  return Object.assign(new Error(`the proxy answered ${status} when it was asked to connect`), { code: PROXY_REFUSED });
}

/** Naming any certificates replaces those that Node trusts by itself, so these are named too. */
function trusted(caFile: string, extra: string | undefined): string[] {
  const files = extra === undefined || extra === '' ? [caFile] : [caFile, extra];
  return [...rootCertificates, ...files.map((file) => readFileSync(file, 'utf8'))];
}
