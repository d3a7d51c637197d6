/**
 * The `fetch` that the SDK is given: undici's `request` over a pool of connections. It costs less than half of what
 * the platform's `fetch` does, and hands on the whole body at once, so that the SDK's time-out covers the body too.
 */

import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import type { HeaderReader } from '../core/protocol.ts';
import { readAll, readBody } from './content-encoding.ts';
import { skipInterim } from './interim.ts';

type Fetch = (input: string | URL | globalThis.Request, init?: RequestInit) => Promise<Response>;

/**
 * What is sent beside the body. An allow-list, because the SDK adds headers of its own and takes others from the
 * environment, and nothing may change an answer that does not enter its key.
 */
const SENT_HEADERS = [
  'accept',
  'anthropic-version',
  'authorization',
  'content-type',
  'idempotency-key',
  'user-agent',
  'x-api-key',
] as const;

/** Milliseconds to make a connection, and to keep an idle one. */
const CONNECT_TIMEOUT = 10_000;
const KEEP_ALIVE = 30_000;

/** The code of the error where a proxy makes no connection. */
export const PROXY_REFUSED = 'ERR_PROXY_REFUSED';

export interface PooledFetch {
  readonly fetch: Fetch;
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

export function networkEnvironment(env: NodeJS.ProcessEnv): NetworkEnvironment {
  return {
    httpProxy: env.http_proxy || env.HTTP_PROXY,
    httpsProxy: env.https_proxy || env.HTTPS_PROXY,
    noProxy: env.no_proxy ?? env.NO_PROXY,
    extraCertificates: env.NODE_EXTRA_CA_CERTS,
  };
}

export interface PooledFetchOptions {
  /** The most connections to one server. */
  readonly connections: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of further headers that may be sent, in lower case. */
  readonly allowed?: readonly string[];
  /** Path of a file of certificates to trust beside the system's. */
  readonly caFile?: string | undefined;
  readonly environment: NetworkEnvironment;
}

/** @throws an Error for a file of certificates or a proxy's address that cannot be used */
export function createPooledFetch(options: PooledFetchOptions): PooledFetch {
  const agent = createAgent(options);
  const allowed = [...SENT_HEADERS, ...(options.allowed ?? [])];
  const pooled: Fetch = async (input, init = {}) => {
    const url = String(input);
    const reply = await request(url, {
      dispatcher: agent,
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: { ...options.headers, ...sentHeaders(init.headers as Headers, allowed) },
      body: (init.body ?? null) as string | null,
      signal: init.signal ?? null,
    }).catch((error: unknown) => {
      throw refusedTunnel(error) ?? error;
    });
    const encoding = reply.headers['content-encoding'];
    const encodings = Array.isArray(encoding) ? encoding.join(',') : (encoding ?? null);
    const text = await readBody(await readAll(reply.body), encodings);
    return plainResponse(url, reply.statusCode, reply.headers, text);
  };
  return { fetch: pooled, close: () => agent.destroy() };
}

export function createAgent({
  connections,
  caFile,
  environment,
}: Pick<PooledFetchOptions, 'connections' | 'caFile' | 'environment'>): Dispatcher {
  const { httpProxy, httpsProxy, noProxy } = environment;
  const tls = caFile === undefined ? {} : { ca: trusted(caFile, environment.extraCertificates) };
  const connector = buildConnector({ timeout: CONNECT_TIMEOUT, ...tls });
  // The SDK's timer is the only one: it aborts through the signal.
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
function refusedTunnel(error: unknown): Error | undefined {
  const status = error instanceof Error ? /\((\d+)\).*HTTP Tunneling/.exec(error.message)?.[1] : undefined;
  if (status === undefined) return undefined;
  return Object.assign(new Error(`the proxy answered ${status} when it was asked to connect`), { code: PROXY_REFUSED });
}

/** Naming any certificates replaces those that Node trusts by itself, so these are named too. */
function trusted(caFile: string, extra: string | undefined): string[] {
  const files = extra === undefined || extra === '' ? [caFile] : [caFile, extra];
  return [...rootCertificates, ...files.map((file) => readFileSync(file, 'utf8'))];
}

function sentHeaders(headers: Headers, allowed: readonly string[]): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of allowed) {
    const value = headers.get(name);
    if (value !== null) sent[name] = value;
  }
  return sent;
}

/** The part of a `Response` that the SDK reads; a real one costs more than the request. */
interface SdkResponse extends Pick<Response, 'url' | 'status' | 'ok' | 'text' | 'json'> {
  /** Nothing is streamed: bodies are whole. */
  readonly body: null;
  readonly headers: {
    readonly get: HeaderReader;
    entries(): Iterable<readonly [name: string, value: ReturnType<HeaderReader>]>;
  };
}

function plainResponse(
  url: string,
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
): Response {
  const get: HeaderReader = (name) => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  };
  const plain: SdkResponse = {
    url,
    status,
    ok: status >= 200 && status < 300,
    body: null,
    headers: { get, entries: () => Object.keys(headers).map((name) => [name, get(name)]) },
    text: async () => text,
    json: async () => JSON.parse(text) as unknown,
  };
  return plain as unknown as Response;
}
