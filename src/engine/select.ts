/** Which nodes a target reaches. */

import { type Graph, type GraphNode, upstreamNames } from '../core/graph.ts';

/** The named nodes and everything they depend on, in topological order. */
export function reach(graph: Graph, targets: readonly string[]): GraphNode[] {
  const wanted = new Set<string>();
  const visit = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const upstream of upstreamNames(nodeOf(graph, name))) visit(upstream);
  };
  for (const target of targets) visit(target);
  return [...graph.nodes.values()].filter((node) => wanted.has(node.name));
}

export function nodeOf(graph: Graph, name: string): GraphNode {
  const node = graph.nodes.get(name);
  if (node === undefined) throw new Error(`Internal error: no node ${name}`);
  return node;
}
