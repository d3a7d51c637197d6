/** `cje status`: which nodes are up to date, and how complete they are. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { completeItems } from '../../core/summary.ts';
import { reach } from '../../engine/select.ts';
import { intolerable, survey } from '../../engine/survey.ts';
import { count, table } from '../../ui/format.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class StatusCommand extends PipelineCommand {
  static override paths = [['status']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'which nodes are up to date, and how complete they are',
    examples: [
      ['The whole experiment', 'cje status'],
      ['One stage', 'cje status scores'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store } = session;
      const nodes = reach(graph, this.targets(session, this.targetPatterns));
      const found = await survey(nodes, ports);
      const rows = nodes.map((node) => {
        const entry = found.get(node.name);
        if (entry === undefined) return { node: node.name, state: 'stale', items: null, complete: null, note: '' };
        const { summary } = entry.action;
        const note = intolerable(node, entry.shape, entry.action) ?? summary.refusal ?? '';
        const state = summary.refusal === undefined ? 'up to date' : 'refused';
        return { node: node.name, state, items: summary.items, complete: completeItems(summary), note };
      });
      const holder = store.lock.holder();
      if (this.json) {
        this.printJson({ type: 'status', version: 1, nodes: rows, calls: store.calls.count(), lock: holder ?? null });
        return EXIT.built;
      }
      const lines = rows.map((row) => [
        row.node,
        row.state,
        row.items === null || row.items === 0 ? '' : `${count(row.complete)} of ${count(row.items)}`,
        row.note,
      ]);
      this.print(
        `${table([['node', 'state', 'complete', ''], ...lines], { align: ['left', 'left', 'right', 'left'] })}\n`,
      );
      const fresh = rows.filter(({ state }) => state !== 'stale').length;
      this.print(
        `\n${count(fresh)} of ${count(rows.length)} nodes up to date; ${count(store.calls.count())} replies in the cache.\n`,
      );
      if (holder !== undefined) {
        this.print(
          `A build is running: pid ${holder.pid} on ${holder.host}, since ${new Date(holder.since).toISOString()}.\n`,
        );
      }
      return EXIT.built;
    });
  }
}
