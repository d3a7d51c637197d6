/**
 * The pace that a server turned out to allow, found by being refused.
 *
 * Whatever a server counts by (a bucket, the minute of the clock, the last 60 seconds), it never refuses as many requests
 * as it allows when they come evenly, and what it answered in a minute that ends with a refusal is what it allows. So the
 * pace is kept even, and a limit is measured where it is met. There are three states:
 *
 * - *free*: no limit was met; nothing is held back.
 * - *shut*: a request was refused. One at a time asks whether it is open again, at gaps that double, or when the server
 *   said. The first refusal says that the limit lies between what was answered and the pace it was sent at; each further
 *   one that it is no more than what was answered in the minute before, however fast that came.
 * - *paced*: from the request on that was not refused. The pace begins a little below the limit, grows to a little above
 *   it, and is kept there until a count by the minute must have refused; unrefused then it doubles, since the limit may
 *   have been raised. How little, the gain says: the surer the limit, the smaller it is, and the longer each step takes.
 *
 * Where a refusal cost time, because the server asks for long waits or bans, the next one is not risked before fifty times
 * as much has passed.
 */

import { createSentTally, SLOT } from './sent-tally.ts';

const MINUTE = 60_000;
/** The slowest pace that refusals lead to, requests a minute. */
export const SLOWEST_PACE = 2;

/** The gain of a measure over one of these, requests or milliseconds; of ten times as many it is a tenth. */
const UNSURE_REQUESTS = 3;
const UNSURE_TIME = 2_000;
const SUREST = 0.04;
/** With a larger gain next to nothing is known. */
const UNSURE = 0.5;
const REMEMBERED = 0.1;

/** The pace is from a quarter of its gain below the limit to nearly as much above it. */
const BELOW = 1 / 4;
const GROWTH = 1.2;
/**
 * Requests at the lowest pace, milliseconds of growing, and until it doubles; for a gain of 1, and as many times more for a
 * smaller one.
 */
const LOW_REQUESTS = 3;
const GROWING = 800;
const UNMET = 3_000;
/** How long it takes to double then, milliseconds, and at most. */
const DOUBLING = 1_500;
const LONGEST_DOUBLING = 15_000;

/** A refusal before so much of the growth was not expected, so the limit is lower than it was taken for. */
const EARLY = 0.25;
/** By how much of the gain one refusal cuts the pace, at least and at most. */
const LEAST_CUT = 1 / 3;
const LARGEST_CUT = 3 / 4;
/** A pace that was kept for a minute does not fall by more while the server is shut. */
const LARGEST_FALL = 4;

/** The shortest stretch that a pace is measured in, milliseconds: what is sent at once arrives in any order. */
const SHORTEST = 1_000;
/** What was saved up before is used up after so many milliseconds, and a minute's answers are what a limit allows. */
const PROVING = 2 * MINUTE;
/** Without a request for so long, milliseconds, nothing was being sent. */
const IDLE = 30_000;

/** The longest gap between questions whether a server is open again, milliseconds: at first, and once its pace is known. */
const LONGEST_GAP = 1_500;
const LONGEST_KNOWN_GAP = 5_000;
/** So many requests long is the first gap where the server counts by the minute, which is at its end then. */
const MINUTE_GAPS = 2;
/** No count by the minute shuts for so long, milliseconds; who does may be counting the questions. */
const LONGEST_MINUTE = 75_000;
/** Who shuts for so long, milliseconds, and for so many requests, counts by the minute. */
const LONG_SHUT = 3_000;
const LONG_SHUT_REQUESTS = 5;
/** Who answers so many times as much in a minute as it once did before it shut does not count by the minute. */
const REFUTED = 1.5;
/** A refusal comes within so many times as long as the slowest lately, and is not waited for longer than this, milliseconds. */
const PATIENCE = 1.5;
const LONGEST_PATIENCE = 2_000;

/** The part of its time that a refusal may cost; less than so many milliseconds are lost to any. */
const COST = 0.02;
const LEAST_LOSS = 500;
/** How long the pace is kept low after a trial, milliseconds. */
const LOW_AFTER_TRIAL = 6_000;
/** Milliseconds of sending that may be made up for when a timer comes late. */
const LATENESS = 100;
/** Rounding that must not make anyone wait. */
const EPSILON = 1e-9;

