/** Sends calls: waits for the rate limit, sends, classifies the result, retries, and stops a provider that fails for good. */

import { setMaxListeners } from 'node:events';
import type { CallFailure, FatalFailure, StoppedCall, TransientFailure, Usage } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import type { RateReport } from '../core/protocol.ts';
import type { Admit, CallRequest, CallResult, Permit, ProviderClient } from '../core/provider-port.ts';
import { ruleOf, type ServedModel } from '../core/served-model.ts';
import { chatProtocolOf } from '../protocols/chat-protocols.ts';
import { protocolAt } from '../protocols/index.ts';
import { askedWait } from '../protocols/shared/waits.ts';
import { type BodySize, sizeOfBody } from '../protocols/size.ts';
import { createFanOut, type FanOut } from './abort-fan-out.ts';
import { type Breaker, createBreaker, type Turn, turnOf } from './breaker.ts';
import { type Classified, classify, type Exchange } from './classify.ts';
import type { Clock } from './clock.ts';
import { type Connection, type ConnectOptions, connect } from './connection.ts';
import { type Judged, judge, KEY_REPEATED, otherModel, outcomeOf, readReply } from './judge-reply.ts';
import type { KeyRing } from './key-ring.ts';
import type { ModelMemory } from './learnt-rates.ts';
import { createLimiter, type Lease, type Limiter } from './limiter.ts';
import type { CallFeedback } from './rates.ts';
import { afterRefusal, LONGEST_WAIT, nextTry, waitedEnough, whileGone } from './retry.ts';
import { type Keys, repeats, scrub, scrubBody } from './secrets.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';
import { createTeller, type Teller } from './teller.ts';
import type { Transport } from './transport.ts';

export interface ProviderClientOptions extends ConnectOptions {
  readonly providers: readonly Provider[];
  /** Under which names models may answer; what is not listed answers under its own. */
  readonly served?: readonly ServedModel[];
  readonly clock: Clock;
  /** Uniform on [0, 1); spreads retries. */
  readonly random: () => number;
  /** What earlier builds learnt of rates; absent where nothing is remembered. */
  readonly learntRates?: LearntRates;
  /** Milliseconds that a server is waited for which refuses everything, is gone, or asks for it; absent: as a build waits. */
  readonly patience?: number;
  /** Told of every exchange that brought headers; nothing that it learns alters a request. */
  readonly observe?: (seen: SeenExchange) => void;
  /** Told once for each model what its refusals taught of its limit, that all it does is refuse, and that nobody is there. */
  readonly note?: (text: string) => void;
}

/** Requests a minute that a model turned out to allow. They make a build faster, and change nothing of what it makes. */
export type LearntRates = ModelMemory<number>;

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

/** A buyer whose connections serve APIs that are no single calls, such as batches, as well. */
export interface ConnectedClient extends HttpProviderClient {
  connection(identity: string): Promise<Connection>;
}

/** Equal failures in a row, with no success between them, after which an ambiguous one is believed. */
const CONFIRMED_AFTER = 3;

