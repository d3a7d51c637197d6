/** Whether a saved plan still holds: nothing that it was made from has changed, and it has not become dearer. */

import { NO_USAGE } from '../../core/call.ts';
import { digestText } from '../../core/digest.ts';
import type { GraphNode } from '../../core/graph.ts';
import { canonicalJson } from '../../core/json.ts';
import type { PriceBook } from '../../core/provider-port.ts';
import { partName } from '../changes.ts';
import { type KeyParts, walkParts } from '../keys.ts';
import type { PartDigests, Plan, PlannedNode } from './planned.ts';

/** What a saved plan remembers of a node's key. The same walk as the key's, a third visitor. */
export function partDigests(node: GraphNode, parts: Omit<KeyParts, 'inputs'>): PartDigests {
  const digests: Record<string, string> = {};
  walkParts(
    { ...parts, inputs: {} },
    {
      part: (path, value) => {
        digests[path.join('.')] = digestText(canonicalJson(value));
      },
    },
  );
  for (const [name, { nodes }] of Object.entries(node.inputs)) {
    digests[`inputs.${name}`] = digestText(canonicalJson(nodes.map(({ label, node: upstream }) => [label, upstream])));
  }
  return digests;
}

/** What is read of a plan that was saved. */
export interface SavedPlan extends Pick<Plan, 'experiment' | 'profile' | 'targets' | 'calls'> {
  readonly nodes: readonly Pick<PlannedNode, 'node' | 'kind' | 'parts'>[];
  readonly models: readonly Pick<
    Plan['models'][number],
    'identity' | 'model' | 'inputTokens' | 'outputTokens' | 'expected'
  >[];
  readonly dollars: Pick<NonNullable<Plan['dollars']>, 'expected' | 'high'> | null;
}

/** Rounding of sums, in dollars. */
const DUST = 1e-9;

/** One thing that has changed since the plan was saved. */
export type PlanMove =
  | {
      readonly type: 'other';
      readonly what: 'experiment' | 'profile' | 'targets';
      readonly before: string;
      readonly after: string;
    }
  | { readonly type: 'node-gone' | 'node-new'; readonly node: string }
  /** `parts`: the changed parts of the node's key, as people call them. */
  | { readonly type: 'node-changed'; readonly node: string; readonly parts: readonly string[] }
  /** Dollars for the calls of the model; `after` is null where it has no price any more. */
  | { readonly type: 'price'; readonly model: string; readonly before: number; readonly after: number | null }
  | { readonly type: 'calls' | 'dollars'; readonly before: number; readonly after: number };

/** What has changed since the plan was saved; nothing where it still holds. */
export function planMoves(saved: SavedPlan, fresh: Plan, prices: PriceBook): PlanMove[] {
  const moves: PlanMove[] = [];
  const differ = (what: 'experiment' | 'profile' | 'targets', before: string, after: string) => {
    if (before !== after) moves.push({ type: 'other', what, before, after });
  };
  differ('experiment', saved.experiment, fresh.experiment);
  differ('profile', saved.profile, fresh.profile);
  differ('targets', saved.targets.join(', '), fresh.targets.join(', '));

  const now = new Map(fresh.nodes.map((node) => [node.node, node]));
  for (const { node, kind, parts } of saved.nodes) {
    const after = now.get(node);
    now.delete(node);
    if (after === undefined) {
      moves.push({ type: 'node-gone', node });
      continue;
    }
    const names = [...new Set([...Object.keys(parts), ...Object.keys(after.parts)])];
    const changed = names.filter((name) => parts[name] !== after.parts[name]);
    const words = [...new Set(changed.map((name) => partName(name.split('.'), kind)))];
    if (words.length > 0) moves.push({ type: 'node-changed', node, parts: words });
  }
  for (const node of now.keys()) moves.push({ type: 'node-new', node });

  for (const { identity, model, inputTokens, outputTokens, expected } of saved.models) {
    const cost = prices.cost(identity, model, { ...NO_USAGE, inputTokens, outputTokens });
    if (expected === null || (cost !== undefined && cost <= expected + DUST)) continue;
    moves.push({ type: 'price', model, before: expected, after: cost ?? null });
  }
  if (fresh.calls > saved.calls) moves.push({ type: 'calls', before: saved.calls, after: fresh.calls });
  const [before, after] = [saved.dollars, fresh.dollars];
  if (before !== null && after !== null && after.expected > Math.max(before.high, before.expected) + DUST) {
    moves.push({ type: 'dollars', before: before.expected, after: after.expected });
  }
  return moves;
}
