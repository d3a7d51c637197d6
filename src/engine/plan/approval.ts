/** What may be spent without anybody's yes, and what a build would spend of real money. */

import type { Lane } from '../../core/batch.ts';
import type { Graph } from '../../core/graph.ts';
import { isPlain } from '../again.ts';
import type { Ports } from '../ports.ts';
import { reach } from '../select.ts';
import { survey } from '../survey.ts';
import { makePlan } from './plan.ts';
import type { Plan, PlanOptions } from './planned.ts';

/** `approved`: all of it. `small`: it is under the pipeline's `confirm_above`, and no more than that may be spent. */
type Approval = 'approved' | 'small' | 'needed';

/**
 * @param expected dollars of real money; null where they are not known
 * @param maxCost the user's own cap, which is an approval up to there
 */
export function approvalOf(
  expected: number | null,
  confirmAbove: number,
  { yes, maxCost }: { readonly yes: boolean; readonly maxCost: number | undefined },
): Approval {
  if (yes || maxCost !== undefined) return 'approved';
  return expected !== null && expected <= confirmAbove ? 'small' : 'needed';
}

/** Dollars of real money that a build may spend unasked; undefined where all of its plan is approved. */
export const unaskedDollars = (approved: boolean, { confirmAbove }: Graph['budget']): number | undefined =>
  approved ? undefined : confirmAbove;

export interface PlannedSpending {
  readonly plan: Plan;
  /** Calls that are planned, by the identity of their provider. */
  readonly calls: ReadonlyMap<string, number>;
  /** Dollars of real money that are expected. */
  readonly expected: number;
}

/**
 * What a build would buy of providers that charge; undefined where there are none, or all is up to date.
 *
 * @param most make at most this many of the planned calls
 * @param lane how calls are bought, as far as they can; online unless told
 */
export async function plannedSpending(
  graph: Graph,
  targets: readonly string[],
  options: PlanOptions,
  ports: Ports,
  most: number | undefined,
  lane?: Lane,
): Promise<PlannedSpending | undefined> {
  if (graph.providers.every(({ type }) => type === 'simulator')) return undefined;
  const nodes = reach(graph, targets);
  const found = await survey(nodes, ports);
  const fresh = nodes.every((node) => found.has(node.name));
  if (fresh && isPlain(options)) return undefined;
  const plan = await makePlan(graph, targets, options, ports);
  const calls = new Map<string, number>();
  for (const { identity, calls: own } of plan.nodes.flatMap(({ models }) => models)) {
    if (own > 0) calls.set(identity, (calls.get(identity) ?? 0) + own);
  }
  const share = most === undefined || plan.calls === 0 ? 1 : Math.min(1, most / plan.calls);
  const rebate = lane === 'batch' ? rebateOf(plan, ports) : 0;
  return { plan, calls, expected: ((plan.realDollars ?? 0) - rebate) * share };
}

/** Dollars of real money by which batches are cheaper. */
function rebateOf({ models }: Plan, { prices }: Ports): number {
  const real = models.filter(({ identity }) => !prices.simulated(identity));
  return real.reduce((sum, { batch }) => sum + (batch?.online ?? 0) - (batch?.expected ?? 0), 0);
}
