/** `cje cluster status`: who is at the till, what was spent, and what nobody knows. */

import { dirname, resolve } from 'node:path';
import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { connectTo, namedCluster } from '../remote/open-cluster.ts';

export class ClusterStatusCommand extends PipelineCommand {
  static override paths = [['cluster', 'status']];
  static override usage = Command.Usage({
    category: 'Beyond one machine',
    description: 'who is at the till, what was spent, and what waits',
    details: `
      *spent* is what usage shows; *reserved* is set aside for calls in flight; *unknown* may have been billed: a till died with
      the call, or no answer came. The three together never pass the cap.
    `,
    examples: [['Of the account in cje.remote.yaml', 'cje cluster status']],
  });

  async run(): Promise<ExitCode> {
    const cluster = await namedCluster(dirname(resolve(this.file)));
    const redis = await connectTo(cluster);
    try {
      const { clusterStatus } = await import('../../cluster/status.ts');
      const status = await clusterStatus(redis, cluster.account);
      if (this.json) {
        this.printJson({
          type: 'cluster-status',
          version: 1,
          account: cluster.account,
          cap: cluster.till.cap ?? null,
          ...status,
        });
        return EXIT.built;
      }
      const { books, tills, waiting, active } = status;
      const money = [
        ['spent', dollars(books.spent)],
        ['reserved', dollars(books.reserved)],
        ['unknown', `${dollars(books.unknown)} (${counted(books.unknowns, 'try', 'tries')})`],
        ['cap', cluster.till.cap === undefined ? 'none' : dollars(cluster.till.cap)],
        ['requests', String(books.calls)],
      ];
      this.print(`${table(money, { align: ['left', 'left'] })}\n`);
      this.print(`${counted(waiting, 'chunk')} of calls waiting, ${active} in hand.\n`);
      if (tills.length === 0) this.print('No till is open.\n');
      for (const { host, pid, version, seconds } of tills) {
        this.print(`Till on ${printable(host)}, pid ${pid}, cje ${printable(version)}: heard of ${seconds} s ago.\n`);
      }
      return EXIT.built;
    } finally {
      redis.disconnect();
    }
  }
}
