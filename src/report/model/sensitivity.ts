/** How wrong a level may be before it says nothing of the order. */

import type { EstimatedRow, EstimateRow } from '../../datasets/results.ts';

/**
 * The smallest δ at which the interval, widened by δ at both ends, meets another policy's of the same estimator: the judge may err by
 * up to δ on this policy alone before its place can change. 0 where they meet already, null without another estimated policy.
 */
export function sensitivityOf(row: EstimatedRow, estimates: readonly EstimateRow[]): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (const other of estimates) {
    if (other.status !== 'ok' || other.policy === row.policy) continue;
    if (other.scorer !== row.scorer || other.ablation !== row.ablation) continue;
    least = Math.min(least, Math.max(0, row.lower - other.upper, other.lower - row.upper));
  }
  return Number.isFinite(least) ? least : null;
}
