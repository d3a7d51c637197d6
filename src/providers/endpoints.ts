/** Providers and what is asked of them, while a build runs: who has answered, who is gone, and what stopped whom. */

import { setMaxListeners } from 'node:events';
import type { FatalFailure, TransientFailure } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import type { FanOut } from './abort-fan-out.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { Exchange } from './classify.ts';
import type { ProviderClientOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import { LONGEST_WAIT } from './retry.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { createTeller, type Teller } from './teller.ts';

/** Equal failures in a row, with no success between them, after which an ambiguous one is believed. */
const CONFIRMED_AFTER = 3;

/** One provider while the build runs. */
export interface ProviderState {
  readonly provider: Provider;
  readonly semaphore: Semaphore;
  readonly limiters: Map<string, Limiter>;
  readonly tell: Teller;
  /** What stopped the provider. */
  stopped: FatalFailure | undefined;
  /** Keyed by path and model: a model can be missing on one path and available on another. */
  readonly endpoints: Map<string, Endpoint>;
  pendingFatal: { readonly reason: FatalFailure['reason']; count: number } | undefined;
  connection: Promise<Connection> | undefined;
}

/** What an order wants of the provider: a model, by a path. */
export interface Endpoint {
  readonly breaker: Breaker;
  hasAnswered: boolean;
  /** Since when no connection was made, where it had answered before. */
  goneSince: number | undefined;
  /** What stopped it alone. */
  stopped: FatalFailure | TransientFailure | undefined;
  /** Calls that were begun and have not ended. */
  underway: number;
  /** What ends the waiting of its calls, for their turn or for their next try; one for each pair of signals of callers. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly drain: AbortSignal | undefined;
  readonly end: AbortController;
}

export function openState(provider: Provider, { note, patience }: ProviderClientOptions): ProviderState {
  return {
    provider,
    semaphore: createSemaphore(provider.limits.concurrency),
    limiters: new Map(),
    tell: createTeller(provider.name, note, patience ?? LONGEST_WAIT),
    stopped: undefined,
    endpoints: new Map(),
    pendingFatal: undefined,
    connection: undefined,
  };
}

export function endpointOf({ endpoints }: ProviderState, path: string, model: string): Endpoint {
  const name = `${path} ${model}`;
  let endpoint = endpoints.get(name);
  if (endpoint === undefined) {
    endpoint = {
      breaker: createBreaker(),
      hasAnswered: false,
      goneSince: undefined,
      stopped: undefined,
      underway: 0,
      waiting: [],
    };
    endpoints.set(name, endpoint);
  }
  return endpoint;
}

export function limiterOf(state: ProviderState, model: string, { learntRates, clock }: ProviderClientOptions): Limiter {
  let limiter = state.limiters.get(model);
  if (limiter === undefined) {
    const { limits, identity } = state.provider;
    const remembered = learntRates?.recall(identity, model);
    limiter = createLimiter({ limits, remembered, semaphore: state.semaphore, clock });
    state.limiters.set(model, limiter);
  }
  return limiter;
}

/** Ended by the caller's signals and by close, or by what stops the provider. */
export function waitingAt(
  { waiting }: Endpoint,
  signal: AbortSignal,
  drain: AbortSignal | undefined,
  closing: AbortSignal,
  fanOut: FanOut,
): AbortSignal {
  let own = waiting.find((each) => each.signal === signal && each.drain === drain);
  if (own === undefined) {
    const end = new AbortController();
    // As many listen as there are calls that wait.
    setMaxListeners(0, end.signal);
    own = { signal, drain, end };
    waiting.push(own);
    for (const ending of [signal, drain, closing]) {
      if (ending !== undefined) fanOut.subscribe(ending, () => end.abort());
    }
  }
  return own.end.signal;
}

/** Every later order fails with this failure. What concerns one model stops its own orders only. */
export function stop(state: ProviderState, at: Endpoint | undefined, failure: FatalFailure | TransientFailure): void {
  const isItsOwn = failure.class === 'transient' || failure.reason === 'unknown_model';
  if (isItsOwn && at !== undefined) at.stopped = failure;
  else if (failure.class === 'fatal') state.stopped = failure;
  for (const endpoint of state.endpoints.values()) {
    if (state.stopped === undefined && endpoint !== at) continue;
    for (const { end } of endpoint.waiting) end.abort();
  }
}

/** Whether a fatal failure is to be acted upon: at once when it is plain, else when it has come often enough. */
export function confirmFatal(state: ProviderState, failure: FatalFailure, ambiguous: boolean): boolean {
  if (!ambiguous) return true;
  if (state.pendingFatal?.reason !== failure.reason) state.pendingFatal = { reason: failure.reason, count: 0 };
  state.pendingFatal.count++;
  return state.pendingFatal.count >= CONFIRMED_AFTER;
}

/**
 * Milliseconds since which nobody has been there where the model had answered before; undefined else. A server that is
 * started again, or a network that is away for a minute, uses up time rather than tries: nothing was sent.
 */
export function noteGone(endpoint: Endpoint, exchange: Exchange, now: number): number | undefined {
  const isGone = exchange.type === 'connection' && !exchange.sent && !exchange.untrusted && endpoint.hasAnswered;
  if (!isGone) {
    endpoint.goneSince = undefined;
    return undefined;
  }
  endpoint.goneSince ??= now;
  return now - endpoint.goneSince;
}
