/** What has changed since a plan was saved, in words. */

import type { PlanMove } from '../engine/plan/plan-check.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';

/** What changed since the plan was saved, and how. */
export function moveText(move: PlanMove): readonly [name: string, value: string] {
  switch (move.type) {
    case 'other':
      return [move.what, `${move.before} in the plan, ${move.after} now`];
    case 'node-gone':
      return [move.node, 'is gone'];
    case 'node-new':
      return [move.node, 'is new'];
    case 'node-changed':
      return [move.node, `${move.parts.join(', ')} changed`];
    case 'price':
      return [
        move.model,
        move.after === null
          ? 'has no price any more'
          : `its price grew: ${dollars(move.before)} to ${dollars(move.after)}`,
      ];
    case 'calls':
      return ['calls', `${count(move.before)} in the plan, ${count(move.after)} now`];
    case 'dollars':
      return ['dollars', `${dollars(move.before)} expected in the plan, ${dollars(move.after)} now`];
  }
}
