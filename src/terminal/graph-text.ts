/** The nodes and what depends on what, as text and as a Mermaid flowchart. */

import { type Graph, type GraphNode, upstreamNames } from '../core/graph.ts';

export function graphText(graph: Graph, nodes: readonly GraphNode[]): string {
  const lines = [`${graph.name}, profile ${graph.profile}: ${nodes.length} nodes`, ''];
  for (const node of nodes) {
    lines.push(`${node.name}  (${node.kind})`);
    for (const [name, input] of Object.entries(node.inputs)) {
      lines.push(`  ${name} ← ${input.nodes.map((entry) => entry.node).join(', ')}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

export function mermaidText(nodes: readonly GraphNode[]): string {
  const ids = new Map(nodes.map((node, index) => [node.name, `n${index}`]));
  const lines = ['flowchart LR'];
  for (const node of nodes) lines.push(`  ${ids.get(node.name)}["${node.name}"]`);
  for (const node of nodes) {
    for (const upstream of new Set(upstreamNames(node))) {
      if (ids.has(upstream)) lines.push(`  ${ids.get(upstream)} --> ${ids.get(node.name)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
