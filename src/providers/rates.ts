/** What may be sent to one model when: the limits that the file and the server state, and the pace that was learnt. */

import type { Limits } from '../core/graph.ts';
import type { RateReport } from '../core/protocol.ts';
import { type Bucket, createBucket } from './bucket.ts';
import { createRefusalWatch, type RefusalWatch } from './chance-refusals.ts';
import { createPace, type Pace, type PacedRequest } from './pace.ts';
import { countOutcome, foundBy, isOpen, openTrial, sendOnTrial, type Trial, withoutOne } from './trial.ts';

/** Slowest rate that a limit can mean, requests a minute. */
const LEAST_LIMIT = 0.01;

/** What a call that was let through turned out to be. */
export interface CallFeedback {
  /** Tokens that it used; undefined where unknown, so the estimate stands. */
  readonly tokens?: number;
  readonly report?: RateReport;
  /** Whether the server said that it is asked too often; undefined where it said nothing at all. */
  readonly rateLimited?: boolean;
  /** Milliseconds for which the server asked to be left alone. */
  readonly pauseMilliseconds?: number;
}

/** A request that was sent. */
export interface SentRequest extends PacedRequest {
  /** Tokens that it was taken for, and the bucket that they were taken from. */
  readonly tokens: number;
  readonly takenFrom: Bucket | undefined;
  /** What had been sent in all, this request included. */
  readonly total: Sent;
  /** Whether it is one of those that go on as before after the first refusal. */
  readonly onTrial: boolean;
}

interface Sent {
  readonly requests: number;
  readonly tokens: number;
}

export interface Rates {
  /** Milliseconds until a request of so many tokens may be sent; 0 for now. */
  wait(tokens: number, now: number): number;
  send(tokens: number, now: number): SentRequest;
  settle(request: SentRequest, outcome: CallFeedback, now: number): void;
  /** Milliseconds since which every answer was a refusal; 0 when the last one was none. */
  refusedFor(now: number): number;
  /** Requests a minute as the server told or taught them; undefined where it did neither, null where it has none. */
  learnt(): number | null | undefined;
  /** Requests a minute that refusals taught, and no more than were seen to be answered in a minute; undefined before that. */
  sure(): number | undefined;
}

interface RatesState {
  requests: Bucket | undefined;
  tokens: Bucket | undefined;
  /** The limit that the server states, requests a minute. */
  told: number | undefined;
  readonly pace: Pace;
  /** Set from the first refusal on. */
  trial: Trial | undefined;
  readonly refusals: RefusalWatch;
  total: Sent;
  pausedUntil: number;
  refusedSince: number | undefined;
}

/** @param remembered requests a minute that an earlier build learnt. */
export function createRates(
  limits: Pick<Limits, 'requestsPerMinute' | 'tokensPerMinute'>,
  remembered: number | undefined,
  start: number,
): Rates {
  const state: RatesState = {
    requests: openBucket('requests', limits.requestsPerMinute, start),
    tokens: openBucket('tokens', limits.tokensPerMinute, start),
    told: undefined,
    trial: undefined,
    pace: createPace(remembered, start),
    refusals: createRefusalWatch(remembered),
    total: { requests: 0, tokens: 0 },
    pausedUntil: Number.NEGATIVE_INFINITY,
    refusedSince: undefined,
  };
  return {
    wait(tokens, now) {
      const { pausedUntil, requests, tokens: bucket, pace } = state;
      return Math.max(
        pausedUntil - now,
        requests?.wait(1, now) ?? 0,
        bucket?.wait(tokens, now) ?? 0,
        isOpen(state.trial) ? 0 : pace.wait(now),
        0,
      );
    },
    send(tokens, now) {
      state.requests?.take(1, now);
      state.tokens?.take(tokens, now);
      const onTrial = isOpen(state.trial);
      if (onTrial) state.trial = sendOnTrial(state.trial!, now);
      state.total = { requests: state.total.requests + 1, tokens: state.total.tokens + tokens };
      return {
        ...(onTrial ? state.pace.sendAsBefore(now) : state.pace.send(now)),
        tokens,
        takenFrom: state.tokens,
        total: state.total,
        onTrial,
      };
    },
    settle(request, outcome, now) {
      if (outcome.tokens !== undefined) request.takenFrom?.giveBack(request.tokens - outcome.tokens, now);
      if (outcome.report !== undefined) heed(state, limits, outcome.report, request, now);
      if (outcome.pauseMilliseconds !== undefined) {
        state.pausedUntil = Math.max(state.pausedUntil, now + outcome.pauseMilliseconds);
      }
      learn(state, request, outcome, now);
      if (outcome.rateLimited || outcome.pauseMilliseconds !== undefined) state.refusedSince ??= now;
      else if (outcome.rateLimited === false) state.refusedSince = undefined;
    },
    refusedFor: (now) => (state.refusedSince === undefined ? 0 : now - state.refusedSince),
    sure() {
      const { limit, proven } = state.pace;
      return limit === undefined || proven === undefined ? undefined : Math.min(limit, proven);
    },
    learnt() {
      const { allowed } = state.pace;
      const settled = allowed !== undefined && state.refusals.isSettled ? allowed : undefined;
      const known = [state.told, settled].filter((rate) => rate !== undefined);
      if (known.length > 0) return Math.min(...known);
      return state.refusals.byChance ? null : undefined;
    },
  };
}

