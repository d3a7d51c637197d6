/** Commands that take one node. */

import { ProblemError } from '../core/problem.ts';

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
