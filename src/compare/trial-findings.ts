/** What a canary's items say of an edit, and what the rest would cost. */

import type { Kinds } from '../core/kind.ts';
import type { TrialNode, TrialOutcome } from '../engine/trial/trial.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { mainMeasure, measured } from './measured.ts';

export interface TrialFindings {
  readonly node: string;
  readonly invalidated: number;
  readonly items: number;
  /** Items that have a row with the status `ok` now. */
  readonly complete: number;
  /** False where the last build's rows are of other inputs, so that before and after are of different things. */
  readonly sameInputs: boolean;
  /** Null where the kind measures no number, or nothing was there before. */
  readonly agreement: Agreement | null;
  readonly bought: number;
  readonly cost: number;
}

/** What is left to buy after a canary. */
export interface TrialRest {
  readonly calls: number;
  /** Dollars at what the canary's own calls cost; null where a price is unknown. */
  readonly dollars: number | null;
  readonly minutes: number;
  /** False where the plan's number of calls is a bound. */
  readonly exact: boolean;
}

/** Of a kind that measures a number, how it moved. */
export function findingsOf(node: TrialNode, kinds: Kinds): TrialFindings {
  const { node: name, kind, invalidated, sameInputs, items, bought, cost } = node;
  const measure = mainMeasure(kinds.get(kind)?.kind);
  const pairs: [number, number][] = [];
  for (const { before, after } of items) {
    if (measure === undefined) break;
    const [old, now] = [measured(measure, before), measured(measure, after)];
    if (old !== undefined && now !== undefined) pairs.push([old, now]);
  }
  return {
    node: name,
    invalidated,
    items: items.length,
    complete: items.filter(({ after }) => after?.status === 'ok').length,
    sameInputs,
    agreement: pairs.length > 0 ? agreementOf(pairs) : null,
    bought,
    cost,
  };
}

/** At what the canary paid for a call, where it bought any of the node. */
export function restOf({ plan, nodes, calls }: TrialOutcome): TrialRest {
  const bought = new Map(nodes.map((node) => [node.node, node]));
  let cost: number | null = 0;
  for (const { node, calls: planned, models } of plan.nodes) {
    const canaried = bought.get(node);
    const expected = models.reduce<number | null>(
      (sum, { expected: one }) => (sum === null || one === null ? null : sum + one),
      0,
    );
    const part: number | null =
      canaried === undefined || canaried.bought === 0
        ? expected
        : (canaried.cost / canaried.bought) * Math.max(0, planned - canaried.bought);
    cost = cost === null || part === null ? null : cost + part;
  }
  const left = Math.max(0, plan.calls - calls.bought);
  const minutes = plan.calls === 0 ? 0 : (plan.minutes * left) / plan.calls;
  return { calls: left, dollars: cost, minutes, exact: plan.exact };
}
