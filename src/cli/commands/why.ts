/** `cje why`: which parts of a node's key changed since the last build, down to what was edited; or one item's requests. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { findBuild } from '../../engine/build-name.ts';
import { explain, explainItem } from '../../engine/explain/why.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class WhyCommand extends PipelineCommand {
  static override paths = [['why']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'what changed since the last build, as a diff',
    details: `
      Compares the parts of the node's key with those of the last build that made it: parameters line by line, with the
      file that they come from; code; inputs, and behind them the nodes that differ, down to what was edited. With an item,
      the requests that it would send now, beside those of the last build.
    `,
    examples: [
      ['Why would what a build makes run again?', 'cje why'],
      ['Why would the report?', 'cje why ablations'],
      ['What is different for one item?', 'cje why scores/deterministic/pi_cot 0'],
      ['Why did it run in the last build?', 'cje why ablations --since last~1'],
    ],
  });

  target = Option.String({ name: 'target', required: false });
  item = Option.String({ name: 'item', required: false });
  since = Option.String('--since', { description: 'compare with this build: an id, a tag, last, last~1' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, kinds } = session;
      const target = this.nodeNamed(session, this.target);
      const options = this.since === undefined ? {} : { since: findBuild(ports.store.builds, this.since) };
      const { whyItemText, whyText } = await import('../../terminal/why-text.ts');
      const { diffText } = await import('../../text/diff.ts');
      if (this.item === undefined) {
        const explanation = await explain(graph, target, options, ports);
        if (this.json) {
          const { since, ...rest } = explanation;
          this.printJson({ type: 'why', version: 1, ...rest, since: since?.id ?? null });
        } else this.print(whyText(explanation, this.look));
        return EXIT.built;
      }
      if (kinds.get(graph.nodes.get(target)!.kind)!.kind.shape !== 'calls') {
        throw new ProblemError({
          id: 'CJE-UNKNOWN-ITEM',
          headline: `${target} asks nothing, so it has no items to explain`,
          hint: 'name a node of calls, such as one of responses, logprobs, scores or oracle',
        });
      }
      const item = await explainItem(graph, target, this.item, options, ports);
      if (item === undefined) {
        throw new ProblemError({
          id: 'CJE-UNKNOWN-ITEM',
          headline: `${target} has no item ${this.item}, or its inputs are not built`,
          hint: 'name an item by its prompt id, or by its number counted from 0',
        });
      }
      if (this.json) {
        const { since, ...rest } = item;
        const calls = rest.calls.map((call) => ({
          ...call,
          texts: call.texts.map((text) => ({ ...text, diff: diffText(text.before ?? '', text.after ?? '') })),
        }));
        this.printJson({ type: 'why-item', version: 1, ...rest, calls, since: since?.id ?? null });
      } else this.print(whyItemText(item, this.look));
      return EXIT.built;
    });
  }
}
