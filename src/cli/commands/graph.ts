/** `cje graph`: the nodes and what depends on what, as text, Mermaid or JSON. */

import { Command, Option } from 'clipanion';
import { type Graph, type GraphNode, upstreamNames } from '../../core/graph.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { reach } from '../../engine/select.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class GraphCommand extends PipelineCommand {
  static override paths = [['graph']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the nodes and what depends on what',
    examples: [
      ['As text', 'cje graph'],
      ['For a Markdown page', 'cje graph --mermaid'],
      ['Only what one target reaches', 'cje graph scores/deterministic/pi_cot'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });
  mermaid = Option.Boolean('--mermaid', false, { description: 'print a Mermaid flowchart' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph } = session;
      const all = this.targetPatterns.length === 0;
      const nodes = all ? [...graph.nodes.values()] : reach(graph, this.targets(session, this.targetPatterns));
      if (this.json) {
        const entries = nodes.map((node) => ({ name: node.name, kind: node.kind, inputs: upstreamNames(node) }));
        this.printJson({ type: 'graph', version: 1, name: graph.name, profile: graph.profile, nodes: entries });
      } else {
        this.print(this.mermaid ? mermaidText(nodes) : plainText(graph, nodes));
      }
      return EXIT.built;
    });
  }
}

function plainText(graph: Graph, nodes: readonly GraphNode[]): string {
  const lines = [`${graph.name}, profile ${graph.profile}: ${nodes.length} nodes`, ''];
  for (const node of nodes) {
    lines.push(`${node.name}  (${node.kind})`);
    for (const [name, input] of Object.entries(node.inputs)) {
      lines.push(`  ${name} ← ${input.nodes.map((entry) => entry.node).join(', ')}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function mermaidText(nodes: readonly GraphNode[]): string {
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
