/** Sends calls: waits for the rate limit, sends, classifies the result, retries, and stops a provider that fails for good. */

import { type CallFailure, type FatalFailure, NO_USAGE, type StoppedCall, type Usage } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { RateReport } from '../core/protocol.ts';
import type { CallRequest, CallResult, ProviderClient } from '../core/provider-port.ts';
import { chatProtocolOf, protocolAt } from '../protocols/index.ts';
import { askedWait } from '../protocols/shared/waits.ts';
import { type BodySize, sizeOfBody } from '../protocols/size.ts';
import { createFanOut } from './abort-fan-out.ts';
import { type Classified, classify, type Exchange } from './classify.ts';
import type { Clock } from './clock.ts';
import { type CallFeedback, createLimiter, createSemaphore, type Limiter, type Semaphore } from './limiter.ts';
import { LONGEST_ASKED_WAIT, nextTry } from './retry.ts';
import { credentialOf, repeats, type Secrets, scrub, scrubBody } from './secrets.ts';
import type { Transport } from './transport.ts';

/** A simulator that this build started. */
export interface RunningSimulator {
  readonly url: string;
  close(): Promise<void>;
}

export interface ProviderClientOptions {
  readonly providers: readonly Provider[];
  readonly secrets: Secrets;
  /** Starts the simulator of a provider without a base URL; called once for each, at its first order. */
  readonly startSimulator?: (provider: Provider) => Promise<RunningSimulator>;
  readonly clock: Clock;
  /** Uniform on [0, 1); spreads retries. */
  readonly random: () => number;
  /** Told of every exchange that brought headers; nothing that it learns alters a request. */
  readonly observe?: (seen: SeenExchange) => void;
}

/** One answer of a server, as far as it concerns limits. */
export interface SeenExchange {
  readonly identity: string;
  readonly model: string;
  readonly status: number;
  readonly report: RateReport;
}

/** What a provider said of itself, parsed; or why it did not. `status` is null where no answer came. */
export type Look =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly status: number | null; readonly failure: CallFailure };

/** A buyer that can also look without buying. */
export interface HttpProviderClient extends ProviderClient {
  /** One `GET`, tried once, outside of every limit. */
  look(identity: string, path: string, signal: AbortSignal): Promise<Look>;
}

/** Equal failures in a row, with no success between them, after which an ambiguous one is believed. */
const CONFIRMED_AFTER = 3;

/** One provider while the build runs. */
interface ProviderState {
  readonly provider: Provider;
  readonly semaphore: Semaphore;
  readonly limiters: Map<string, Limiter>;
  /** What stopped the provider, or one of its models. */
  stopped: FatalFailure | undefined;
  /** Keyed by path and model: a model can be missing on one path and available on another. */
  readonly stoppedModels: Map<string, FatalFailure>;
  pendingFatal: { readonly reason: FatalFailure['reason']; count: number } | undefined;
  /** What ends the waiting of each request, for its turn or for its next try; by {@link endpointOf} the request. */
  readonly waiting: Map<AbortController, string>;
  connection: Promise<Connection> | undefined;
}

type Connection =
  | { readonly ok: true; readonly transport: Transport; readonly key: string | undefined; close(): Promise<void> }
  | { readonly ok: false; readonly failure: FatalFailure };

const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

