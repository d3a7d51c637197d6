/** `--ask-again NODE[:ITEM]`: which kept answers are asked for anew. */

import type { Graph } from '../core/graph.ts';
import type { RegisteredKind } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import type { ChosenItems } from './again.ts';

/**
 * What the options choose, by node. A node's name holds no colon; an item's may.
 *
 * @param nodeOf the node that a pattern selects; @throws ProblemError where there are several
 * @param built the nodes that are built; what is not among them would be asked for in vain
 * @throws ProblemError for a node that makes no calls, or is not built
 */
export function chosenItems(
  { graph, kinds }: { readonly graph: Pick<Graph, 'nodes'>; readonly kinds: ReadonlyMap<string, RegisteredKind> },
  written: readonly string[],
  nodeOf: (pattern: string) => string,
  built: ReadonlySet<string>,
): ReadonlyMap<string, ChosenItems> {
  const chosen = new Map<string, 'all' | Set<string>>();
  for (const text of written) {
    const colon = text.indexOf(':');
    const pattern = colon < 0 ? text : text.slice(0, colon);
    const node = nodeOf(pattern);
    const { kind } = graph.nodes.get(node)!;
    if (kinds.get(kind)?.kind.shape !== 'calls') {
      throw new ProblemError({
        id: 'CJE-NOTHING-ASKED',
        headline: `${node} makes no calls, so nothing of it can be asked again`,
        facts: [['kind', kind]],
        hint: 'to run it again: --force',
      });
    }
    if (!built.has(node)) {
      throw new ProblemError({
        id: 'CJE-NOTHING-ASKED',
        headline: `${node} is not among what is built here, so nothing of it would be asked again`,
        hint: `name it among the targets: ${node}`,
      });
    }
    const before = chosen.get(node);
    if (colon < 0) chosen.set(node, 'all');
    else if (before === undefined) chosen.set(node, new Set([text.slice(colon + 1)]));
    else if (before !== 'all') before.add(text.slice(colon + 1));
  }
  return chosen;
}
