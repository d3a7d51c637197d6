/**
 * The rate that a server turned out to allow, found by being refused: pure transitions of one small state.
 *
 * A refusal says that the server's allowance is used up. Between two refusals it answered what it allows, so the count
 * of answers between them measures the limit, and the rate is cut to about that. It grows again until the next refusal:
 * fast while little is known, and so slowly once the limit has been met a few times that one request in a hundred, at
 * most, is refused. A limit that is left unmet for long is searched for faster and faster, since it may have been raised.
 */

const MINUTE = 60_000;
/** The slowest rate that refusals lead to, requests a minute. */
export const SLOWEST_PACE = 2;
/** How much the rate grows before the next refusal is expected: while searching, and once the limit is known. */
const SEARCHING = 1;
const KNOWN = 0.04;
const REMEMBERED = 0.1;
/** Accepted requests, and milliseconds, over which a gain of 1 is grown by. Smaller gains take longer in proportion. */
const GROWTH_REQUESTS = 4;
const GROWTH_TIME = 2_400;
/** Rounding that must not make anyone wait. */
const EPSILON = 1e-9;
/** Milliseconds of sending that may be made up for when a timer comes late. */
const LATENESS = 100;

export interface Pace {
  /** Requests a minute right after the last cut. */
  readonly base: number;
  readonly gain: number;
  readonly cutAt: number;
  /** Requests sent since the last cut; the first of them that is refused makes the next. */
  readonly sent: number;
  /** What was sent before the first cut and not refused so far; absent once the limit has been met again. */
  readonly opening?: { readonly accepted: number; readonly milliseconds: number };
  /** Requests that may be sent now. */
  readonly level: number;
  readonly updatedAt: number;
}

/** A request as the pace knows it: when it was sent, and as which one since the cut. */
export interface PacedRequest {
  readonly at: number;
  readonly number: number;
}

/** The pace after the first refusal. */
export function openPace(accepted: number, milliseconds: number, now: number): Pace {
  const opening = { accepted, milliseconds: Math.max(milliseconds, 1_000) };
  return { ...cut(openingRate(opening), SEARCHING, now), opening };
}

/** The pace at a rate that was measured just now. */
export const pacedAt = (measured: number, now: number): Pace => cut(measured, SEARCHING, now);

/** The pace that an earlier build learnt. */
export function rememberedPace(learnt: number, now: number): Pace {
  return { ...cut(learnt * (1 - KNOWN), REMEMBERED, now), level: 1 };
}

/** Requests a minute at this moment. */
export function paceAt(pace: Pace, now: number): number {
  const { gain } = pace;
  const grown = progressAt(pace, now);
  const beyond = Math.max(0, grown - 1);
  return pace.base * (1 + gain * Math.min(grown, 1)) * Math.exp(Math.min(gain * beyond * (1 + beyond / 2), 20));
}

/** Milliseconds until one request may be sent; 0 for now. */
export function waitForPace(pace: Pace, now: number): number {
  const missing = 1 - levelAt(pace, now);
  return missing <= EPSILON ? 0 : Math.ceil((missing * MINUTE) / paceAt(pace, now));
}

export function sendOne(pace: Pace, now: number): Pace {
  return { ...pace, level: levelAt(pace, now) - 1, updatedAt: now, sent: pace.sent + 1 };
}

/** The pace after a refusal of a request. Requests that were on their way at the last cut say little more about it. */
export function refuse(pace: Pace, request: PacedRequest, now: number, floor = 0): Pace {
  if (request.at < pace.cutAt) {
    if (pace.opening === undefined) return pace;
    const opening = { ...pace.opening, accepted: pace.opening.accepted - 1 };
    return { ...pace, opening, base: openingRate(opening) };
  }
  const { gain } = pace;
  const accepted = Math.max(request.number - 1, 0);
  const measured = perMinute(accepted, Math.max(request.at - pace.cutAt, 1));
  const before = paceAt(pace, request.at);
  const base = Math.min(Math.max(measured, before * (1 - 0.75 * gain)), before * (1 - gain / 3));
  // Refused long before it was expected: the limit is not what it was taken for, so the search is wider again.
  const early = accepted === 0 || progressAt(pace, request.at) < 0.25;
  return cut(Math.max(base, floor), early ? Math.min(SEARCHING, gain * 2) : Math.max(KNOWN, gain / 3), now);
}

const cut = (base: number, gain: number, now: number): Pace => ({
  base: Math.max(base, SLOWEST_PACE),
  gain,
  cutAt: now,
  sent: 0,
  level: 0,
  updatedAt: now,
});

/** A server that has accepted nothing so far is taken to allow one request in the time. */
const openingRate = ({ accepted, milliseconds }: NonNullable<Pace['opening']>): number =>
  Math.max(perMinute(Math.max(accepted, 1), milliseconds), SLOWEST_PACE);

const perMinute = (requests: number, milliseconds: number): number => (requests * MINUTE) / milliseconds;

/** How far the rate has grown towards the next refusal: 1 where it is expected. An idle provider proves nothing. */
function progressAt({ gain, sent, cutAt }: Pace, now: number): number {
  return Math.max(0, Math.min((sent * gain) / GROWTH_REQUESTS, ((now - cutAt) * gain) / GROWTH_TIME));
}

function levelAt(pace: Pace, now: number): number {
  const rate = paceAt(pace, now) / MINUTE;
  return Math.min(Math.max(1, LATENESS * rate), pace.level + Math.max(0, now - pace.updatedAt) * rate);
}