export function createProviderClient(options: ProviderClientOptions): HttpProviderClient {
  const { clock } = options;
  const states = new Map<string, ProviderState>();
  for (const provider of options.providers) states.set(provider.identity, openState(provider));
  const closing = new AbortController();
  const endings = createFanOut();

  const stateOf = (identity: string): ProviderState => {
    const state = states.get(identity);
    if (state === undefined) throw new Error(`Internal error: no provider has the identity ${identity}`);
    return state;
  };

  const connect = async (provider: Provider): Promise<Connection> => {
    const credential = credentialOf(provider, options.secrets);
    if (!credential.ok) return credential;
    let url = provider.baseUrl;
    let simulator: RunningSimulator | undefined;
    if (url === undefined) {
      if (options.startSimulator === undefined) {
        throw new Error(`Internal error: provider ${provider.name} has no base URL and nothing to start`);
      }
      simulator = await options.startSimulator(provider);
      url = simulator.url;
    }
    const { createTransport } = await import('./transport.ts');
    const transport = createTransport(provider, url, credential.key);
    return {
      ok: true,
      transport,
      key: credential.key,
      async close() {
        await transport.close();
        await simulator?.close();
      },
    };
  };

  const limiterOf = (state: ProviderState, model: string): Limiter => {
    let limiter = state.limiters.get(model);
    if (limiter === undefined) {
      limiter = createLimiter({ limits: state.provider.limits, semaphore: state.semaphore, clock });
      state.limiters.set(model, limiter);
    }
    return limiter;
  };

  return {
    async buy(order, { signal, drain, onRetry }) {
      const state = stateOf(order.identity);
      if (signal.aborted || closing.signal.aborted || drain?.aborted) return failed(INTERRUPTED, false);
      if (state.stopped !== undefined) return failed(state.stopped, false);
      state.connection ??= connect(state.provider);
      const connection = await state.connection;
      if (!connection.ok) {
        stop(state, '', connection.failure);
        return failed(connection.failure, false);
      }
      // Aborted by the build's signal, by close, and `waiting` alone when the provider is stopped.
      const waiting = new AbortController();
      const sending = new AbortController();
      const abort = () => {
        waiting.abort();
        sending.abort();
      };
      const size = sizeOfBody(protocolAt(order.path), order.body);
      state.waiting.set(waiting, endpointOf(order.path, size.model));
      const unsubscribe = [signal, closing.signal].map((ending) => endings.subscribe(ending, abort));
      if (drain !== undefined) unsubscribe.push(endings.subscribe(drain, () => waiting.abort()));
      try {
        return await tryUntilDone(state, connection, { ...order, size }, waiting.signal, sending.signal, onRetry);
      } finally {
        for (const leave of unsubscribe) leave();
        state.waiting.delete(waiting);
      }
    },
    async look(identity, path, signal) {
      const state = stateOf(identity);
      state.connection ??= connect(state.provider);
      const connection = await state.connection;
      if (!connection.ok) return { ok: false, status: null, failure: connection.failure };
      const exchange = await connection.transport.get(path, signal);
      if (exchange.type === 'aborted') return { ok: false, status: null, failure: INTERRUPTED };
      const reply = readReply(exchange);
      if (reply !== undefined) return { ok: true, body: scrubBody(reply, connection.key) };
      const { failure } = classify(withoutCredential(exchange, connection.key), chatProtocolOf(state.provider));
      return { ok: false, status: 'status' in exchange ? exchange.status : null, failure };
    },
    concurrency: (identity) => stateOf(identity).provider.limits.concurrency,
    async close() {
      closing.abort();
      for (const state of states.values()) {
        const connection = await state.connection?.catch(() => undefined);
        state.connection = undefined;
        if (connection?.ok) await connection.close();
      }
    },
  };

  async function tryUntilDone(
    state: ProviderState,
    { transport, key }: { readonly transport: Transport; readonly key: string | undefined },
    order: CallRequest & { readonly size: BodySize },
    waiting: AbortSignal,
    sending: AbortSignal,
    onRetry: (failure: CallFailure, waitMilliseconds: number) => void,
  ): Promise<CallResult> {
    const { size } = order;
    const protocol = protocolAt(order.path);
    const endpoint = endpointOf(order.path, size.model);
    const limiter = limiterOf(state, size.model);
    let unknownOutcomes = 0;
    const giveUp = (failure: CallFailure) => failed(clean(failure, key), unknownOutcomes > 0, unknownOutcomes);

    for (let tried = 1; ; tried++) {
      const lease = await limiter.acquire(size.tokensLikely, waiting);
      const stopped = state.stopped ?? state.stoppedModels.get(endpoint);
      if (lease === undefined || stopped !== undefined) {
        lease?.settle({ tokens: 0 });
        return giveUp(stopped ?? INTERRUPTED);
      }

      const exchange = await transport.send(order, sending).catch((error: unknown) => {
        lease.settle({});
        throw error;
      });
      if (exchange.type === 'aborted') {
        lease.settle({});
        unknownOutcomes++;
        return giveUp(INTERRUPTED);
      }
      const report = 'header' in exchange ? protocol.rateReport(exchange.header, clock.now()) : undefined;
      if ('header' in exchange && report !== undefined) {
        options.observe?.({ identity: order.identity, model: size.model, status: exchange.status, report });
      }
      const reply = readReply(exchange);
      if (exchange.type === 'reply' && reply !== undefined) {
        const usage = protocol.usageOf(reply);
        lease.settle(feedbackOf(report, undefined, undefined, usage));
        state.pendingFatal = undefined;
        if (repeats(exchange.raw, key)) {
          const message = 'the reply repeats the credential, so it is not kept';
          return failed({ class: 'permanent', reason: 'malformed_reply', message }, true, unknownOutcomes + 1);
        }
        return delivered(exchange.raw, usage, unknownOutcomes);
      }

      const classified = classify(withoutCredential(exchange, key), protocol);
      const asked =
        'header' in exchange && report !== undefined ? askedWait(exchange.header, clock.now(), report) : undefined;
      lease.settle(feedbackOf(report, classified, asked, undefined));
      if (classified.maybeBilled) unknownOutcomes++;
      const failure = clean(classified.failure, key);
      if (failure.class === 'permanent') return giveUp(failure);
      if (failure.class === 'fatal' && confirmFatal(state, failure, classified.ambiguous)) {
        stop(state, endpoint, failure);
        return giveUp(failure);
      }

      const next = nextTry(tried, state.provider.limits.attempts, asked, options.random);
      if (!next.again) return giveUp(next.why === 'attempts' ? failure : tooLong(failure, asked));
      onRetry(failure, next.waitMilliseconds);
      await clock.sleep(next.waitMilliseconds, waiting);
    }
  }
}

