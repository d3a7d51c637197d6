/**
 * Sends one order once, through the `openai` SDK, and says how the exchange ended. The only holder of the credential.
 * The SDK and undici are slow to load, so this module is imported at the first purchase.
 */

import { APIConnectionError, APIConnectionTimeoutError, APIError, OpenAI } from 'openai';
import type { Provider } from '../core/graph.ts';
import type { Protocol } from '../core/protocol.ts';
import type { CallRequest } from '../core/provider-port.ts';
import { chatProtocolOf, protocolAt } from '../protocols/index.ts';
import type { Exchange } from './classify.ts';
import { createPooledFetch } from './fetch.ts';
import { scrub, scrubBody } from './secrets.ts';

export interface Transport {
  /** Never rejects for what a server or a network can do. */
  send(order: CallRequest, signal: AbortSignal): Promise<Exchange>;
  /** Reads what the provider says of itself, such as `/models`; free of charge. Never rejects either. */
  get(path: string, signal: AbortSignal): Promise<Exchange>;
  close(): Promise<void>;
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
]);

/**
 * @param baseUrl where the provider answers; its own, or that of the simulator that was started for it
 * @param key the credential, or undefined for a server that asks for none
 */
export function createTransport(provider: Provider, baseUrl: string, key: string | undefined): Transport {
  const pool = createPooledFetch(provider.limits.concurrency);
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
    apiKey: key ?? 'none',
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
  const authOf = (protocol: Protocol) => ({ authorization: null, ...protocol.auth(key) });

  const exchange = async (request: () => Promise<Response>, signal: AbortSignal): Promise<Exchange> => {
    try {
      const response = await request();
      const header = (name: string) => response.headers.get(name);
      return { type: 'reply', status: response.status, raw: await response.text(), header };
    } catch (error) {
      if (signal.aborted) return { type: 'aborted' };
      if (error instanceof APIConnectionTimeoutError) return { type: 'timeout', seconds: timeoutSeconds };
      if (error instanceof APIConnectionError) return connectionFailure(error, baseUrl, key);
      if (error instanceof APIError && error.status !== undefined) {
        const headers = error.headers as Headers;
        return {
          type: 'status',
          status: error.status as number,
          body: scrubBody(errorBodies.get(error), key),
          header: (name) => headers.get(name),
        };
      }
      const detail = error instanceof Error ? error.message : String(error);
      throw new Error(`Internal error: the SDK failed in an unknown way: ${scrub(detail, key)}`);
    }
  };

  return {
    send(order, signal) {
      // With a content type of our own the SDK sends a text as it is, so the body is not written anew.
      const auth = authOf(protocolAt(order.path));
      const headers = { ...auth, 'content-type': 'application/json', 'idempotency-key': order.key };
      return exchange(() => client.post(order.path, { body: order.body, headers, signal }).asResponse(), signal);
    },
    get: (path, signal) =>
      exchange(() => client.get(path, { headers: authOf(chatProtocolOf(provider)), signal }).asResponse(), signal),
    close: () => pool.close(),
  };
}

function connectionFailure(error: Error, baseUrl: string, key: string | undefined): Exchange {
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
    detail: scrub(`no answer from ${new URL(baseUrl).host}: ${told}`, key),
  };
}

const isCertificateFault = (code: string) => /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