/** A request as the pace knows it. */
export interface PacedRequest {
  readonly at: number;
  /** Requests a minute at which it was sent; undefined where none was kept. */
  readonly pace: number | undefined;
}

export interface Pace {
  /** Whether the last thing that came was a refusal, and it is asked whether the server is open again. */
  readonly isShut: boolean;
  /** Whether the limit was measured for as long as it takes to be sure of it. */
  readonly isSure: boolean;
  /** Requests a minute that the server turned out to allow; undefined where no limit was met. */
  readonly limit: number | undefined;
  /** The limit, or what was answered in the last minute where that is more and nothing was refused in it. */
  readonly allowed: number | undefined;
  /**
   * Requests that were answered in each of two minutes that ended with a refusal while a sure limit was kept to; undefined
   * before.
   */
  readonly proven: number | undefined;
  /** Milliseconds until one request may be sent; 0 for now. */
  wait(now: number): number;
  send(now: number): PacedRequest;
  /** Sends one that nothing holds back. */
  sendAsBefore(now: number): PacedRequest;
  /** Whether it was sent since the pace was last cut, so that its refusal says something new. */
  isNew(request: PacedRequest): boolean;
  answered(request: PacedRequest, now: number): void;
  /** It was refused, which may be no reason to slow down. */
  refused(request: PacedRequest, now: number): void;
  /** Slows down for the refusal of this request. @param asked milliseconds for which the server asked to be left alone */
  cut(request: PacedRequest, now: number, asked?: number): void;
  /** So many were answered a minute just now, in spite of refusals. */
  tried(perMinute: number, now: number): void;
  /** Nothing is held back any more. */
  free(): void;
}

/** A server that refuses. */
interface Shut {
  /** When the first request that it refused was sent, at which pace, and how far that had grown. */
  readonly since: number;
  readonly pace: number;
  readonly grown: number;
  /** The pace before, where that was kept for a minute; else 0. */
  readonly before: number;
  /** How often it refused. */
  refusals: number;
  /** When it may be asked again. */
  askAt: number;
  /** When it was asked and has not refused so far. */
  asked: number | undefined;
}