function openState(provider: Provider): ProviderState {
  return {
    provider,
    semaphore: createSemaphore(provider.limits.concurrency),
    limiters: new Map(),
    stopped: undefined,
    stoppedModels: new Map(),
    pendingFatal: undefined,
    waiting: new Map(),
    connection: undefined,
  };
}

/** Whether a fatal failure is to be acted upon: at once when it is plain, else when it has come often enough. */
function confirmFatal(state: ProviderState, failure: FatalFailure, ambiguous: boolean): boolean {
  if (!ambiguous) return true;
  if (state.pendingFatal?.reason !== failure.reason) state.pendingFatal = { reason: failure.reason, count: 0 };
  state.pendingFatal.count++;
  return state.pendingFatal.count >= CONFIRMED_AFTER;
}

/** Every later order fails with this failure. An unknown model stops its own orders only. */
function stop(state: ProviderState, endpoint: string, failure: FatalFailure): void {
  if (failure.reason === 'unknown_model') state.stoppedModels.set(endpoint, failure);
  else state.stopped = failure;
  for (const [waiting, itsEndpoint] of state.waiting) {
    if (state.stopped !== undefined || itsEndpoint === endpoint) waiting.abort();
  }
}

/** What an order wants of the provider: a model, by a path. */
const endpointOf = (path: string, model: string): string => `${path} ${model}`;

/** Excerpts are made of exchanges, so the credential goes before they are. */
function withoutCredential<E extends Exchange>(exchange: E, key: string | undefined): E {
  return exchange.type === 'reply' ? { ...exchange, raw: scrub(exchange.raw, key) } : exchange;
}

function readReply(exchange: Exchange): JsonObject | undefined {
  if (exchange.type !== 'reply') return undefined;
  try {
    const reply: unknown = JSON.parse(exchange.raw);
    return isJsonObject(reply) && (reply.error === undefined || reply.error === null) ? reply : undefined;
  } catch {
    return undefined;
  }
}

/** What the limiter learns of an exchange. */
function feedbackOf(
  report: RateReport | undefined,
  classified: Classified | undefined,
  asked: number | undefined,
  usage: Usage | undefined,
): CallFeedback {
  const rateLimited = classified?.failure.reason === 'rate_limited';
  const leaveAlone = rateLimited || classified?.failure.reason === 'overloaded';
  const used = usage === undefined ? 0 : usage.inputTokens + usage.outputTokens;
  return {
    ...(used > 0 ? { tokens: used } : {}),
    ...(report === undefined ? {} : { report }),
    rateLimited,
    ...(leaveAlone && asked !== undefined ? { pauseMilliseconds: Math.min(asked, LONGEST_ASKED_WAIT) } : {}),
  };
}

function delivered(raw: string, usage: Usage | undefined, unknownOutcomes: number): CallResult {
  return {
    ok: true,
    raw,
    usage: usage ?? NO_USAGE,
    usageKnown: usage !== undefined,
    ...(unknownOutcomes > 0 ? { unknownOutcomes } : {}),
  };
}

function failed(failure: CallFailure, maybeBilled: boolean, unknownOutcomes = 0): CallResult {
  return { ok: false, failure, maybeBilled, ...(unknownOutcomes > 0 ? { unknownOutcomes } : {}) };
}

function clean<F extends CallFailure>(failure: F, key: string | undefined): F {
  return { ...failure, message: scrub(failure.message, key) };
}

function tooLong<F extends CallFailure>(failure: F, asked: number | undefined): F {
  const minutes = Math.ceil((asked ?? 0) / 60_000);
  return { ...failure, message: `${failure.message} (the server asks to wait ${minutes} minutes; build again then)` };
}
