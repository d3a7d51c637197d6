/** Whether a saved plan still holds: nothing that it was made from has moved, and it has not become dearer. */

import { NO_USAGE } from '../../core/call.ts';
import { digestText } from '../../core/digest.ts';
import type { GraphNode } from '../../core/graph.ts';
import { canonicalJson } from '../../core/json.ts';
import type { PriceBook } from '../../core/market.ts';
import { partName } from '../changes.ts';
import { type KeyParts, walkParts } from '../keys.ts';
import type { PartDigests, Plan } from './planned.ts';

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

export type SavedPlan = Pick<Plan, 'experiment' | 'profile' | 'targets' | 'nodes' | 'calls' | 'models' | 'dollars'>;

/** Rounding of sums, in dollars. */
const DUST = 1e-9;

/** What has moved since the plan was saved, as facts of a problem; nothing where it still holds. */
export function planMoves(
  saved: SavedPlan,
  fresh: Plan,
  prices: PriceBook,
): (readonly [name: string, value: string])[] {
  const moves: (readonly [string, string])[] = [];
  const differ = (name: string, before: string, after: string) => {
    if (before !== after) moves.push([name, `${before} in the plan, ${after} now`]);
  };
  differ('experiment', saved.experiment, fresh.experiment);
  differ('profile', saved.profile, fresh.profile);
  differ('targets', saved.targets.join(', '), fresh.targets.join(', '));

  const now = new Map(fresh.nodes.map((node) => [node.node, node]));
  for (const { node, kind, parts } of saved.nodes) {
    const after = now.get(node);
    now.delete(node);
    if (after === undefined) {
      moves.push([node, 'is gone']);
      continue;
    }
    const names = [...new Set([...Object.keys(parts), ...Object.keys(after.parts)])];
    const changed = names.filter((name) => parts[name] !== after.parts[name]);
    const words = new Set(changed.map((name) => partName(name.split('.'), kind)));
    if (words.size > 0) moves.push([node, `${[...words].join(', ')} changed`]);
  }
  for (const node of now.keys()) moves.push([node, 'is new']);

  for (const { identity, model, inputTokens, outputTokens, expected } of saved.models) {
    const cost = prices.cost(identity, model, { ...NO_USAGE, inputTokens, outputTokens });
    if (expected === null || (cost !== undefined && cost <= expected + DUST)) continue;
    moves.push([
      model,
      cost === undefined ? 'has no price any more' : `its price grew: ${money(expected)} to ${money(cost)}`,
    ]);
  }
  if (fresh.calls > saved.calls) moves.push(['calls', `${saved.calls} in the plan, ${fresh.calls} now`]);
  const [before, after] = [saved.dollars, fresh.dollars];
  if (before !== null && after !== null && after.expected > Math.max(before.high, before.expected) + DUST) {
    moves.push(['dollars', `${money(before.expected)} expected in the plan, ${money(after.expected)} now`]);
  }
  return moves;
}

const money = (dollars: number): string => `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