/** @param remembered requests a minute that an earlier build learnt */
export function createPace(remembered: number | undefined, start: number): Pace {
  const tally = createSentTally();
  let limit = remembered;
  let gain = remembered === undefined ? 1 : REMEMBERED;
  let shut: Shut | undefined;
  /** Whether it was shut for so long that it counts by the minute. */
  let isByMinute = false;
  /** The fewest that it had answered in the minute before it shut for so long. */
  let fewest = Number.POSITIVE_INFINITY;
  /** What was answered on the whole when a limit was met far above where it was expected. */
  let fallback: { readonly answered: number; readonly perMinute: number } | undefined;
  let cutAt = Number.NEGATIVE_INFINITY;
  /** Since when a limit is kept to. */
  let kept = remembered === undefined ? undefined : start;
  let proven = Number.NaN;
  /** What was answered in the minute before it last refused, while a sure limit was kept to. */
  let counted = Number.NaN;

  /** Since when it sends without a break. */
  let started = start;
  let lastSent = Number.NEGATIVE_INFINITY;
  /** How long refusals take to come. */
  let refusalTime = 0;

  /** Since when it is open, and what was sent since and not refused. */
  let since = start;
  let accepted = 0;
  /** Refused since then, and no reason to slow down so far. */
  let refusedSince = 0;
  /** Whether the pace is not to grow for long, as the last refusal cost much. */
  let isHeld = false;
  /** Since when the pace grows, what was sent before that at the lowest pace, and what since. */
  let grows = start;
  let low = 0;
  let sent = 0;
  /** Requests that may be sent now. */
  let level = remembered === undefined ? 0 : 1;
  let updated = start;

  /** What was sent in the minute before, and not refused. */
  const minuteBefore = (moment: number): number => tally.count(moment - MINUTE + SLOT, moment);
  const lowest = (): number => Math.max(limit! * (1 - BELOW * gain), SLOWEST_PACE);
  const isFarAbove = (pace: number): boolean => pace > limit! * (1 + 2 * gain);
  /** How far it has grown towards the next refusal: 1 where that is expected. */
  const grownAt = (now: number): number => Math.max(0, Math.min(1, sent * gain, ((now - grows) * gain) / GROWING));
  const paceAt = (now: number): number => {
    const doublings = Math.max(0, now - grows - UNMET / gain) / Math.min(DOUBLING / gain, LONGEST_DOUBLING);
    return lowest() * (1 + GROWTH * gain * grownAt(now)) * Math.min(2 ** doublings, 1 + gain * sent);
  };
  const levelAt = (now: number): number => {
    const rate = paceAt(now) / MINUTE;
    return Math.min(Math.max(1, LATENESS * rate), level + Math.max(0, now - updated) * rate);
  };
  const patience = (): number => Math.max(Math.min(PATIENCE * refusalTime, LONGEST_PATIENCE), MINUTE / lowest());

  /** The limit is what was answered in the minute before, or since it began to send, where that is less. */
  const measureMinute = (to: number, before: number): void => {
    const isWhole = to - started > MINUTE + SHORTEST;
    const span = isWhole ? MINUTE : Math.max(to - started, SHORTEST);
    const count = Math.max(tally.count(isWhole ? to - MINUTE + SLOT : started, to), 1);
    const perMinute = (count * MINUTE) / span;
    const least = Math.max(before / LARGEST_FALL, SLOWEST_PACE);
    const measured = perMinute < least ? 1 : Math.min(1, Math.max(SUREST, UNSURE_REQUESTS / count, UNSURE_TIME / span));
    gain = limit !== undefined && limit < perMinute ? Math.max(gain, measured) : measured;
    limit = Math.max(Math.min(perMinute, limit ?? perMinute), least);
  };

  /** The limit lies between what was answered since the server is open and the pace at which it refused. */
  const measureMeeting = ({ since: at, pace, grown }: Shut): void => {
    const isEarly = grown < EARLY;
    if (isEarly && fallback !== undefined) {
      limit = Math.max(Math.min(fallback.perMinute, pace * (1 - LEAST_CUT * gain)), SLOWEST_PACE);
      gain = Math.min(1, Math.max(2 * SUREST, UNSURE_REQUESTS / fallback.answered));
      fallback = undefined;
      return;
    }
    const answered = (accepted * MINUTE) / Math.max(at - since, SHORTEST);
    if (refusedSince > 3 + accepted / 4) {
      // So many were refused that the pace says nothing of the limit.
      limit = Math.max(Math.min(limit!, answered), SLOWEST_PACE);
      gain = Math.min(1, 2 * gain);
      return;
    }
    if (isFarAbove(pace)) {
      // Far above: what had been saved up is used up, or the limit was raised.
      fallback = { answered: accepted, perMinute: answered };
      limit = (answered + pace) / 2;
      gain = Math.min(1, Math.max(SUREST, (pace - answered) / pace / 2));
      return;
    }
    fallback = undefined;
    if (isEarly) gain = Math.min(1, 2 * gain);
    const least = pace * (1 - LARGEST_CUT * gain);
    // Of what was sent too slowly for long, and of a few requests, the answers do not say how many more there would have been.
    const measured = isHeld || gain > UNSURE ? (answered + 3 * pace) / 4 : answered;
    limit = Math.min(Math.max(measured, least), pace * (1 - LEAST_CUT * gain));
    if (!isEarly) gain = Math.max(SUREST, gain / 3);
  };

  /** @param opened when the request was sent that was not refused; the next one is due a while after now */
  const openAt = (opened: number, now: number): void => {
    [since, accepted, refusedSince, isHeld] = [opened, 1, 0, false];
    [grows, low, sent, level, updated] = [opened, 0, 0, 0, now];
    shut = undefined;
  };
  /** What was asked was not refused. */
  const open = ({ since: closed, before, refusals }: Shut, opened: number, now: number): void => {
    const time = opened - closed;
    if (time > Math.max(LONG_SHUT, (LONG_SHUT_REQUESTS * MINUTE) / limit!)) {
      const count = minuteBefore(closed);
      isByMinute = count <= REFUTED * fewest;
      fewest = Math.min(fewest, count);
      // It said when to come back, so that nothing was measured meanwhile.
      if (isByMinute && refusals === 1) measureMinute(opened - started <= MINUTE + SHORTEST ? opened : closed, before);
    }
    const lost = Math.min(time, (1 - COST) * (opened - since) - (accepted * MINUTE) / limit!);
    openAt(opened, now);
    isHeld = before > 0 && lost > LEAST_LOSS;
    if (isHeld) grows += lost / Math.max(COST, gain / 2);
  };

  return {
    get isShut() {
      return shut !== undefined;
    },
    get isSure() {
      return limit !== undefined && gain === SUREST;
    },
    get limit() {
      return limit;
    },
    get allowed() {
      if (limit === undefined || shut !== undefined || lastSent - since < MINUTE) return limit;
      return Math.max(limit, minuteBefore(lastSent));
    },
    get proven() {
      return Number.isNaN(proven) ? undefined : proven;
    },
    wait(now) {
      if (limit === undefined) return 0;
      if (shut !== undefined) {
        if (shut.asked === undefined) return Math.max(0, Math.ceil(shut.askAt - now));
        const wait = shut.asked + patience() - now;
        if (wait > 0) return Math.ceil(wait);
        open(shut, shut.asked, now);
      }
      const missing = 1 - levelAt(now);
      return missing <= EPSILON ? 0 : Math.ceil((missing * MINUTE) / paceAt(now));
    },
    send(now) {
      if (now - lastSent > IDLE && shut === undefined) [started, since, accepted] = [now, now, 0];
      lastSent = now;
      tally.add(now);
      if (shut !== undefined) {
        shut.asked = now;
        return { at: now, pace: lowest() };
      }
      accepted++;
      if (limit === undefined) return { at: now, pace: undefined };
      const pace = paceAt(now);
      level = levelAt(now) - 1;
      updated = now;
      if (now < grows) return { at: now, pace };
      if (low < LOW_REQUESTS / gain - LOW_REQUESTS) {
        low++;
        grows = now;
      } else sent++;
      return { at: now, pace };
    },
    sendAsBefore(now) {
      lastSent = now;
      tally.add(now);
      accepted++;
      return { at: now, pace: undefined };
    },
    isNew: ({ at, pace }) => at >= cutAt && (pace !== undefined || limit === undefined),
    answered(request, now) {
      if (shut?.asked !== undefined && request.at >= cutAt) open(shut, shut.asked, now);
    },
    refused(request, now) {
      tally.remove(request.at);
      if (request.at >= since) {
        accepted--;
        refusedSince++;
      }
      refusalTime = Math.max(refusalTime * 0.9, now - request.at);
    },
    cut({ at, pace = 0 }, now, asked = 0) {
      const before = at - started >= MINUTE ? (limit ?? minuteBefore(at)) : 0;
      shut ??= { since: at, pace, grown: grownAt(at), before, refusals: 0, askAt: now, asked: undefined };
      shut.refusals++;
      shut.asked = undefined;
      kept ??= at;
      const isExpected = shut.refusals === 1 && limit !== undefined && gain === SUREST && !isFarAbove(pace);
      if (isExpected && at - kept >= PROVING) {
        const count = minuteBefore(at);
        proven = Math.min(count, counted);
        counted = count;
      }
      const isMeeting = shut.refusals === 1 && limit !== undefined;
      if (isMeeting) measureMeeting(shut);
      else measureMinute(at, shut.before);
      const isKnown = shut.before > 0;
      const gap = ((isByMinute ? MINUTE_GAPS : 1) * 2 ** (shut.refusals - 1) * MINUTE) / lowest();
      const longest = isKnown ? LONGEST_KNOWN_GAP : LONGEST_GAP;
      const own = now - shut.since > LONGEST_MINUTE ? MINUTE : Math.min(gap, longest);
      // A time that it names is believed once.
      shut.askAt = now + (asked > 0 && shut.refusals === 1 ? asked : Math.max(asked, own));
      cutAt = now;
    },
    tried(perMinute, now) {
      limit = perMinute;
      gain = 1;
      openAt(now, now);
      grows = now + LOW_AFTER_TRIAL;
    },
    free() {
      [limit, shut, kept, proven, counted] = [undefined, undefined, undefined, Number.NaN, Number.NaN];
    },
  };
}
