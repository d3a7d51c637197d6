/** Commands that take one node, or one dataset. */

import { writes } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { DATASET } from '../datasets/row-types.ts';
import { upstreamNames } from '../engine/select.ts';
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

/**
 * The dataset that an argument names; without one, the only one there is.
 *
 * @param select the nodes that an argument selects
 * @param command for the hint
 * @throws ProblemError
 */
export function chosenDataset(
  session: Pick<Session, 'graph' | 'kinds'>,
  argument: string | undefined,
  select: (argument: string) => readonly string[],
  command: string,
): string {
  const all = datasetsOf(session);
  if (argument !== undefined) {
    const name = oneNode(argument, select(argument));
    if (all.includes(name)) return name;
    const kinds = [...session.kinds.values()].flatMap(({ kind }) => (writes(kind, DATASET) ? [kind.name] : []));
    const upstream = upstreamNames(session.graph.nodes.get(name)!).find((of) => all.includes(of));
    throw new ProblemError({
      id: 'CJE-NO-DATASET',
      headline: `${name} is no dataset`,
      hint: upstream === undefined ? `name a node of kind ${kinds.join(' or ')}` : `did you mean ${upstream}?`,
    });
  }
  const [only, ...more] = all;
  if (only !== undefined && more.length === 0) return only;
  throw new ProblemError({
    id: only === undefined ? 'CJE-NO-DATASET' : 'CJE-SEVERAL-NODES',
    headline: only === undefined ? 'the pipeline has no dataset' : 'the pipeline has several datasets',
    ...(only === undefined ? {} : { facts: [['datasets', all.join(', ')]] as const }),
    hint: `name the one that is meant, such as \`${command} ${all[0] ?? 'dataset'}\``,
  });
}
