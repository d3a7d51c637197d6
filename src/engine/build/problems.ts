/** What went wrong in a build, in the order of the graph. What is one cause of many nodes is told once. */

import type { ProblemId } from '../../core/catalogue.ts';
import type { Problem } from '../../core/problem.ts';
import type { NodeResult } from './node-runner.ts';

/** Nodes that a problem names. */
const NODES_SHOWN = 3;

export function problemsOf(results: ReadonlyMap<string, NodeResult>): Problem[] {
  return [...failures(results), ...stops(results)];
}

function failures(results: ReadonlyMap<string, NodeResult>): Problem[] {
  const alike = new Map<string, { readonly problem: Problem; readonly nodes: string[] }>();
  for (const [node, { problem, stop }] of results) {
    if (problem === undefined || stop !== undefined) continue;
    const { facts, ...rest } = problem;
    const named = problem.headline.includes(node);
    const cause = JSON.stringify(
      named ? { ...rest, headline: problem.headline.replaceAll(node, '') } : { ...rest, facts },
    );
    const group = alike.get(cause) ?? { problem, nodes: [] };
    alike.set(cause, group);
    group.nodes.push(node);
  }
  return [...alike.values()].map(({ problem, nodes }) => ofNodes(problem, nodes));
}

/** The problem of the first node as one of them all; facts are of a node, so the first one's are left out. */
function ofNodes(problem: Problem, nodes: readonly string[]): Problem {
  const [first, ...more] = nodes;
  if (first === undefined || more.length === 0 || !problem.headline.includes(first)) return problem;
  const { facts: _, ...rest } = problem;
  return {
    ...rest,
    headline: problem.headline.replace(first, () => `${first} and ${more.length} more`),
    facts: [['nodes', shortList(nodes)]],
  };
}

function stops(results: ReadonlyMap<string, NodeResult>): Problem[] {
  const stopped = new Map<
    string,
    { readonly id: ProblemId; readonly nodes: string[]; readonly hint: string; missing: number }
  >();
  for (const [name, { stop }] of results) {
    if (stop === undefined) continue;
    const group = stopped.get(stop.cause) ?? { id: stop.id, nodes: [], hint: stop.hint, missing: 0 };
    stopped.set(stop.cause, group);
    group.nodes.push(name);
    group.missing += stop.missing;
  }
  return [...stopped].map(([cause, { id, nodes, hint, missing }]) => ({
    id,
    headline: `the build stopped: ${cause}`,
    facts: [
      ['unfinished', shortList(nodes)],
      ['missing', `${missing} items`],
    ],
    hint,
  }));
}

function shortList(nodes: readonly string[]): string {
  const more = nodes.length - NODES_SHOWN;
  return `${nodes.slice(0, NODES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
