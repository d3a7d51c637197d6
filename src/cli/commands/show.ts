/** `cje show`: a node's output, or one item of it with the requests and replies behind its row. */

import { relative } from 'node:path';
import { Command, Option } from 'clipanion';
import type { JsonObject } from '../../core/json.ts';
import { ROWS } from '../../core/kind.ts';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { rowFiles, showItem } from '../../engine/explain/show.ts';
import { reach } from '../../engine/select.ts';
import { builtNode, survey } from '../../engine/survey.ts';
import { itemText, nodeText } from '../../terminal/show-text.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** Rows of a node that are shown without being asked for by name. */
const ROWS_SHOWN = 5;

export class ShowCommand extends PipelineCommand {
  static override paths = [['show']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: "a node's output, or one item with its requests and raw replies",
    details: `
      An item is named by its prompt id, by \`policy/prompt id\` where several policies share a node, or by its number,
      counted from 0. It is shown as far as it is bought, also in a node that is not finished.
    `,
    examples: [
      ['A node', 'cje show dataset/deterministic'],
      ['An item, by number', 'cje show scores/deterministic/pi_cot 0'],
      ['A raw reply, whole', 'cje show logprobs/pi_cot 0 --json'],
      ['What was answered before it was asked again', 'cje show scores/deterministic/pi_cot 0 --history'],
    ],
  });

  target = Option.String({ name: 'target', required: false });
  item = Option.String({ name: 'item', required: false });
  history = Option.Boolean('--history', false, { description: 'also what was answered before calls were asked again' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store, out } = session;
      const name = this.nodeNamed(session, this.target);
      const node = graph.nodes.get(name)!;
      const found = await survey(reach(graph, [name]), ports);
      if (this.item !== undefined) {
        const action = found.get(name)?.action;
        const shown = await showItem(graph, node, this.item, action, ports);
        if (shown === undefined) {
          throw new ProblemError({
            id: 'CJE-UNKNOWN-ITEM',
            headline: `${name} has no item ${this.item}${action === undefined ? ', or what it depends on is not built' : ''}`,
            hint: 'name an item by its prompt id, or by its number counted from 0',
          });
        }
        if (this.json) this.printJson({ type: 'item', version: 1, node: name, ...shown });
        else this.print(itemText(name, shown, this.history));
        return EXIT.built;
      }
      const { action, output } = builtNode(found, name, store.blobs);
      const rows: JsonObject[] = [];
      let file = ROWS;
      // A dataset without a log has no rows of one, and its policies' own in another file.
      for (const each of rowFiles(output)) {
        file = each;
        for (const row of output.rows(undefined, file)) {
          rows.push(row);
          if (rows.length === ROWS_SHOWN) break;
        }
        if (rows.length > 0) break;
      }
      const { key, summary, outputs, finishedAt } = action;
      if (this.json) this.printJson({ type: 'node', version: 1, node: name, key, finishedAt, summary, outputs, rows });
      else this.print(nodeText(name, node.kind, action, { file, rows }, relative(process.cwd(), out)));
      return EXIT.built;
    });
  }
}
