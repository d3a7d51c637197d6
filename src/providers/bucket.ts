/** A token bucket: so many units a minute, in bursts of a known size. */

const MINUTE = 60_000;
/** Rounding that must not make anyone wait. */
const EPSILON = 1e-9;

export interface Bucket {
  /** Milliseconds until this many units may be taken; 0 for now. More than the burst waits for a full bucket. */
  wait(units: number, now: number): number;
  /** Takes units that may be taken; the level may fall below zero when they are more than the burst. */
  take(units: number, now: number): void;
  /** Puts back what was taken and not used, or takes what was used beyond it (negative). */
  giveBack(units: number, now: number): void;
  /** Believes a server that says less is left; `takenSince` were taken from here since it counted. */
  lowerLevel(units: number, countedAt: number, takenSince: number, now: number): void;
  /** Changes the limit, units a minute. */
  setLimit(perMinute: number, now: number): void;
}

interface BucketOptions {
  /** Units a minute, above 0. */
  readonly perMinute: number;
  /**
   * `requests` come one by one and burst for a second; `tokens` come by the thousand and burst for six. Either way at
   * most `perMinute` units are taken in any 60 s (half open), tokens by at most one order's excess over the burst more.
   */
  readonly unit: 'requests' | 'tokens';
  readonly now: number;
}

export function createBucket(options: BucketOptions): Bucket {
  let perMinute = options.perMinute;
  let burst = burstOf(perMinute, options.unit);
  let level = burst;
  let updated = options.now;

  /** Units a millisecond. The burst is paid for by the refill, so that the two together keep to the limit. */
  const rate = () => (perMinute - burst + (options.unit === 'requests' ? 1 : 0)) / MINUTE;

  const advance = (now: number) => {
    const elapsed = now - updated;
    if (elapsed <= 0) return;
    updated = now;
    level = Math.min(burst, level + elapsed * rate());
  };

  return {
    wait(units, now) {
      advance(now);
      const missing = Math.min(units, burst) - level;
      return missing <= EPSILON ? 0 : Math.ceil(missing / rate());
    },
    take(units, now) {
      advance(now);
      level -= units;
    },
    giveBack(units, now) {
      advance(now);
      level = Math.min(burst, level + units);
    },
    lowerLevel(units, countedAt, takenSince, now) {
      advance(now);
      // Never below nothing, because some of what was taken since may have been refused.
      const left = units + (now - countedAt) * rate() - takenSince;
      level = Math.min(level, Math.max(left, 0));
    },
    setLimit(limit, now) {
      if (limit === perMinute) return;
      advance(now);
      perMinute = limit;
      burst = burstOf(limit, options.unit);
      level = Math.min(level, burst);
    },
  };
}

function burstOf(perMinute: number, unit: 'requests' | 'tokens'): number {
  return unit === 'requests' ? Math.max(1, Math.floor(perMinute / 60)) : perMinute / 10;
}
