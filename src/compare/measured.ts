/** Which number of a row its kind measures, so that two builds' rows can be compared. */

import type { JsonObject } from '../core/json.ts';

const FIELDS: Readonly<Record<string, string>> = { scores: 'score', oracle: 'label', logprobs: 'logprob' };

/** True for kinds whose rows hold one number each. */
export const isMeasured = (kind: string): boolean => Object.hasOwn(FIELDS, kind);

/** The row's number; undefined for a row without one, or of a kind without any. */
export function measured(kind: string, row: JsonObject | null | undefined): number | undefined {
  const field = isMeasured(kind) ? FIELDS[kind] : undefined;
  const value = field === undefined ? undefined : row?.[field];
  return typeof value === 'number' ? value : undefined;
}
