/** What a server's headers say about limits and about when to come back. */

/** Reads one header by its lower-case name. */
export type HeaderReader = (name: string) => string | null | undefined;

/** One limit as a server reports it. Absent where the server is silent or says something that cannot be. */
export interface LimitReport {
  /** Units a window; read as a minute, which is conservative where the window is longer. */
  readonly limit?: number;
  /** Units left when the reply was made. */
  readonly remaining?: number;
  /** Milliseconds until the window is whole again. */
  readonly resetMilliseconds?: number;
}

export interface RateReport {
  readonly requests: LimitReport;
  readonly tokens: LimitReport;
  /** The server answered, and says that it need not have. */
  readonly overLimit: boolean;
}

export function readRateReport(header: HeaderReader): RateReport {
  return {
    requests: readLimit(header, 'requests'),
    tokens: readLimit(header, 'tokens'),
    overLimit: header('x-ratelimit-over-limit')?.trim().toLowerCase() === 'yes',
  };
}

/** A limit that is not positive is a server's way of saying nothing, and makes the other two numbers worthless. */
function readLimit(header: HeaderReader, unit: 'requests' | 'tokens'): LimitReport {
  const limit = number(header(`x-ratelimit-limit-${unit}`));
  if (limit !== undefined && limit <= 0) return {};
  const remaining = number(header(`x-ratelimit-remaining-${unit}`));
  const resetMilliseconds = durationMilliseconds(header(`x-ratelimit-reset-${unit}`));
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined || remaining < 0 ? {} : { remaining }),
    ...(resetMilliseconds === undefined ? {} : { resetMilliseconds }),
  };
}

/**
 * Milliseconds that the server asks to wait before the next try: `retry-after-ms`, else `retry-after` in seconds or as
 * an HTTP date, else the reset of whichever limit is used up. Undefined where it asks for nothing.
 */
export function askedWait(header: HeaderReader, now: number): number | undefined {
  const milliseconds = number(header('retry-after-ms'));
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
  const after = header('retry-after')?.trim();
  if (after !== undefined && after !== '') {
    const seconds = number(after);
    if (seconds !== undefined) return Math.max(0, seconds * 1000);
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const { requests, tokens } = readRateReport(header);
  const resets = [requests, tokens]
    .filter(({ remaining }) => remaining === 0)
    .flatMap(({ resetMilliseconds }) => resetMilliseconds ?? []);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `12ms`, `1.5s`, `6m0s`, `1h2m3s`, and a bare number as seconds. */
export function durationMilliseconds(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim().toLowerCase() ?? '';
  if (trimmed === '') return undefined;
  const bare = number(trimmed);
  if (bare !== undefined) return bare >= 0 ? bare * 1000 : undefined;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit!] ?? 0);
  }
  return total;
}

function number(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^-?\d+(\.\d+)?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}
