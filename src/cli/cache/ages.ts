/** Ages as people type them. */

import { badOption } from '../../core/problem.ts';

const HOUR = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: HOUR / 60, h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** Milliseconds of `90d`, `12w`, `36h` or `10m`. @throws ProblemError */
export function parseAge(option: string, text: string): number {
  const match = /^(\d+)\s*([smhdw])$/.exec(text.trim().toLowerCase());
  const unit = UNITS[match?.[2] ?? ''];
  if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  throw badOption(`${option} takes an age such as 90d, 12w or 36h, not ${JSON.stringify(text)}`);
}
