/** Buys replies: waits for its turn, sends, judges what came back, tries again, and stops a provider that is hopeless. */

import { type CallFailure, type FatalFailure, type StoppedCall, type Usage, usageOf } from '../core/call.ts';
import type { Provider } from '../core/graph.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Buyer, Delivery, Order } from '../core/market.ts';
import { askedWait, type RateReport, readRateReport } from '../protocols/rate-headers.ts';
import { type BodySize, sizeOfBody } from '../protocols/size.ts';
import { classify, type Exchange, type Verdict } from './classify.ts';
import type { Clock } from './clock.ts';
import { createFanOut } from './fan-out.ts';
import { createLimiter, createPlaces, type Limiter, type Outcome, type Places } from './limiter.ts';
import { LONGEST_ASKED_WAIT, nextTry } from './retry.ts';
import { credentialOf, repeats, type Secrets, scrub, scrubBody } from './secrets.ts';
import type { Transport } from './transport.ts';

/** A simulator that this build started. */
export interface RunningSimulator {
  readonly url: string;
  close(): Promise<void>;
}

export interface BuyerOptions {
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
export interface HttpBuyer extends Buyer {
  /** One `GET`, tried once, outside of every limit. */
  look(identity: string, path: string, signal: AbortSignal): Promise<Look>;
}

/** Equal failures in a row, with no success between them, after which an ambiguous one is believed. */
const BELIEVED_AFTER = 3;

/** One provider while the build runs. */
interface Desk {
  readonly provider: Provider;
  readonly places: Places;
  readonly limiters: Map<string, Limiter>;
  /** What stopped the provider, or one of its models. */
  stopped: FatalFailure | undefined;
  /** By path and model: a model that one path does not offer may be there on another. */
  readonly stoppedModels: Map<string, FatalFailure>;
  suspicion: { readonly reason: FatalFailure['reason']; count: number } | undefined;
  /** What ends the waiting of each order, for its turn or for its next try; by {@link offerOf} the order. */
  readonly waiting: Map<AbortController, string>;
  connection: Promise<Connection> | undefined;
}

type Connection =
  | { readonly ok: true; readonly transport: Transport; readonly key: string | undefined; close(): Promise<void> }
  | { readonly ok: false; readonly failure: FatalFailure };

const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

export function createBuyer(options: BuyerOptions): HttpBuyer {
  const { clock } = options;
  const desks = new Map<string, Desk>();
  for (const provider of options.providers) desks.set(provider.identity, openDesk(provider));
  const closing = new AbortController();
  const endings = createFanOut();

  const deskOf = (identity: string): Desk => {
    const desk = desks.get(identity);
    if (desk === undefined) throw new Error(`Internal error: no provider has the identity ${identity}`);
    return desk;
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

  const limiterOf = (desk: Desk, model: string): Limiter => {
    let limiter = desk.limiters.get(model);
    if (limiter === undefined) {
      limiter = createLimiter({ limits: desk.provider.limits, places: desk.places, clock });
      desk.limiters.set(model, limiter);
    }
    return limiter;
  };

  return {
    async buy(order, { signal, drain, onRetry }) {
      const desk = deskOf(order.identity);
      if (signal.aborted || closing.signal.aborted || drain?.aborted) return failed(INTERRUPTED, false);
      if (desk.stopped !== undefined) return failed(desk.stopped, false);
      desk.connection ??= connect(desk.provider);
      const connection = await desk.connection;
      if (!connection.ok) {
        stop(desk, '', connection.failure);
        return failed(connection.failure, false);
      }
      // Aborted by the build's signal, by close, and `waiting` alone when the provider is stopped.
      const waiting = new AbortController();
      const sending = new AbortController();
      const abort = () => {
        waiting.abort();
        sending.abort();
      };
      const size = sizeOfBody(order.body);
      desk.waiting.set(waiting, offerOf(order.path, size.model));
      const unsubscribe = [signal, closing.signal].map((ending) => endings.subscribe(ending, abort));
      if (drain !== undefined) unsubscribe.push(endings.subscribe(drain, () => waiting.abort()));
      try {
        return await tryUntilDone(desk, connection, { ...order, size }, waiting.signal, sending.signal, onRetry);
      } finally {
        for (const leave of unsubscribe) leave();
        desk.waiting.delete(waiting);
      }
    },
    async look(identity, path, signal) {
      const desk = deskOf(identity);
      desk.connection ??= connect(desk.provider);
      const connection = await desk.connection;
      if (!connection.ok) return { ok: false, status: null, failure: connection.failure };
      const exchange = await connection.transport.get(path, signal);
      if (exchange.type === 'aborted') return { ok: false, status: null, failure: INTERRUPTED };
      const reply = readReply(exchange);
      if (reply !== undefined) return { ok: true, body: scrubBody(reply, connection.key) };
      const { failure } = classify(withoutCredential(exchange, connection.key));
      return { ok: false, status: 'status' in exchange ? exchange.status : null, failure };
    },
    concurrency: (identity) => deskOf(identity).provider.limits.concurrency,
    async close() {
      closing.abort();
      for (const desk of desks.values()) {
        const connection = await desk.connection?.catch(() => undefined);
        desk.connection = undefined;
        if (connection?.ok) await connection.close();
      }
    },
  };

  async function tryUntilDone(
    desk: Desk,
    { transport, key }: { readonly transport: Transport; readonly key: string | undefined },
    order: Order & { readonly size: BodySize },
    waiting: AbortSignal,
    sending: AbortSignal,
    onRetry: (failure: CallFailure, waitMilliseconds: number) => void,
  ): Promise<Delivery> {
    const { size } = order;
    const offer = offerOf(order.path, size.model);
    const limiter = limiterOf(desk, size.model);
    let unknownOutcomes = 0;
    const giveUp = (failure: CallFailure) => failed(clean(failure, key), unknownOutcomes > 0, unknownOutcomes);

    for (let tried = 1; ; tried++) {
      const grant = await limiter.acquire(size.tokensLikely, waiting);
      const stopped = desk.stopped ?? desk.stoppedModels.get(offer);
      if (grant === undefined || stopped !== undefined) {
        grant?.settle({ tokens: 0 });
        return giveUp(stopped ?? INTERRUPTED);
      }

      const exchange = await transport.send(order, sending).catch((error: unknown) => {
        grant.settle({});
        throw error;
      });
      if (exchange.type === 'aborted') {
        grant.settle({});
        unknownOutcomes++;
        return giveUp(INTERRUPTED);
      }
      if ('header' in exchange) {
        const report = readRateReport(exchange.header);
        options.observe?.({ identity: order.identity, model: size.model, status: exchange.status, report });
      }
      const reply = readReply(exchange);
      if (exchange.type === 'reply' && reply !== undefined) {
        const usage = usageOf(reply);
        grant.settle(outcomeOf(exchange, undefined, undefined, usage));
        desk.suspicion = undefined;
        if (repeats(exchange.raw, key)) {
          const message = 'the reply repeats the credential, so it is not kept';
          return failed({ class: 'permanent', reason: 'malformed_reply', message }, true, unknownOutcomes + 1);
        }
        return delivered(exchange.raw, usage, reply, unknownOutcomes);
      }

      const verdict = classify(withoutCredential(exchange, key));
      const asked = 'header' in exchange ? askedWait(exchange.header, clock.now()) : undefined;
      grant.settle(outcomeOf(exchange, verdict, asked, undefined));
      if (verdict.maybeBilled) unknownOutcomes++;
      const failure = clean(verdict.failure, key);
      if (failure.class === 'permanent') return giveUp(failure);
      if (failure.class === 'fatal' && believe(desk, failure, verdict.ambiguous)) {
        stop(desk, offer, failure);
        return giveUp(failure);
      }

      const next = nextTry(tried, desk.provider.limits.attempts, asked, options.random);
      if (!next.again) return giveUp(next.why === 'attempts' ? failure : tooLong(failure, asked));
      onRetry(failure, next.waitMilliseconds);
      await clock.sleep(next.waitMilliseconds, waiting);
    }
  }
}

function openDesk(provider: Provider): Desk {
  return {
    provider,
    places: createPlaces(provider.limits.concurrency),
    limiters: new Map(),
    stopped: undefined,
    stoppedModels: new Map(),
    suspicion: undefined,
    waiting: new Map(),
    connection: undefined,
  };
}

/** Whether a fatal failure is to be acted upon: at once when it is plain, else when it has come often enough. */
function believe(desk: Desk, failure: FatalFailure, ambiguous: boolean): boolean {
  if (!ambiguous) return true;
  if (desk.suspicion?.reason !== failure.reason) desk.suspicion = { reason: failure.reason, count: 0 };
  desk.suspicion.count++;
  return desk.suspicion.count >= BELIEVED_AFTER;
}

/** Every later order fails with this failure. An unknown model stops its own orders only. */
function stop(desk: Desk, offer: string, failure: FatalFailure): void {
  if (failure.reason === 'unknown_model') desk.stoppedModels.set(offer, failure);
  else desk.stopped = failure;
  for (const [waiting, itsOffer] of desk.waiting) {
    if (desk.stopped !== undefined || itsOffer === offer) waiting.abort();
  }
}

/** What an order wants of the provider: a model, by a path. */
const offerOf = (path: string, model: string): string => `${path} ${model}`;

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
function outcomeOf(
  exchange: Exchange,
  verdict: Verdict | undefined,
  asked: number | undefined,
  usage: Usage | undefined,
): Outcome {
  const rateLimited = verdict?.failure.reason === 'rate_limited';
  const leaveAlone = rateLimited || verdict?.failure.reason === 'overloaded';
  const used = usage === undefined ? 0 : usage.inputTokens + usage.outputTokens;
  return {
    ...(used > 0 ? { tokens: used } : {}),
    ...('header' in exchange ? { report: readRateReport(exchange.header) } : {}),
    rateLimited,
    ...(leaveAlone && asked !== undefined ? { pauseMilliseconds: Math.min(asked, LONGEST_ASKED_WAIT) } : {}),
  };
}

function delivered(raw: string, usage: Usage, reply: JsonObject, unknownOutcomes: number): Delivery {
  const usageKnown = isJsonObject(reply.usage) && typeof reply.usage.prompt_tokens === 'number';
  return { ok: true, raw, usage, usageKnown, ...(unknownOutcomes > 0 ? { unknownOutcomes } : {}) };
}

function failed(failure: CallFailure, maybeBilled: boolean, unknownOutcomes = 0): Delivery {
  return { ok: false, failure, maybeBilled, ...(unknownOutcomes > 0 ? { unknownOutcomes } : {}) };
}

function clean<F extends CallFailure>(failure: F, key: string | undefined): F {
  return { ...failure, message: scrub(failure.message, key) };
}

function tooLong<F extends CallFailure>(failure: F, asked: number | undefined): F {
  const minutes = Math.ceil((asked ?? 0) / 60_000);
  return { ...failure, message: `${failure.message} (the server asks to wait ${minutes} minutes; build again then)` };
}
