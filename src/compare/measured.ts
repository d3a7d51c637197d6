/** Which number of a row its kind measures, so that two builds' rows can be compared. */

import type { JsonObject } from '../core/json.ts';
import type { Kind, Measure } from '../core/kind.ts';

/** The number that the kind measures above all; undefined for a kind that measures none. */
export const mainMeasure = (kind: Kind | undefined): Measure | undefined => kind?.measures?.[0];

/** The number that is compared between two builds; undefined where none is. */
export const comparedMeasure = (kind: Kind | undefined): Measure | undefined =>
  kind?.measures?.find(({ compared }) => compared);

/** The row's number; undefined for a row without one. */
export function measured({ column }: Measure, row: JsonObject | null | undefined): number | undefined {
  const value = row?.[column];
  return typeof value === 'number' ? value : undefined;
}