/** One provider while the build runs. */
interface ProviderState {
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
interface Endpoint {
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

const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

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

/** Tries until there is an answer, or nothing more to be hoped for. */
async function tryUntilDone(
  options: ProviderClientOptions,
  state: ProviderState,
  endpoint: Endpoint,
  { transport, ring }: { readonly transport: Transport; readonly ring: KeyRing },
  order: CallRequest,
  { size, waiting, sending, admit, onRetry, turn }: TryOptions,
): Promise<CallResult> {
  const { clock, patience } = options;
  const { attempts, concurrency } = state.provider.limits;
  const protocol = protocolAt(order.path);
  const limiter = limiterOf(state, size.model, options);
  const giveUp = (failure: CallFailure) => failed(clean(failure, ring.keys()));
  const endedBy = () => state.stopped ?? endpoint.stopped;

  let requests = 0;
  /** Tries that found nobody. */
  let gone = 0;
  for (let tried = 1; ; ) {
    if (!(await turn.comes(waiting))) return giveUp(endedBy() ?? INTERRUPTED);
    const permit = await admit(order, ++requests);
    if ('class' in permit) return giveUp(permit);
    const lease = await limiter.acquire(size.tokensLikely, waiting);
    const unsent = () => {
      lease?.settle({ tokens: 0 });
      permit.settle({ billed: 'no', unsent: true });
    };
    // What only waits for the limiter is not on its way, so it is written down here.
    if (lease !== undefined && endedBy() === undefined && turn.isOurs)
      await permit.ready?.().catch((error: unknown) => {
        unsent();
        throw error;
      });
    const stopped = endedBy() ?? (lease === undefined || waiting.aborted ? INTERRUPTED : undefined);
    if (lease === undefined || stopped !== undefined || !turn.isOurs) {
      unsent();
      // Without a stop, the model fell silent while this call waited.
      if (stopped === undefined) continue;
      return giveUp(stopped);
    }

    const key = ring.current();
    const exchange = await transport.send(order, key, sending, permit.sent).catch((error: unknown) => {
      settleUnknown(lease, permit);
      throw error;
    });
    if (exchange.type === 'aborted') {
      settleUnknown(lease, permit);
      return giveUp(INTERRUPTED);
    }
    const report = reportOf(exchange, order, size.model, options);
    const judged = judge(exchange, protocol, size);
    if (judged.type === 'answer' || judged.type === 'no-answer') {
      lease.settle(answerFeedback(report, judged.usage));
      state.pendingFatal = undefined;
      endpoint.hasAnswered = true;
      endpoint.goneSince = undefined;
      turn.breaker.succeed();
      permit.settle(judged.outcome);
      const { raw } = exchange as Extract<Exchange, { type: 'reply' }>;
      const rule = ruleOf(options.served, order.identity, size.model);
      return deliveryOf(judged, raw, rule, size.model, ring.keys());
    }

    const classified =
      judged.type === 'error' ? judged.classified : classify(withoutCredential(exchange, ring.keys()), protocol);
    const asked = askedBy(exchange, report, clock.now());
    const isRefused = isRefusal(classified, asked, endpoint.hasAnswered);
    const goneFor = noteGone(endpoint, exchange, clock.now());
    lease.settle(failureFeedback(report, asked, isRefused));
    state.tell.limit(size.model, limiter.sure());
    permit.settle(judged.outcome ?? outcomeOf(exchange, classified));
    const failure = clean(classified.failure, ring.keys());
    if (failure.reason === 'bad_key' || failure.reason === 'no_credit') {
      const replaced = ring.replace(key);
      // Not awaited without need: the next call in line must not be sent before the provider is stopped.
      if (replaced === true || (replaced !== false && (await replaced))) continue;
    }
    if (failure.class === 'permanent') turn.breaker.succeed();
    const isFatal = failure.class === 'fatal' && confirmFatal(state, failure, classified.ambiguous);
    if (isFatal) stop(state, endpoint, failure);
    if (isFatal || failure.class === 'permanent') return giveUp(failure);

    if (failure.class === 'transient' && !isRefused) turn.breaker.fail(Math.min(endpoint.underway, concurrency));
    const silence = isRefused ? 'shut' : goneFor === undefined ? undefined : 'gone';
    const since = isRefused ? limiter.refusedFor() : (goneFor ?? 0);
    const next =
      silence === undefined
        ? nextTry(tried, attempts, asked, options.random, failure.reason, patience)
        : silence === 'shut'
          ? afterRefusal(asked, since, options.random, patience)
          : whileGone(++gone, since, options.random, patience);
    if (!next.again) {
      const outOfTime = next.why === 'attempts' ? undefined : waitedEnough(next.why, asked, patience);
      return giveUp(afterLastTry(state, endpoint, turn, failure, outOfTime));
    }
    if (silence === undefined) tried++;
    else state.tell.silence(silence, size.model, since, failure.message);
    onRetry(failure, Math.max(next.waitMilliseconds, limiter.nextIn()));
    await clock.sleep(next.waitMilliseconds, waiting);
  }
}

/** What a call's tries are governed by. */
interface TryOptions {
  readonly size: BodySize;
  /** Aborted: waiting for a turn or for the next try ends. */
  readonly waiting: AbortSignal;
  /** Aborted: what is on its way is dropped. */
  readonly sending: AbortSignal;
  readonly turn: Turn;
  readonly admit: Admit;
  readonly onRetry: (failure: CallFailure, waitMilliseconds: number) => void;
}

function openState(provider: Provider, { note, patience }: ProviderClientOptions): ProviderState {
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

/** Whether a fatal failure is to be acted upon: at once when it is plain, else when it has come often enough. */
function confirmFatal(state: ProviderState, failure: FatalFailure, ambiguous: boolean): boolean {
  if (!ambiguous) return true;
  if (state.pendingFatal?.reason !== failure.reason) state.pendingFatal = { reason: failure.reason, count: 0 };
  state.pendingFatal.count++;
  return state.pendingFatal.count >= CONFIRMED_AFTER;
}

/**
 * Whether a failure means that too much was asked, and uses up time rather than a try. Some servers say so of a limit in
 * the words of an overload (503, 529). One that names no time is believed where the model has answered before: else
 * nobody may be there, and who waits for it should know soon.
 */
const isRefusal = ({ failure, maybeBilled }: Classified, asked: number | undefined, hasAnswered: boolean): boolean =>
  failure.reason === 'rate_limited' ||
  (failure.reason === 'overloaded' && (asked !== undefined || (hasAnswered && !maybeBilled)));

/**
 * Milliseconds since which nobody has been there where the model had answered before; undefined else. A server that is
 * started again, or a network that is away for a minute, uses up time rather than tries: nothing was sent.
 */
function noteGone(endpoint: Endpoint, exchange: Exchange, now: number): number | undefined {
  const isGone = exchange.type === 'connection' && !exchange.sent && !exchange.untrusted && endpoint.hasAnswered;
  if (!isGone) {
    endpoint.goneSince = undefined;
    return undefined;
  }
  endpoint.goneSince ??= now;
  return now - endpoint.goneSince;
}

/** Whether a call that is sent to find out whether its model answers at all has gone unanswered often enough. */
const isSilent = ({ isProbe, breaker }: Turn, attempts: number): boolean => isProbe && breaker.failures > attempts;

/**
 * What a call fails with that is not tried again. Nobody else is served sooner than a server asks, so all that wait for
 * its model go with it; but one call that is never answered says nothing of the others.
 */
function afterLastTry(
  state: ProviderState,
  endpoint: Endpoint,
  turn: Turn,
  failure: CallFailure,
  outOfTime: string | undefined,
): CallFailure {
  if (failure.class !== 'transient') return failure;
  const told: TransientFailure =
    outOfTime === undefined ? failure : { ...failure, message: `${failure.message} (${outOfTime})`, outOfTime: true };
  if (outOfTime !== undefined || isSilent(turn, state.provider.limits.attempts)) stop(state, endpoint, told);
  return told;
}

/** What was sent and brought no answer: who pays is not known, and nothing is learnt of limits. */
function settleUnknown(lease: Lease, permit: Permit): void {
  lease.settle({});
  permit.settle({ billed: 'maybe' });
}

/** Every later order fails with this failure. What concerns one model stops its own orders only. */
function stop(state: ProviderState, at: Endpoint | undefined, failure: FatalFailure | TransientFailure): void {
  const isItsOwn = failure.class === 'transient' || failure.reason === 'unknown_model';
  if (isItsOwn && at !== undefined) at.stopped = failure;
  else if (failure.class === 'fatal') state.stopped = failure;
  for (const endpoint of state.endpoints.values()) {
    if (state.stopped === undefined && endpoint !== at) continue;
    for (const { end } of endpoint.waiting) end.abort();
  }
}

/** Ended by the caller's signals and by close, or by what stops the provider. */
function waitingAt(
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

function limiterOf(state: ProviderState, model: string, { learntRates, clock }: ProviderClientOptions): Limiter {
  let limiter = state.limiters.get(model);
  if (limiter === undefined) {
    const { limits, identity } = state.provider;
    const remembered = learntRates?.recall(identity, model);
    limiter = createLimiter({ limits, remembered, semaphore: state.semaphore, clock });
    state.limiters.set(model, limiter);
  }
  return limiter;
}

function endpointOf({ endpoints }: ProviderState, path: string, model: string): Endpoint {
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

/** What a server's headers say of its limits, told to who wants to know of each. */
function reportOf(
  exchange: Exchange,
  { identity, path }: CallRequest,
  model: string,
  { clock, observe }: ProviderClientOptions,
): RateReport | undefined {
  if (!('header' in exchange)) return undefined;
  const report = protocolAt(path).rateReport(exchange.header, clock.now());
  observe?.({ identity, model, status: exchange.status, report });
  return report;
}

/** Milliseconds that a server asked to wait, if it did. */
function askedBy(exchange: Exchange, report: RateReport | undefined, now: number): number | undefined {
  return 'header' in exchange && report !== undefined ? askedWait(exchange.header, now, report) : undefined;
}

/** What comes of a reply that the protocol could read. */
function deliveryOf(
  judged: Extract<Judged, { type: 'answer' | 'no-answer' }>,
  raw: string,
  rule: ServedModel | undefined,
  model: string,
  keys: Keys,
): CallResult {
  if (repeats(raw, keys)) return failed(KEY_REPEATED);
  if (judged.type === 'no-answer') {
    const { reason, message } = judged;
    return failed(clean({ class: 'permanent', reason, message }, keys), raw);
  }
  const other = otherModel(judged.servedBy, model, rule);
  if (other !== undefined) return failed(clean(other, keys), raw);
  return { ok: true, raw, reply: judged.reply, usage: judged.usage };
}

/** Excerpts are made of exchanges, so the credential goes before they are. */
function withoutCredential<E extends Exchange>(exchange: E, keys: Keys): E {
  return exchange.type === 'reply' ? { ...exchange, raw: scrub(exchange.raw, keys) } : exchange;
}

/** What the limiter learns of an answer. */
function answerFeedback(report: RateReport | undefined, usage: Usage): CallFeedback {
  const tokens = usage.inputTokens + usage.outputTokens;
  return { ...(tokens > 0 ? { tokens } : {}), ...(report === undefined ? {} : { report, rateLimited: false }) };
}

/** What the limiter learns of an exchange that brought none. Where no server spoke, that is nothing. */
const failureFeedback = (
  report: RateReport | undefined,
  asked: number | undefined,
  rateLimited: boolean,
): CallFeedback => ({
  ...(report === undefined ? {} : { report, rateLimited }),
  ...(rateLimited && asked !== undefined ? { pauseMilliseconds: Math.min(asked, LONGEST_WAIT) } : {}),
});

function failed(failure: CallFailure, raw?: string): CallResult {
  return { ok: false, failure, ...(raw === undefined ? {} : { raw }) };
}

function clean<F extends CallFailure>(failure: F, keys: Keys): F {
  return { ...failure, message: scrub(failure.message, keys) };
}
