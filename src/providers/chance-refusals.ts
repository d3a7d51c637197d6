/**
 * Whether refusals come by chance, and not because too much is asked. A server whose own supplier is short of room refuses
 * the same share at any rate. To slow down for it would only make a build ever slower, so it is asked as before, and each
 * refused request waits by itself.
 *
 * A trial tells the two apart: what was answered right after a refusal, at full speed, is all that a limit allows. At half
 * of that no limit refuses one, answers another and refuses again, and chance does. Where a limit shows behind the chance,
 * only what is refused beyond the share of chance counts against the rate.
 */

import type { TrialFindings } from './trial.ts';

/** Of what was answered in a trial, the part at which a limit refuses nothing; a little more, as rates are not exact. */
const SURELY_ALLOWED = 0.55;
/** Above this share nearly all is refused, which a limit does as well whose minute is used up. */
const LARGEST_SHARE = 0.85;
/** Where a limit falls to so small a part of what it was, it may be none. */
const DOUBTFUL = 1 / 4;
/**
 * Where at most this share is refused at full speed, no limit was met; else it takes so many requests at a low pace, and
 * so much of that share, to say that it is chance.
 */
const FEW = 0.5;
const ENOUGH = 4;
const NEARLY = 0.6;
/** Up to this share a rate that was learnt is settled. */
const SETTLED_SHARE = 0.1;
/** Requests after which the share is looked at again while nothing is slowed down. */
const WATCHED = 64;
/** Refusals of one rate that chance explains: so many, and so many times its share. */
const EXCUSED = 2;
const EXCUSED_SHARE = 1.5;
/** Right after a cut a limit refuses nothing: the first requests show what chance does, and so many are remembered. */
const FIRST = 8;
const REMEMBERED = 64;

interface Tally {
  answered: number;
  refused: number;
}

/** A request whose outcome is noted. */
interface Noted {
  readonly at: number;
  /** Requests a minute when it was sent; undefined where none was kept. */
  readonly pace: number | undefined;
}

export interface RefusalWatch {
  /** True while refusals are no reason to send less. */
  readonly byChance: boolean;
  /** Notes what became of a request. @param sinceCut whether it was sent after the rate was last cut */
  note(request: Noted, refused: boolean, sinceCut: boolean): void;
  /** Whether requests should go on as before once more, to find out. @param limit requests a minute as learnt so far */
  isInDoubt(limit: number | undefined): boolean;
  /** Requests go on as before. */
  trying(): void;
  /** Notes what became of them. */
  tried(found: TrialFindings): void;
  /** A limit was measured for as long as it takes to be sure. */
  confirm(limit: number): void;
  /** Whether chance explains what was refused since the rate was last cut. */
  isExcused(): boolean;
  /** The rate was cut. */
  cut(): void;
  /** Whether hardly any request was refused lately, so that the rate is worth remembering. */
  readonly isSettled: boolean;
}

