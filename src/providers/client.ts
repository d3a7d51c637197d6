/** Sends calls: waits for the rate limit, sends, classifies the result, retries, and stops a provider that fails for good. */

import type { CallFailure } from '../core/call.ts';
import type { ProviderClient } from '../core/provider-port.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { protocolAt } from '../protocols/index.ts';
import { sizeOfBody } from '../protocols/size.ts';
import { createFanOut } from './abort-fan-out.ts';
import { turnOf } from './breaker.ts';
import { classify } from './classify.ts';
import type { ProviderClientOptions } from './client-options.ts';
import { type Connection, connect } from './connection.ts';
import { endpointOf, openState, type ProviderState, stop, waitingAt } from './endpoints.ts';
import { readReply } from './judge-reply.ts';
import { scrubBody } from './secrets.ts';
import { failed, INTERRUPTED, tryUntilDone, withoutCredential } from './tries.ts';

/** What a provider said of itself, parsed; or why it did not. `status` is null where no answer came. */
export type Look =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly status: number | null; readonly failure: CallFailure };

/** A buyer that can also look without buying. */
export interface HttpProviderClient extends ProviderClient {
  /** One `GET`, tried once, outside of every limit. */
  look(identity: string, path: string, signal: AbortSignal): Promise<Look>;
}

/** A buyer whose connections serve APIs that are no single calls, such as batches, as well. */
export interface ConnectedClient extends HttpProviderClient {
  connection(identity: string): Promise<Connection>;
}

export function createProviderClient(options: ProviderClientOptions): ConnectedClient {
  const states = new Map<string, ProviderState>();
  for (const provider of options.providers) states.set(provider.identity, openState(provider, options));
  const closing = new AbortController();
  const fanOut = createFanOut();

  const stateOf = (identity: string): ProviderState => {
    const state = states.get(identity);
    if (state === undefined) throw new Error(`Internal error: no provider has the identity ${identity}`);
    return state;
  };

  const connectionOf = (state: ProviderState): Promise<Connection> => {
    state.connection ??= connect(state.provider, options);
    return state.connection;
  };

  return {
    async buy(order, { signal, drain, admit, onRetry }) {
      const state = stateOf(order.identity);
      if (signal.aborted || closing.signal.aborted || drain?.aborted) return failed(INTERRUPTED);
      if (state.stopped !== undefined) return failed(state.stopped);
      const connection = await connectionOf(state);
      if (!connection.ok) {
        stop(state, undefined, connection.failure);
        return failed(connection.failure);
      }
      const size = sizeOfBody(protocolAt(order.path), order);
      const endpoint = endpointOf(state, order.path, size.model);
      const waiting = waitingAt(endpoint, signal, drain, closing.signal, fanOut);
      const turn = turnOf(endpoint.breaker);
      endpoint.underway++;
      try {
        const tries = { size, waiting, sending: signal, turn, admit, onRetry };
        return await tryUntilDone(options, state, endpoint, connection, order, tries);
      } finally {
        turn.end();
        endpoint.underway--;
      }
    },
    async look(identity, path, signal) {
      const state = stateOf(identity);
      const connection = await connectionOf(state);
      if (!connection.ok) return { ok: false, status: null, failure: connection.failure };
      const exchange = await connection.transport.get(path, signal);
      if (exchange.type === 'aborted') return { ok: false, status: null, failure: INTERRUPTED };
      const reply = readReply(exchange);
      if (reply !== undefined) return { ok: true, body: scrubBody(reply, connection.ring.keys()) };
      const shown = withoutCredential(exchange, connection.ring.keys());
      const { failure } = classify(shown, chatProtocolOf(state.provider));
      return { ok: false, status: 'status' in exchange ? exchange.status : null, failure };
    },
    connection(identity) {
      return connectionOf(stateOf(identity));
    },
    concurrency: (identity) => stateOf(identity).provider.limits.concurrency,
    async close() {
      closing.abort();
      for (const state of states.values()) {
        for (const [model, limiter] of state.limiters) {
          const perMinute = limiter.learnt();
          if (perMinute !== undefined) options.learntRates?.keep(state.provider.identity, model, perMinute);
        }
        state.limiters.clear();
        const connection = await state.connection?.catch(() => undefined);
        state.connection = undefined;
        if (connection?.ok) await connection.close();
      }
    },
  };
}
