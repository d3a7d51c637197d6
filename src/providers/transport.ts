/**
 * Sends one order once, through the `openai` SDK, and says how the exchange ended. The only holder of the credential.
 * The SDK and undici are slow to load, so this module is imported at the first purchase.
 */

import { APIConnectionError, APIConnectionTimeoutError, APIError, OpenAI } from 'openai';
import type { Provider } from '../core/graph.ts';
import type { Protocol } from '../core/protocol.ts';
import type { CallRequest } from '../core/provider-port.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { protocolAt } from '../protocols/index.ts';
import type { Exchange } from './classify.ts';
import { createPooledFetch, networkEnvironment, PROXY_REFUSED, type StreamedReply } from './fetch.ts';
import type { KeyRing } from './key-ring.ts';
import { type Keys, scrub, scrubBody } from './secrets.ts';

export interface Transport {
  /** Never rejects for what a server or a network can do. */
  send(order: CallRequest, key: string | undefined, signal: AbortSignal): Promise<Exchange>;
  /** Reads what the provider says of itself, such as `/models`; free of charge. Never rejects either. */
  get(path: string, signal: AbortSignal): Promise<Exchange>;
  /** One request of an API that is no single call, such as batches. Never rejects either. */
  request(request: PlainRequest, signal: AbortSignal): Promise<Exchange>;
  /** Reads a large file as it comes. @throws what undici throws where the connection breaks. */
  stream(url: string, signed: boolean, signal: AbortSignal): Promise<StreamedReply>;
  /** Where the provider answers. */
  readonly baseUrl: string;
  close(): Promise<void>;
}

export interface PlainRequest {
  readonly method: 'get' | 'post' | 'delete';
  /** Below the base URL, or an address of its own at the same provider. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
}

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
export function createTransport(provider: Provider, baseUrl: string, ring: KeyRing): Transport {
  const { access = {} } = provider;
  const keyHeader = access.keyHeader?.toLowerCase();
  const pool = createPooledFetch({
    connections: provider.limits.concurrency,
    headers: access.headers ?? {},
    allowed: keyHeader === undefined ? [] : [keyHeader],
    caFile: access.caFile,
    // No proxy leads to a simulator that the build itself started.
    environment: provider.baseUrl === undefined ? {} : networkEnvironment(process.env),
  });
  const errorBodies = new WeakMap<Error, unknown>();

  /** The SDK keeps only the `error` member of an error's body, and not every server has one. */
  class Client extends OpenAI {
    protected override makeStatusError(
      ...[status, body, text, headers]: Parameters<OpenAI['makeStatusError']>
    ): ReturnType<OpenAI['makeStatusError']> {
      const error = super.makeStatusError(status, body, text, headers);
      errorBodies.set(error, body ?? text);
      return error;
    }
  }

  const timeoutSeconds = provider.limits.timeoutSeconds;
  const client = new Client({
    baseURL: baseUrl.replace(/\/+$/, ''),
    apiKey: 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: Math.max(1, Math.round(timeoutSeconds * 1000)),
    fetch: pool.fetch,
    logLevel: 'off',
  });

  // Named for every request, because the SDK lets the environment override what it was constructed with, and adds an
  // authorization of its own.
  const authorize = (protocol: Protocol, key: string | undefined): Record<string, string | null> =>
    key === undefined || keyHeader === undefined
      ? { authorization: null, ...protocol.auth(key) }
      : { authorization: null, ...protocol.auth(undefined), [keyHeader]: key };
  const query = { ...access.query };

  const exchange = async (request: () => Promise<Response>, signal: AbortSignal): Promise<Exchange> => {
    try {
      const response = await request();
      const header = (name: string) => response.headers.get(name);
      return { type: 'reply', status: response.status, raw: await response.text(), header };
    } catch (error) {
      if (signal.aborted) return { type: 'aborted' };
      if (error instanceof APIConnectionTimeoutError) return { type: 'timeout', seconds: timeoutSeconds };
      if (error instanceof APIConnectionError) return connectionFailure(error, baseUrl, ring.keys());
      if (error instanceof APIError && error.status !== undefined) {
        const headers = error.headers as Headers;
        return {
          type: 'status',
          status: error.status as number,
          body: scrubBody(errorBodies.get(error), ring.keys()),
          header: (name) => headers.get(name),
        };
      }
      const detail = error instanceof Error ? error.message : String(error);
      throw new Error(`Internal error: the SDK failed in an unknown way: ${scrub(detail, ring.keys())}`);
    }
  };

  return {
    send(order, key, signal) {
      // With a content type of our own the SDK sends a text as it is, so the body is not written anew.
      const auth = authorize(protocolAt(order.path), key);
      const headers = { ...auth, 'content-type': 'application/json', 'idempotency-key': order.key };
      return exchange(() => client.post(order.path, { body: order.body, query, headers, signal }).asResponse(), signal);
    },
    get(path, signal) {
      const headers = authorize(chatProtocolOf(provider), ring.current());
      return exchange(() => client.get(path, { query, headers, signal }).asResponse(), signal);
    },
    request({ method, path, body, contentType = 'application/json' }, signal) {
      const auth = authorize(chatProtocolOf(provider), ring.current());
      const headers = body === undefined ? auth : { ...auth, 'content-type': contentType };
      const options = { method, path, query, headers, signal, ...(body === undefined ? {} : { body }) };
      return exchange(() => client.request(options).asResponse(), signal);
    },
    stream(url, signed, signal) {
      // An address that is signed carries its own credential, and may lead to another host.
      const named = Object.entries(signed ? {} : authorize(chatProtocolOf(provider), ring.current()));
      const headers = Object.fromEntries(named.filter((header): header is [string, string] => header[1] !== null));
      const target = new URL(url.includes('://') ? url : `${client.baseURL}${url}`);
      if (!signed) for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
      return pool.stream(String(target), headers, signal);
    },
    baseUrl: client.baseURL,
    close: () => pool.close(),
  };
}

function connectionFailure(error: Error, baseUrl: string, keys: Keys): Exchange {
  const causes: Error[] = [];
  for (let cause: unknown = error.cause; cause instanceof Error && causes.length < 8; cause = cause.cause) {
    causes.push(cause);
  }
  const code = causes.map((cause) => (cause as { code?: unknown }).code).find((value) => typeof value === 'string');
  const root = causes.at(-1) ?? error;
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
