/** A server's rate limit in virtual time: a token bucket that holds one second's allowance, as hosted APIs keep it. */

export interface TokenBucketServer {
  /** Whether a request that arrives now is answered. */
  admits(now: number): boolean;
  /** What its headers say after a request; `refused` adds what comes with a 429. */
  headers(now: number, refused: boolean): Record<string, string>;
}

export function tokenBucketServer(options: {
  readonly perMinute: number;
  /** Requests that may come at once; a second's allowance by default. */
  readonly burst?: number;
  readonly says: 'nothing' | 'retry-after' | 'limits';
}): TokenBucketServer {
  const capacity = Math.max(1, options.burst ?? options.perMinute / 60);
  let stock = capacity;
  let filledAt = 0;
  const fill = (now: number) => {
    stock = Math.min(capacity, stock + ((now - filledAt) * options.perMinute) / 60_000);
    filledAt = now;
  };
  return {
    admits(now) {
      fill(now);
      if (stock < 1) return false;
      stock -= 1;
      return true;
    },
    headers(_, refused) {
      if (options.says === 'retry-after') return refused ? { 'retry-after': '1' } : {};
      if (options.says === 'nothing') return {};
      return {
        'x-ratelimit-limit-requests': String(options.perMinute),
        'x-ratelimit-remaining-requests': String(Math.floor(stock)),
        'x-ratelimit-reset-requests': `${Math.ceil(((capacity - stock) * 60_000) / options.perMinute)}ms`,
      };
    },
  };
}
