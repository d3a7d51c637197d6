/**
 * What servers do that allow only so much, in virtual time: how each of them counts, and what it says of it. Nothing here
 * is shared with the source, and times are milliseconds since the first request.
 */

const MINUTE = 60_000;

/** What one request came to. */
export interface Verdict {
  readonly answered: boolean;
  /** Milliseconds until its count has room again, as the server itself knows it; 0 where that is now. */
  readonly freeIn: number;
  /** Requests that it would answer now. */
  readonly left: number;
  /** Milliseconds that the request waits for its turn, where the server queues. */
  readonly delay?: number;
}

export interface LimitedServer {
  ask(now: number, tokens: number): Verdict;
}

const yes = (left: number): Verdict => ({ answered: true, freeIn: 0, left });
const no = (freeIn: number): Verdict => ({ answered: false, freeIn, left: 0 });

/** A bucket that is refilled evenly. @param capacity what it holds: a second's allowance by default */
export function bucket(perMinute: number, capacity = Math.max(1, perMinute / 60)): LimitedServer {
  return tokenBucket(perMinute, capacity, () => 1);
}

/** A bucket of tokens, of which each request takes as many as it uses. */
export const tokensBucket = (perMinute: number, capacity = perMinute / 10): LimitedServer =>
  tokenBucket(perMinute, capacity, (tokens) => tokens);

function tokenBucket(perMinute: number, capacity: number, costOf: (tokens: number) => number): LimitedServer {
  let stock = capacity;
  let filledAt = 0;
  return {
    ask(now, tokens) {
      stock = Math.min(capacity, stock + ((now - filledAt) * perMinute) / MINUTE);
      filledAt = now;
      const cost = costOf(tokens);
      if (stock + 1e-9 < cost) return no(((cost - stock) * MINUTE) / perMinute);
      stock -= cost;
      return yes(Math.floor(stock / cost));
    },
  };
}

/** As nginx does it: requests leave evenly, and so many wait in a queue; what finds it full is refused. */
export function leakyQueue(perMinute: number, depth = 10): LimitedServer {
  const gap = MINUTE / perMinute;
  let next = 0;
  return {
    ask(now) {
      const leaves = Math.max(now, next);
      const room = depth - (leaves - now) / gap;
      if (room < 1e-9) return no(gap);
      next = leaves + gap;
      return { ...yes(Math.floor(room)), delay: leaves - now };
    },
  };
}

/** So many in each stretch of the clock. @param phase how far into one the first request comes */
export function fixedWindow(limit: number, length = MINUTE, phase = 0): LimitedServer {
  let window = -1;
  let used = 0;
  return {
    ask(now) {
      const current = Math.floor((now + phase) / length);
      if (current !== window) [window, used] = [current, 0];
      if (used >= limit) return no((current + 1) * length - now - phase);
      return yes(limit - ++used);
    },
  };
}

/** So many in the minute that ends now. @param counting whether refused requests count like the others */
export function slidingLog(limit: number, counting: 'answered' | 'all' = 'answered'): LimitedServer {
  const log: number[] = [];
  let first = 0;
  return {
    ask(now) {
      while (first < log.length && log[first]! <= now - MINUTE) first++;
      const used = log.length - first;
      if (used < limit || counting === 'all') log.push(now);
      return used < limit ? yes(limit - used - 1) : no(log[log.length - limit]! + MINUTE - now);
    },
  };
}

/** As gateways do it: the count of the minute before, by the share of it that is still in the last 60 s, and this one's. */
export function slidingCounter(limit: number, phase = 0): LimitedServer {
  let minute = -1;
  let [before, current] = [0, 0];
  return {
    ask(now) {
      const at = now + phase;
      const index = Math.floor(at / MINUTE);
      if (index !== minute) [before, current, minute] = [index === minute + 1 ? current : 0, 0, index];
      const used = before * (1 - (at % MINUTE) / MINUTE) + current;
      if (used + 1 > limit) return no(MINUTE / limit);
      current++;
      return yes(Math.floor(limit - used - 1));
    },
  };
}

/** Refuses a share of its requests whatever is asked. */
export function careless(share: number): LimitedServer {
  const random = seeded(99);
  return { ask: () => (random() >= share ? yes(1) : no(0)) };
}

/** Refuses everything for a while after so many refusals, in the minute before or in all. */
export function banning(
  inner: LimitedServer,
  ban: number,
  after = 20,
  forgets = true,
): LimitedServer & { bans: () => number } {
  let refusals: number[] = [];
  let until = 0;
  let bans = 0;
  return {
    bans: () => bans,
    ask(now, tokens) {
      if (now < until) return no(until - now);
      const verdict = inner.ask(now, tokens);
      if (verdict.answered) return verdict;
      if (forgets) refusals = refusals.filter((at) => at > now - MINUTE);
      refusals.push(now);
      if (refusals.length < after) return verdict;
      [refusals, until] = [[], now + ban];
      bans++;
      return no(ban);
    },
  };
}

/** One server until a moment, and another from then on. */
export const changing = (at: number, first: LimitedServer, then: LimitedServer): LimitedServer => ({
  ask: (now, tokens) => (now < at ? first : then).ask(now, tokens),
});

/** Both have to answer. */
export const both = (one: LimitedServer, other: LimitedServer): LimitedServer => ({
  ask(now, tokens) {
    const verdict = one.ask(now, tokens);
    return verdict.answered ? other.ask(now, tokens) : verdict;
  },
});

/** Uniform on [0, 1), the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
