/** `cje show`: a node's output, or one item of it with the requests and replies behind its row. */

import { Command, Option } from 'clipanion';
import type { JsonObject } from '../../core/json.ts';
import { ROWS } from '../../core/kind.ts';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { completeItems } from '../../core/summary.ts';
import { readInput } from '../../engine/inputs.ts';
import { reach } from '../../engine/select.ts';
import { type ShownCall, showItem } from '../../engine/show.ts';
import { survey } from '../../engine/survey.ts';
import { printable } from '../../ui/escape.ts';
import { count, dollars } from '../../ui/format.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** Rows of a node that are shown without being asked for by name. */
const ROWS_SHOWN = 5;

export class ShowCommand extends PipelineCommand {
  static override paths = [['show']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: "a node's output, or one item with its requests and raw replies",
    details: 'An item is named by its prompt id or its number, counted from 0.',
    examples: [
      ['A node', 'cje show dataset/deterministic'],
      ['An item, by number', 'cje show scores/deterministic/pi_cot 0'],
    ],
  });

  target = Option.String({ name: 'target' });
  item = Option.String({ name: 'item', required: false });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store } = session;
      const [name, ...more] = this.targets(session, [this.target]);
      if (name === undefined || more.length > 0) {
        throw new ProblemError({
          headline: `${this.target} is ${more.length + 1} nodes; show takes one`,
          facts: [['nodes', [name, ...more].slice(0, 6).join(', ')]],
        });
      }
      const nodes = reach(graph, [name]);
      const found = await survey(nodes, ports);
      const entry = found.get(name);
      if (entry === undefined) {
        throw new ProblemError({ headline: `${name} is not built`, hint: `cje build ${name}` }, EXIT.failed);
      }
      const node = graph.nodes.get(name)!;
      const output = readInput(entry.action, store.blobs);
      if (this.item !== undefined) {
        const shown = await showItem(node, this.item, (upstream) => found.get(upstream)!.action, entry.action, ports);
        if (shown === undefined) {
          throw new ProblemError({
            headline: `${name} has no item ${this.item}`,
            hint: 'name an item by its prompt id, or by its number counted from 0',
          });
        }
        if (this.json) this.printJson({ type: 'item', version: 1, node: name, ...shown });
        else this.print(itemText(shown.row, shown.calls));
        return EXIT.built;
      }
      const { summary, outputs } = entry.action;
      const rows: JsonObject[] = [];
      if (outputs[ROWS] !== undefined) {
        for (const row of output.rows()) {
          rows.push(row);
          if (rows.length === ROWS_SHOWN) break;
        }
      }
      if (this.json) {
        this.printJson({ type: 'node', version: 1, node: name, key: entry.key, summary, outputs, rows });
        return EXIT.built;
      }
      const lines = [`${name} (${node.kind})`, `key    ${entry.key}`];
      if (summary.refusal !== undefined) lines.push(`refused: ${printable(summary.refusal)}`);
      if (summary.items > 0) {
        const statuses = Object.entries(summary.statuses).map(([status, rowsOf]) => `${status} ${count(rowsOf)}`);
        lines.push(`items  ${count(completeItems(summary))} of ${count(summary.items)} (${statuses.join(', ')})`);
      }
      for (const tally of summary.calls) {
        lines.push(
          `calls  ${count(tally.calls)} to ${printable(tally.model)}: ${count(tally.inputTokens)} tokens in, ${count(tally.outputTokens)} out`,
        );
      }
      for (const [file, ref] of Object.entries(outputs))
        lines.push(`file   out/${name}/${file} (${count(ref.size)} bytes)`);
      if (rows.length > 0) {
        lines.push('', `first ${rows.length} rows:`);
        for (const row of rows) lines.push(printable(JSON.stringify(row)));
      }
      this.print(`${lines.join('\n')}\n`);
      return EXIT.built;
    });
  }
}

function itemText(row: JsonObject, calls: readonly ShownCall[]): string {
  const lines = ['row', indented(row)];
  for (const [index, call] of calls.entries()) {
    lines.push(
      '',
      `call ${index + 1}: ${call.path}, draw ${printable(call.draw)}, key ${call.key}`,
      'request',
      indented(call.body),
    );
    if (call.raw !== null) lines.push('reply', indented(JSON.parse(call.raw)));
    if (call.failure !== null) lines.push(`failed for good: ${printable(call.failure)}`);
    if (call.bought !== null) {
      const { cost, boughtAt, model } = call.bought;
      const price = cost === null ? 'unknown' : dollars(cost);
      lines.push(`bought ${new Date(boughtAt).toISOString()} from ${printable(model)} for ${price}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** JSON over several lines; texts from models keep their escapes, so that no control character reaches the terminal. */
function indented(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n');
}
