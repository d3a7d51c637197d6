/** How the methods of a grid did, in a terminal. */

import type { MethodScore } from '../../../datasets/grid-rows.ts';
import type { Paint } from '../../../text/paint.ts';
import { methodsTable } from '../../model/tables/method-scores.ts';
import { tableLines } from './table.ts';

export function gridTable(methods: readonly MethodScore[], width: number, paint: Paint): string {
  return `${tableLines(methodsTable(methods), width, paint).join('\n')}\n`;
}