/** @param remembered requests a minute that an earlier build learnt */
export function createRefusalWatch(remembered?: number): RefusalWatch {
  /** The share that is refused by chance, and what came since it was last looked at. */
  let chance: { readonly share: number; readonly since: Tally } | undefined;
  /** What chance does beside a limit, as first requests after cuts show it, and what came since the rate was last cut. */
  let beside: { readonly most: number; readonly first: Tally; since: Tally } | undefined;
  /** What is known of the limit, if it is one. */
  let known = remembered;
  /** What a trial came to, and when requests were refused and answered at a pace that a limit surely allows. */
  let trial:
    | { readonly found: TrialFindings; readonly slow: Tally; refusedAt?: number; answeredAt?: number }
    | undefined;
  let lately: Tally = { answered: 0, refused: 0 };

  const keepTo = (share: number) => {
    chance = { share, since: { answered: 0, refused: 0 } };
  };
  const compare = (at: number, refused: boolean): void => {
    if (trial === undefined) return;
    count(trial.slow, refused);
    if (!refused) {
      if (trial.refusedAt !== undefined && at > trial.refusedAt) trial.answeredAt ??= at;
    } else if (trial.answeredAt !== undefined && at > trial.answeredAt) {
      if (!isAsOften(trial.slow, trial.found)) return;
      const share = Math.max(shareOf(trial.found), shareOf(lately));
      if (share <= LARGEST_SHARE) keepTo(share);
      trial = undefined;
    } else trial.refusedAt ??= at;
  };
  const watch = ({ share, since }: NonNullable<typeof chance>): void => {
    if (requestsOf(since) < WATCHED) return;
    if (isFarMore(since, share)) {
      chance = undefined;
      beside = { most: share, first: scaled(share, FIRST), since: { answered: 0, refused: 0 } };
    } else keepTo(share);
  };

  return {
    get byChance() {
      return chance !== undefined;
    },
    note({ at, pace }, refused, sinceCut) {
      count(lately, refused);
      if (requestsOf(lately) > REMEMBERED) lately = scaled(shareOf(lately));
      if (chance !== undefined) {
        count(chance.since, refused);
        watch(chance);
      } else if (pace !== undefined) {
        if (!refused) known ??= pace;
        if (beside !== undefined && sinceCut) {
          if (requestsOf(beside.since) < FIRST) count(beside.first, refused);
          count(beside.since, refused);
          if (requestsOf(beside.since) > REMEMBERED) beside.since = scaled(shareOf(beside.since));
        }
        if (trial !== undefined && pace <= SURELY_ALLOWED * trial.found.answeredPerMinute) compare(at, refused);
      }
    },
    isInDoubt: (limit) => limit === undefined || (known !== undefined && limit < DOUBTFUL * known),
    trying() {
      known = undefined;
      trial = undefined;
    },
    tried(found) {
      if (chance !== undefined) return;
      trial = { found, slow: { answered: 0, refused: 0 } };
      known = found.answeredPerMinute;
    },
    confirm(limit) {
      known = limit;
      trial = undefined;
    },
    isExcused() {
      if (beside === undefined) return false;
      const { most, first, since } = beside;
      // Far above a limit the first are refused as well.
      const share = Math.min(most, shareOf(first));
      // Chance answers some, whatever its share.
      return since.refused <= EXCUSED + Math.min(EXCUSED_SHARE * share, (1 + share) / 2) * requestsOf(since);
    },
    cut() {
      if (beside === undefined) return;
      const { most, first } = beside;
      const kept = requestsOf(first) > REMEMBERED ? scaled(shareOf(first)) : first;
      beside = { most, first: kept, since: { answered: 0, refused: 0 } };
    },
    get isSettled() {
      return requestsOf(lately) > 0 && shareOf(lately) <= SETTLED_SHARE;
    },
  };
}

function count(tally: Tally, refused: boolean): void {
  if (refused) tally.refused++;
  else tally.answered++;
}

/** A share as so many requests that weigh little against new ones. */
const scaled = (share: number, requests = REMEMBERED / 2): Tally => ({
  answered: (1 - share) * requests,
  refused: share * requests,
});

const requestsOf = ({ answered, refused }: Tally): number => answered + refused;
const shareOf = (tally: Tally): number => tally.refused / requestsOf(tally);
/**
 * Refused nearly as often at a low pace as at full speed. Where most was refused at full speed a limit may have been met,
 * so it takes more than a few to say so: another build at the same limit, or a limit that falls, refuses some as well.
 */
const isAsOften = (slow: Tally, full: Tally): boolean =>
  shareOf(full) <= FEW || (requestsOf(slow) >= ENOUGH && shareOf(slow) >= NEARLY * shareOf(full));
/** Refused more often than chance explains, where a share was refused before. */
const isFarMore = (tally: Tally, share: number): boolean =>
  shareOf(tally) > 2 * share + 0.1 || 1 - shareOf(tally) < (1 - share) / 2;
