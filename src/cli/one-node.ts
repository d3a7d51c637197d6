/** Commands that take one node, or one dataset. */

import { writes } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { DATASET } from '../datasets/row-types.ts';
import type { Session } from './compose.ts';

/** The only node that an argument selects. @throws ProblemError where it selects several. */
export function oneNode(argument: string, nodes: readonly string[]): string {
  const [first, ...more] = nodes;
  if (first !== undefined && more.length === 0) return first;
  throw new ProblemError({
    id: 'CJE-SEVERAL-NODES',
    headline: `${argument} is ${nodes.length} nodes, and this command takes one`,
    facts: [['nodes', nodes.slice(0, 6).join(', ')]],
  });
}

/** The nodes whose output is a dataset. */
export function datasetsOf({ graph, kinds }: Pick<Session, 'graph' | 'kinds'>): string[] {
  return [...graph.nodes.values()].flatMap(({ name, kind }) => (writes(kinds.get(kind)?.kind, DATASET) ? [name] : []));
}
