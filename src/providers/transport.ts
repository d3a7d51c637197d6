/** Sends one order once and says how the exchange ended. The only holder of the credential. Loaded at the first purchase. */

import type { Provider } from '../core/graph.ts';
import type { Protocol } from '../core/protocol.ts';
import type { CallRequest } from '../core/provider-port.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { protocolAt } from '../protocols/index.ts';
import type { Exchange } from './classify.ts';
import {
  type HttpReply,
  type HttpRequest,
  HttpTimeout,
  networkEnvironment,
  openConnections,
  PROXY_REFUSED,
  type PutRequest,
  type StreamedReply,
} from './connections.ts';
import type { KeyRing } from './key-ring.ts';
import { type Keys, scrub, scrubBody } from './secrets.ts';

export interface Transport {
  /**
   * Never rejects for what a server or a network can do.
   *
   * @param onSent called when the order leaves, where a server is asked
   */
  send(order: CallRequest, key: string | undefined, signal: AbortSignal, onSent?: () => void): Promise<Exchange>;
  /** Reads what the provider says of itself, such as `/models`; free of charge. Never rejects either. */
  get(path: string, signal: AbortSignal): Promise<Exchange>;
  /** What is under way ends as aborted. */
  close(): Promise<void>;
}

/** A transport to a server, which can do more than serve calls. */
export interface HttpTransport extends Transport {
  /** One request of an API that is no single call, such as batches. Never rejects either. */
  request(request: PlainRequest, signal: AbortSignal): Promise<Exchange>;
  /** Reads a large file as it comes. @throws what undici throws where the connection breaks. */
  stream(url: string, signed: boolean, signal: AbortSignal): Promise<StreamedReply>;
  /** Sends a large body, in pieces, to an address that carries its own credential. Never rejects. */
  put(url: string, body: LargeBody, signal: AbortSignal): Promise<Exchange>;
  /** Where the provider answers. */
  readonly baseUrl: string;
}

export type LargeBody = Pick<PutRequest, 'pieces' | 'size'>;

