/** When a server asks to come back, in the words that all APIs share. */

import type { HeaderReader, RateReport } from '../../core/protocol.ts';

/**
 * Milliseconds that the server asks to wait before the next try: `retry-after-ms`, else `retry-after` in seconds or as
 * an HTTP date, else the reset of whichever limit is used up. Undefined where it asks for nothing.
 */
export function askedWait(header: HeaderReader, now: number, report: RateReport): number | undefined {
  const milliseconds = numberIn(header('retry-after-ms'));
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
  const after = header('retry-after')?.trim();
  if (after !== undefined && after !== '') {
    const seconds = numberIn(after);
    if (seconds !== undefined) return Math.max(0, seconds * 1000);
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  const resets = [report.requests, report.tokens]
    .filter(({ remaining }) => remaining === 0)
    .flatMap(({ resetMilliseconds }) => resetMilliseconds ?? []);
  return resets.length === 0 ? undefined : Math.max(...resets);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `12ms`, `1.5s`, `6m0s`, `1h2m3s`, and a bare number as seconds. */
export function durationMilliseconds(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim().toLowerCase() ?? '';
  if (trimmed === '') return undefined;
  const bare = numberIn(trimmed);
  if (bare !== undefined) return bare >= 0 ? bare * 1000 : undefined;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNITS[unit!] ?? 0);
  }
  return total;
}

export function numberIn(text: string | null | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^-?\d+(\.\d+)?$/.test(trimmed)) return undefined;
  return Number(trimmed);
}