/** What an answer or a refusal says of the pace. */
function learn(state: RatesState, request: SentRequest, outcome: CallFeedback, now: number): void {
  const { pace, refusals } = state;
  const refused = outcome.rateLimited === true || outcome.report?.overLimit === true;
  if (refused) pace.refused(request, now);
  if (request.onTrial) settleTrial(state, outcome.rateLimited === undefined ? undefined : refused, now);
  else if (outcome.rateLimited !== undefined) {
    refusals.note(request, refused, pace.isNew(request));
    if (!refused) pace.answered(request, now);
  }
  if (refusals.byChance) pace.free();
  else if (refused && !request.onTrial && pace.isNew(request) && (pace.limit === undefined || !refusals.isExcused())) {
    // A server that says when to come back, or that has shut, counts.
    if (!outcome.pauseMilliseconds && !pace.isShut && refusals.isInDoubt(pace.limit)) {
      state.trial = openTrial(request.at);
      refusals.trying();
    }
    pace.cut(request, now, outcome.pauseMilliseconds);
    refusals.cut();
    if (pace.isSure) refusals.confirm(pace.limit!);
  }
}

/** What requests that went on as before came to, once all are answered. */
function settleTrial(state: RatesState, refused: boolean | undefined, now: number): void {
  if (state.trial === undefined) return;
  state.trial = refused === undefined ? withoutOne(state.trial) : countOutcome(state.trial, refused);
  const found = foundBy(state.trial);
  if (found === undefined || state.pace.limit === undefined) return;
  state.refusals.tried(found);
  state.pace.tried(found.answeredPerMinute, now);
}

function openBucket(unit: 'requests' | 'tokens', perMinute: number | undefined, now: number): Bucket | undefined {
  if (perMinute === undefined) return undefined;
  return createBucket({ unit, perMinute: Math.max(perMinute, LEAST_LIMIT), now });
}

/**
 * Takes over limits that are stricter than the configured ones; never looser. What is left was counted when the request
 * came in, and an answer can take long, so what was earned and sent in between is added.
 */
function heed(
  state: RatesState,
  limits: Parameters<typeof createRates>[0],
  { requests, tokens }: RateReport,
  { at, total }: SentRequest,
  now: number,
): void {
  if (requests.limit !== undefined) {
    state.told = requests.limit;
    state.requests = limitBucket(state.requests, 'requests', requests.limit, limits.requestsPerMinute, now);
  }
  if (tokens.limit !== undefined) {
    state.tokens = limitBucket(state.tokens, 'tokens', tokens.limit, limits.tokensPerMinute, now);
  }
  if (requests.remaining !== undefined) {
    state.requests?.lowerLevel(requests.remaining, at, state.total.requests - total.requests, now);
  }
  if (tokens.remaining !== undefined) {
    state.tokens?.lowerLevel(tokens.remaining, at, state.total.tokens - total.tokens, now);
  }
}

function limitBucket(
  bucket: Bucket | undefined,
  unit: 'requests' | 'tokens',
  told: number,
  configured: number | undefined,
  now: number,
): Bucket | undefined {
  const perMinute = Math.min(told, configured ?? Number.POSITIVE_INFINITY);
  if (bucket === undefined) return openBucket(unit, perMinute, now);
  bucket.setLimit(perMinute, now);
  return bucket;
}
