/** `cje status`: which nodes are up to date, how complete they are, and why the others are not. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { failuresOf } from '../../engine/explain/failures.ts';
import { nodeStatus } from '../../engine/explain/status.ts';
import { troubleOf } from '../../engine/explain/trouble.ts';
import { History } from '../../engine/history.ts';
import { reach } from '../../engine/select.ts';
import { survey } from '../../engine/survey.ts';
import { isGone, systemProcesses } from '../../store/disk/processes.ts';
import { isOutOfRoom } from '../../store/disk/room.ts';
import { outText } from '../../terminal/batch-text.ts';
import { failuresText, statusText, troubleText } from '../../terminal/status-text.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export class StatusCommand extends PipelineCommand {
  static override paths = [['status']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'which nodes are up to date, how complete they are, and what failed',
    details: `
      Complete counts the items that have what was asked for. With --failures, every item that has not: its status, and what
      the server said. Permanent failures are not asked again until \`build --retry-failed\`.
    `,
    examples: [
      ['The whole experiment', 'cje status'],
      ['One stage', 'cje status scores'],
      ['What failed, item by item', 'cje status --failures'],
    ],
  });

  targetPatterns = Option.Rest({ name: 'target' });
  failures = Option.Boolean('--failures', false, { description: 'the items without a usable reply, and why' });

  run(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async (session) => {
      const { graph, ports, store } = session;
      const nodes = reach(graph, this.targets(session, this.targetPatterns));
      const found = await survey(nodes, ports);
      const history = new History(store, graph.profile);
      if (this.failures) {
        const failures = failuresOf(nodes, found, history, ports);
        if (this.json) {
          for (const item of failures.items) this.printJson({ type: 'failed-item', version: 1, ...item });
          for (const call of failures.loose) this.printJson({ type: 'failed-call', version: 1, ...call });
          for (const node of failures.nodes) this.printJson({ type: 'failed-node', version: 1, ...node });
        } else {
          this.print(failuresText(failures, { verbose: this.verbose, width: this.look.width }));
        }
        return EXIT.built;
      }
      const rows = [];
      for (const node of nodes) rows.push(await nodeStatus(node, found, history, ports));
      const holder = store.lock.holder();
      // A build that was killed has left its row behind: it is not running.
      const lock = holder === undefined || isGone(holder, systemProcesses) ? null : holder;
      const calls = store.calls.count();
      const batches = store.batches.list();
      const full = isOutOfRoom(store.disk, store.folder);
      const trouble = troubleOf(store, { running: lock !== null, full });
      if (this.json) this.printJson({ type: 'status', version: 1, nodes: rows, calls, lock, batches, ...trouble });
      else {
        this.print(statusText(rows, calls, lock, ports.kinds));
        this.print(troubleText(trouble));
        if (batches.length > 0) this.print(`${outText(batches)} cje batch list names them.\n`);
      }
      return EXIT.built;
    });
  }
}
