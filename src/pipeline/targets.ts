/** Which nodes a word on the command line means, and what they depend on. Loads neither YAML nor zod. */

import type { Graph } from '../core/graph.ts';
import { nearest, type Problem, ProblemError } from '../core/problem.ts';
import { compileGlob, oddPattern } from './glob.ts';

/** The stages and folders that hold nodes: a target may be named by them. */
export function folders(graph: Pick<Graph, 'nodes'>): string[] {
  const names = new Set<string>();
  for (const name of graph.nodes.keys()) {
    for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
      names.add(name.slice(0, slash));
    }
  }
  return [...names];
}

/** Node names that one pattern means: a node, else all nodes of a stage or folder, else what a glob matches. */
export function matchTarget(graph: Pick<Graph, 'nodes'>, pattern: string): string[] {
  if (graph.nodes.has(pattern)) return [pattern];
  const names = [...graph.nodes.keys()];
  if (!pattern.includes('*')) {
    return names.filter((name) => name.startsWith(`${pattern}/`) || graph.nodes.get(name)!.stage === pattern);
  }
  if (oddPattern(pattern) !== undefined) return [];
  const glob = compileGlob(pattern);
  return names.filter((name) => glob.match(name) !== undefined);
}

/**
 * The nodes that the patterns mean, in the graph's order, each once. A pattern is a node's name, a stage or folder
 * (`scores`, `scores/deterministic`), or a glob (`scores/**`).
 *
 * @throws ProblemError naming every pattern that means nothing.
 */
export function selectTargets(graph: Graph, patterns: readonly string[]): string[] {
  const selected = new Set<string>();
  const problems: Problem[] = [];
  for (const pattern of patterns) {
    const matched = matchTarget(graph, pattern);
    for (const name of matched) selected.add(name);
    if (matched.length === 0) problems.push(unknownTarget(graph, pattern));
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return [...graph.nodes.keys()].filter((name) => selected.has(name));
}

function unknownTarget(graph: Graph, pattern: string): Problem {
  const odd = oddPattern(pattern);
  const near = nearest(pattern, [...graph.nodes.keys(), ...folders(graph)]);
  return {
    id: odd === undefined ? 'CJE-UNKNOWN-NODE' : 'CJE-BAD-PATTERN',
    headline: odd === undefined ? `No node matches '${pattern}'` : `The target '${pattern}' ${odd}`,
    hint: near === undefined ? '`cje graph` lists every node.' : `Did you mean '${near}'?`,
  };
}
