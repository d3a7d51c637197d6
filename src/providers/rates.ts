/** What may be sent to one model when: the limits that the file and the server state, and the pace that was learnt. */

import type { Limits } from '../core/graph.ts';
import type { RateReport } from '../core/protocol.ts';
import { type Bucket, createBucket } from './bucket.ts';
import { createRefusalWatch, type RefusalWatch } from './chance-refusals.ts';
import {
  openPace,
  type Pace,
  type PacedRequest,
  paceAt,
  pacedAt,
  refuse,
  rememberedPace,
  sendOne,
  waitForPace,
} from './pace.ts';
import { countOutcome, foundBy, isOpen, openTrial, sendOnTrial, type Trial, withoutOne } from './trial.ts';

/** Slowest rate that a limit can mean, requests a minute. */
const LEAST_LIMIT = 0.01;
/** The stretch over which sending is counted before the first refusal, milliseconds. */
const COUNTED = 5_000;

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
  /** The learnt rate at which it was sent, requests a minute; undefined where there was none. */
  readonly pace: number | undefined;
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
  learnt(now: number): number | null | undefined;
}

interface RatesState {
  requests: Bucket | undefined;
  tokens: Bucket | undefined;
  /** The limit that the server states, requests a minute. */
  told: number | undefined;
  pace: Pace | undefined;
  /** Set from the first refusal on. */
  trial: Trial | undefined;
  readonly refusals: RefusalWatch;
  /** Requests sent lately; they are what is known before the first refusal. */
  recent: { readonly since: number; readonly sent: number };
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
    pace: remembered === undefined ? undefined : rememberedPace(remembered, start),
    refusals: createRefusalWatch(),
    recent: { since: start, sent: 0 },
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
        pace === undefined || isOpen(state.trial) ? 0 : waitForPace(pace, now),
        0,
      );
    },
    send(tokens, now) {
      state.requests?.take(1, now);
      state.tokens?.take(tokens, now);
      const onTrial = isOpen(state.trial);
      if (onTrial) state.trial = sendOnTrial(state.trial!, now);
      else if (state.pace === undefined) state.recent = countSent(state.recent, now);
      else state.pace = sendOne(state.pace, now);
      state.total = { requests: state.total.requests + 1, tokens: state.total.tokens + tokens };
      const pace = state.pace && paceAt(state.pace, now);
      const number = state.pace?.sent ?? 0;
      return { at: now, number, tokens, takenFrom: state.tokens, total: state.total, pace, onTrial };
    },
    settle(request, outcome, now) {
      if (outcome.tokens !== undefined) request.takenFrom?.giveBack(request.tokens - outcome.tokens, now);
      if (outcome.report !== undefined) heed(state, limits, outcome.report, request, now);
      if (outcome.pauseMilliseconds !== undefined) {
        state.pausedUntil = Math.max(state.pausedUntil, now + outcome.pauseMilliseconds);
      }
      const refused = outcome.rateLimited || outcome.report?.overLimit === true;
      if (request.onTrial) settleTrial(state, outcome.rateLimited === undefined ? undefined : refused, now);
      else if (outcome.rateLimited !== undefined) {
        state.refusals.note(request.pace, refused, state.pace !== undefined && request.at >= state.pace.cutAt);
      }
      if (state.refusals.byChance) state.pace = undefined;
      else if (refused && !request.onTrial && (state.pace === undefined || !state.refusals.isExcused())) {
        const { since, sent } = state.recent;
        if (state.pace === undefined) state.trial ??= openTrial(request.at);
        state.pace =
          state.pace === undefined
            ? openPace(sent - 1, now - since, now)
            : refuse(state.pace, request, now, state.refusals.floor);
        if (state.pace.cutAt === now) state.refusals.cut();
      }
      if (outcome.rateLimited || outcome.pauseMilliseconds !== undefined) state.refusedSince ??= now;
      else if (outcome.rateLimited === false) state.refusedSince = undefined;
    },
    refusedFor: (now) => (state.refusedSince === undefined ? 0 : now - state.refusedSince),
    learnt(now) {
      const pace = state.pace && paceAt(state.pace, now);
      const settled = pace !== undefined && state.refusals.isSettled(pace) ? pace : undefined;
      const known = [state.told, settled].filter((rate) => rate !== undefined);
      if (known.length > 0) return Math.min(...known);
      return state.refusals.byChance ? null : undefined;
    },
  };
}

/** What requests that went on as before came to, once all are answered. */
function settleTrial(state: RatesState, refused: boolean | undefined, now: number): void {
  if (state.trial === undefined) return;
  state.trial = refused === undefined ? withoutOne(state.trial) : countOutcome(state.trial, refused);
  const found = foundBy(state.trial);
  if (found === undefined || state.pace === undefined) return;
  state.refusals.tried(found);
  state.pace = pacedAt(Math.max(found.answeredPerMinute, paceAt(state.pace, now)), now);
}

function openBucket(unit: 'requests' | 'tokens', perMinute: number | undefined, now: number): Bucket | undefined {
  if (perMinute === undefined) return undefined;
  return createBucket({ unit, perMinute: Math.max(perMinute, LEAST_LIMIT), now });
}

const countSent = ({ since, sent }: RatesState['recent'], now: number): RatesState['recent'] =>
  sent === 0 || now - since >= COUNTED ? { since: now, sent: 1 } : { since, sent: sent + 1 };

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