export interface PlainRequest {
  readonly method: 'get' | 'post' | 'delete';
  /** Below the base URL, or an address of its own at the same provider. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
}

const METHODS = { get: 'GET', post: 'POST', delete: 'DELETE' } as const;

/** Failures on the way to a connection: the request was not sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  PROXY_REFUSED,
]);

/**
 * @param baseUrl where the provider answers; its own, or that of the simulator that was started for it
 * @throws an Error for a file of certificates or a proxy's address that cannot be used
 */
export function createTransport(provider: Provider, baseUrl: string, ring: KeyRing): HttpTransport {
  const { access, limits } = provider;
  const connections = openConnections({
    connections: limits.concurrency,
    caFile: access?.caFile,
    // No proxy leads to a simulator that the build itself started.
    environment: provider.baseUrl === undefined ? {} : networkEnvironment(),
  });
  const timeoutMilliseconds = Math.max(1, Math.round(limits.timeoutSeconds * 1000));
  const base = baseUrl.replace(/\/+$/, '');
  const { urlOf, urlOfCalls, headersFor, headersTo } = addressing(provider, base, ring);

  let closed = false;
  const exchange = (request: Omit<HttpRequest, 'timeoutMilliseconds'>) =>
    told(() => connections.send({ ...request, timeoutMilliseconds }), request.signal);
  const told = async (send: () => Promise<HttpReply>, signal: AbortSignal) => {
    try {
      const { status, header, text } = await send();
      if (status >= 200 && status < 300) return { type: 'reply', status, raw: text, header } satisfies Exchange;
      return { type: 'status', status, body: scrubBody(parsed(text), ring.keys()), header } satisfies Exchange;
    } catch (error) {
      if (closed || signal.aborted) return { type: 'aborted' } satisfies Exchange;
      if (error instanceof HttpTimeout) {
        return { type: 'timeout', seconds: limits.timeoutSeconds } satisfies Exchange;
      }
      return connectionFailure(error, baseUrl, ring.keys());
    }
  };

  return {
    send(order, key, signal, onSent) {
      const headers = headersFor(protocolAt(order.path), key);
      headers['content-type'] = 'application/json';
      headers['idempotency-key'] = order.key;
      return exchange({ method: 'POST', url: urlOfCalls(order.path), headers, body: order.body, onSent, signal });
    },
    get(path, signal) {
      const url = urlOf(path);
      return exchange({ method: 'GET', url, headers: headersTo(url), signal });
    },
    request({ method, path, body, contentType = 'application/json' }, signal) {
      const url = urlOf(path);
      const headers = headersTo(url);
      if (body !== undefined) headers['content-type'] = contentType;
      const bodied = body === undefined ? {} : { body };
      return exchange({ method: METHODS[method], url, headers, signal, ...bodied });
    },
    stream(url, signed, signal) {
      // An address that is signed carries its own credential.
      const target = signed ? new URL(url) : urlOf(url);
      const headers = signed ? {} : headersTo(target);
      return connections.stream({ url: target, headers, signal, timeoutMilliseconds });
    },
    put(url, body, signal) {
      return told(() => connections.put({ ...body, url: new URL(url), signal, timeoutMilliseconds }), signal);
    },
    baseUrl: base,
    close() {
      closed = true;
      return connections.close();
    },
  };
}

/** Where a provider's requests go, and the headers that they carry. */
function addressing(provider: Provider, base: string, ring: KeyRing) {
  const { access = {} } = provider;
  const keyHeader = access.keyHeader?.toLowerCase();
  const { origin } = new URL(base);
  const urls = new Map<string, URL>();
  const added = Object.entries(access.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const shared = { accept: 'application/json', 'user-agent': 'cje', ...Object.fromEntries(added) };

  /** @param path below the base URL, or an address of its own */
  const urlOf = (path: string): URL => {
    const url = new URL(path.includes('://') ? path : base + path);
    for (const [name, value] of Object.entries(access.query ?? {})) url.searchParams.set(name, value);
    return url;
  };
  /** The same, made once a path. */
  const urlOfCalls = (path: string): URL => {
    const url = urls.get(path) ?? urlOf(path);
    urls.set(path, url);
    return url;
  };
  const headersFor = (protocol: Protocol, key: string | undefined): Record<string, string> => ({
    ...shared,
    ...protocol.auth(keyHeader === undefined ? key : undefined),
    ...(key === undefined || keyHeader === undefined ? {} : { [keyHeader]: key }),
  });
  /** An address that a server names may lead to another host, which must not see the credential. */
  const headersTo = (url: URL): Record<string, string> =>
    url.origin === origin ? headersFor(chatProtocolOf(provider), ring.current()) : {};
  return { urlOf, urlOfCalls, headersFor, headersTo };
}

/** The body of an error, for its code and message: not every server writes JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function connectionFailure(error: unknown, baseUrl: string, keys: Keys): Exchange {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 8; cause = cause.cause) {
    causes.push(cause);
  }
  const code = causes.map((cause) => (cause as { code?: unknown }).code).find((value) => typeof value === 'string');
  const root = causes.at(-1);
  if (root === undefined || code === 'UND_ERR_INVALID_ARG') {
    throw new Error(`Internal error: a request could not be made: ${scrub(String(error), keys)}`);
  }
  const detail = [root.message, code].filter((text) => text !== undefined && text !== '');
  const told = code !== undefined && root.message.includes(code) ? root.message : detail.join(' ');
  return {
    type: 'connection',
    sent: !(code !== undefined && (NOT_SENT.has(code) || isCertificateFault(code))),
    ...(code !== undefined && isCertificateFault(code) ? { untrusted: true } : {}),
    detail: scrub(`no answer from ${new URL(baseUrl).host}: ${told}`, keys),
  };
}

const isCertificateFault = (code: string) => /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
