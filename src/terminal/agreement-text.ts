/** How two rows of numbers agree, in words. */

import type { Agreement } from '../compare/agreement.ts';
import { signed } from '../text/numbers.ts';

/** Decimals of a number on the unit scale. */
export const UNITS = 3;

/** The shift with half of its 95 % interval. */
export function shiftText({ shift, upper }: Agreement): string {
  return upper === null ? signed(shift, UNITS) : `${signed(shift, UNITS)} ± ${(upper - shift).toFixed(UNITS)}`;
}
