/** `cje graph`: the nodes and what depends on what, as text, Mermaid or JSON. */

import { Command, Option } from 'clipanion';
import { upstreamNames } from '../../core/graph.ts';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { reach } from '../../engine/select.ts';
import { graphText, mermaidText } from '../../terminal/graph-text.ts';
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
        this.print(this.mermaid ? mermaidText(nodes) : graphText(graph, nodes));
      }
      return EXIT.built;
    });
  }
}
