/** One call, tried until there is an answer, or nothing more to be hoped for. */

import type { CallFailure, StoppedCall, TransientFailure, Usage } from '../core/call.ts';
import type { RateReport } from '../core/protocol.ts';
import type { Admit, CallRequest, CallResult, Permit } from '../core/provider-port.ts';
import { ruleOf, type ServedModel } from '../core/served-model.ts';
import { protocolAt } from '../protocols/index.ts';
import { askedWait } from '../protocols/shared/waits.ts';
import type { BodySize } from '../protocols/size.ts';
import type { Turn } from './breaker.ts';
import { type Classified, classify, type Exchange } from './classify.ts';
import type { ProviderClientOptions } from './client-options.ts';
import { confirmFatal, type Endpoint, limiterOf, noteGone, type ProviderState, stop } from './endpoints.ts';
import { type Judged, judge, KEY_REPEATED, otherModel, outcomeOf } from './judge-reply.ts';
import type { KeyRing } from './key-ring.ts';
import type { Lease, Limiter } from './limiter.ts';
import type { CallFeedback } from './rates.ts';
import { afterRefusal, LONGEST_WAIT, type NextTry, nextTry, waitedEnough, whileGone } from './retry.ts';
import { type Keys, repeats, scrub } from './secrets.ts';
import type { Transport } from './transport.ts';

export const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

/** Tries until there is an answer, or nothing more to be hoped for. */
export async function tryUntilDone(
  options: ProviderClientOptions,
  state: ProviderState,
  endpoint: Endpoint,
  { transport, ring }: { readonly transport: Transport; readonly ring: KeyRing },
  order: CallRequest,
  tries: TryOptions,
): Promise<CallResult> {
  const { size, waiting, sending, onRetry, turn } = tries;
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
    const leave = await takeLeave(order, ++requests, limiter, tries, endedBy);
    if (leave === undefined) continue;
    if ('class' in leave) return giveUp(leave);
    const { permit, lease } = leave;

    const key = ring.current();
    const exchange = await transport.send(order, key, sending, permit.sent).catch((error: unknown) => {
      settleUnknown(lease, permit);
      throw error;
    });
    if (exchange.type === 'aborted') {
      settleUnknown(lease, permit);
      return giveUp(INTERRUPTED);
    }
    const goneFor = noteGone(endpoint, exchange, clock.now());
    const report = reportOf(exchange, order, size.model, options);
    const judged = judge(exchange, protocol, size);
    if (judged.type === 'answer' || judged.type === 'no-answer') {
      lease.settle(answerFeedback(report, judged.usage));
      state.pendingFatal = undefined;
      endpoint.hasAnswered = true;
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
    const silence = silenceOf(isRefused, limiter, goneFor);
    if (silence?.what === 'gone') gone++;
    const isInTrouble = failure.reason === 'overloaded' || (endpoint.hasAnswered && turn.breaker.isOpen);
    const next = nextOf(silence, { tried, gone, attempts, asked, isInTrouble }, options);
    if (!next.again) {
      const outOfTime = next.why === 'attempts' ? undefined : waitedEnough(next.why, asked, patience);
      return giveUp(afterLastTry(state, endpoint, turn, failure, outOfTime));
    }
    if (silence === undefined) tried++;
    else state.tell.silence(silence.what, size.model, silence.since, failure.message);
    onRetry(failure, Math.max(next.waitMilliseconds, limiter.nextIn()));
    await clock.sleep(next.waitMilliseconds, waiting);
  }
}

/** What one try has before it is sent. */
interface Leave {
  readonly permit: Permit;
  readonly lease: Lease;
}

/**
 * A place in the budget, then one in the limiter, then one in the books: what only waits for the limiter is not on its way,
 * so it is not written down. Else why there is none; undefined where the model fell silent meanwhile.
 */
async function takeLeave(
  order: CallRequest,
  tryNumber: number,
  limiter: Limiter,
  { size, waiting, admit, turn }: TryOptions,
  endedBy: () => CallFailure | undefined,
): Promise<Leave | CallFailure | undefined> {
  const permit = await admit(order, tryNumber);
  if ('class' in permit) return permit;
  const lease = await limiter.acquire(size.tokensLikely, waiting);
  const unsent = () => {
    lease?.settle({ tokens: 0 });
    permit.settle({ billed: 'no', unsent: true });
  };
  const stopped = () => endedBy() ?? (lease === undefined || waiting.aborted ? INTERRUPTED : undefined);
  const mayLeave = () => stopped() === undefined && turn.isOurs;
  try {
    if (mayLeave()) await permit.ready?.();
  } catch (error) {
    unsent();
    throw error;
  }
  if (lease !== undefined && mayLeave()) return { permit, lease };
  unsent();
  return stopped();
}

/** What every try of a model comes to for some time, milliseconds: refusals, or nobody there. */
interface Silence {
  readonly what: 'shut' | 'gone';
  readonly since: number;
}

function silenceOf(isRefused: boolean, limiter: Limiter, goneFor: number | undefined): Silence | undefined {
  if (isRefused) return { what: 'shut', since: limiter.refusedFor() };
  return goneFor === undefined ? undefined : { what: 'gone', since: goneFor };
}

/** A silence uses up time, and all else tries. */
function nextOf(
  silence: Silence | undefined,
  last: {
    readonly tried: number;
    readonly gone: number;
    readonly attempts: number;
    readonly asked: number | undefined;
    readonly isInTrouble: boolean;
  },
  { random, patience }: ProviderClientOptions,
): NextTry {
  switch (silence?.what) {
    case undefined:
      return nextTry(last.tried, last.attempts, last.asked, random, last.isInTrouble, patience);
    case 'shut':
      return afterRefusal(last.asked, silence.since, random, patience);
    case 'gone':
      return whileGone(last.gone, silence.since, random, patience);
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

/**
 * Whether a failure means that too much was asked, and uses up time rather than a try. Some servers say so of a limit in
 * the words of an overload (503, 529). One that names no time is believed where the model has answered before: else
 * nobody may be there, and who waits for it should know soon.
 */
const isRefusal = ({ failure, maybeBilled }: Classified, asked: number | undefined, hasAnswered: boolean): boolean =>
  failure.reason === 'rate_limited' ||
  (failure.reason === 'overloaded' && (asked !== undefined || (hasAnswered && !maybeBilled)));

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
export function withoutCredential<E extends Exchange>(exchange: E, keys: Keys): E {
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

export function failed(failure: CallFailure, raw?: string): CallResult {
  return { ok: false, failure, ...(raw === undefined ? {} : { raw }) };
}

function clean<F extends CallFailure>(failure: F, keys: Keys): F {
  return { ...failure, message: scrub(failure.message, keys) };
}
