/**
 * Whether refusals come by chance, and not because too much is asked. A limit allows so many answers a minute, whatever
 * is asked: at eight times the rate, an eighth of the requests is answered. A server whose own supplier is short of room
 * refuses the same share at any rate. To slow down for it would only make a build ever slower, so it is asked as before,
 * and each refused request waits by itself. Where a limit shows behind the chance, only what is refused beyond the share
 * of chance counts against the rate.
 */

import type { TrialFindings } from './trial.ts';

interface Comparison {
  /** How many times faster requests have to be, in doublings. */
  readonly doublings: number;
  /** The fewest requests on the slow side, and the fewest of each answer: a server that refuses all is down. */
  readonly requests: number;
  readonly answers: number;
}
/** What was answered at the fast rate may come of an allowance that was saved up. */
const COMPARED: Comparison = { doublings: 3, requests: 16, answers: 3 };
/** After a trial it cannot. */
const AFTER_TRIAL: Comparison = { doublings: 2, requests: 12, answers: 2 };
/** So much more than a limit allows has to be answered at the fast rate. */
const TOO_MUCH = 2;
/** Below this share refusals hardly slow anything down. */
const SMALLEST_SHARE = 0.03;
/** Above this share nearly all is refused, which a limit does as well whose minute is used up. */
const LARGEST_SHARE = 0.9;
/** Up to this share a rate that was learnt is settled. */
const SETTLED_SHARE = 0.1;
/** So many fast requests show what the limit was, so that far more refusals later mean that it was lowered. */
const KNOWN = 32;
/** Requests after which the share is looked at again while nothing is slowed down. */
const WATCHED = 64;
/** Refusals of one rate that chance explains: so many, and so many times its share. */
const EXCUSED = 2;
const EXCUSED_SHARE = 1.5;
/** Right after a cut a limit refuses nothing: the first requests show what chance does, and so many are remembered. */
const FIRST = 8;
const REMEMBERED = 64;

/** A limit is not so many times lower than what was answered right after a refusal; so many requests show whether it is. */
const FLOOR = 16;
const HELD = 64;

interface Tally {
  answered: number;
  refused: number;
}

export interface RefusalWatch {
  /** True while refusals are no reason to send less. */
  readonly byChance: boolean;
  /**
   * Notes what became of a request.
   * @param pace requests a minute when it was sent; undefined where none was kept
   * @param sinceCut whether it was sent after the rate was last cut
   */
  note(pace: number | undefined, refused: boolean, sinceCut: boolean): void;
  /** Notes what became of requests that went on as before after the first refusal. */
  tried(found: TrialFindings): void;
  /** Requests a minute below which nothing is to be learnt now: what a limit allows is far above it, as far as is known. */
  readonly floor: number;
  /** Whether chance explains what was refused since the rate was last cut. */
  isExcused(): boolean;
  /** The rate was cut. */
  cut(): void;
  /** Whether hardly any request is refused at about this rate, so that it is worth remembering. */
  isSettled(pace: number): boolean;
}

export function createRefusalWatch(): RefusalWatch {
  /** By the doublings of the rate at which requests were sent. */
  const tallies = new Map<number, Tally>();
  /** The share that is refused by chance, and what came since it was last looked at. */
  let chance: { readonly share: number; readonly since: Tally } | undefined;
  /** What chance does beside a limit, as first requests after cuts show it, and what came since the rate was last cut. */
  let beside: { readonly most: number; readonly first: Tally; since: Tally } | undefined;

  let floor = 0;
  let comparison = COMPARED;

  const keepTo = (share: number) => {
    chance = { share, since: { answered: 0, refused: 0 } };
  };
  const compare = (slowest: number): void => {
    const { doublings: apart, requests, answers } = comparison;
    const slow = pooled(tallies, (doublings) => doublings <= slowest + 1);
    const fast = pooled(tallies, (doublings) => doublings > slowest + apart);
    if (requestsOf(slow) < requests || slow.refused < answers || slow.answered < answers) return;
    if (fast.answered < answers || shareOf(slow) < SMALLEST_SHARE || shareOf(slow) > LARGEST_SHARE) return;
    const allowed = (1 - shareOf(slow)) / 2 ** apart;
    if (1 - shareOf(fast) < TOO_MUCH * allowed) return;
    if (requestsOf(fast) >= KNOWN && isFarMore(slow, shareOf(fast))) return;
    keepTo(shareOf(slow));
    tallies.clear();
  };
  const watch = ({ share, since }: NonNullable<typeof chance>): void => {
    if (requestsOf(since) < WATCHED) return;
    if (isFarMore(since, share)) {
      chance = undefined;
      beside = { most: share, first: scaled(share), since: { answered: 0, refused: 0 } };
    } else keepTo(share);
  };

  return {
    get byChance() {
      return chance !== undefined;
    },
    note(pace, refused, sinceCut) {
      if (chance !== undefined) {
        count(chance.since, refused);
        watch(chance);
      } else if (pace !== undefined) {
        const doublings = doublingsOf(pace);
        const tally = tallies.get(doublings) ?? { answered: 0, refused: 0 };
        tallies.set(doublings, tally);
        count(tally, refused);
        if (beside !== undefined && sinceCut) {
          if (requestsOf(beside.since) < FIRST) count(beside.first, refused);
          count(beside.since, refused);
        }
        if (refused) compare(doublings);
      }
    },
    tried({ answered, refused, perMinute, answeredPerMinute }) {
      if (chance !== undefined) return;
      tallies.set(doublingsOf(perMinute), { answered, refused });
      floor = answeredPerMinute / FLOOR;
      comparison = AFTER_TRIAL;
    },
    get floor() {
      if (floor > 0 && requestsOf(pooled(tallies, (doublings) => doublings <= doublingsOf(floor) + 1)) >= HELD)
        floor = 0;
      return floor;
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
    isSettled(pace) {
      const near = pooled(tallies, (doublings) => Math.abs(doublings - doublingsOf(pace)) <= 1);
      return requestsOf(near) > 0 && shareOf(near) <= SETTLED_SHARE;
    },
  };
}

const doublingsOf = (pace: number): number => Math.floor(Math.log2(pace));

function count(tally: Tally, refused: boolean): void {
  if (refused) tally.refused++;
  else tally.answered++;
}

/** A share as so many requests that weigh little against new ones. */
const scaled = (share: number): Tally => ({
  answered: ((1 - share) * REMEMBERED) / 2,
  refused: (share * REMEMBERED) / 2,
});

function pooled(tallies: ReadonlyMap<number, Tally>, isAsked: (doublings: number) => boolean): Tally {
  const sum: Tally = { answered: 0, refused: 0 };
  for (const [doublings, { answered, refused }] of tallies) {
    if (!isAsked(doublings)) continue;
    sum.answered += answered;
    sum.refused += refused;
  }
  return sum;
}

const requestsOf = ({ answered, refused }: Tally): number => answered + refused;
const shareOf = (tally: Tally): number => tally.refused / requestsOf(tally);
/** Refused more often than chance explains, where a share was refused before. */
const isFarMore = (tally: Tally, share: number): boolean =>
  shareOf(tally) > 2 * share + 0.1 || 1 - shareOf(tally) < (1 - share) / 2;
