/** `cje cluster status`: who is at the till, what was spent, and what nobody knows. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import { CLUSTER_CATEGORY, ClusterCommand, type ClusterConnection } from '../cluster-command.ts';

export class ClusterStatusCommand extends ClusterCommand {
  static override paths = [['cluster', 'status']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'who is at the till, what was spent, and what waits',
    details: `
      *spent* is what usage shows; *reserved* is set aside for calls in flight; *unknown* may have been billed: a till died with
      the call, or no answer came. The three together never pass the cap.
    `,
    examples: [['Of the account in cje.remote.yaml', 'cje cluster status']],
  });

  protected override async work(redis: ClusterConnection, { account, till }: ClusterSettings): Promise<ExitCode> {
    const { clusterStatus } = await import('../../cluster/status.ts');
    const status = await clusterStatus(redis, account);
    if (this.json) {
      this.printJson({ type: 'cluster-status', version: 1, account, cap: till.cap ?? null, ...status });
      return EXIT.built;
    }
    const { books, tills, waiting, active } = status;
    const money = [
      ['spent', dollars(books.spent)],
      ['reserved', dollars(books.reserved)],
      ['unknown', `${dollars(books.unknown)} (${counted(books.unknowns, 'try', 'tries')})`],
      ['cap', till.cap === undefined ? 'none' : dollars(till.cap)],
      ['requests', String(books.calls)],
    ];
    this.print(`${table(money, { align: ['left', 'left'] })}\n`);
    this.print(`${counted(waiting, 'chunk')} of calls waiting, ${active} in hand.\n`);
    if (tills.length === 0) this.print('No till is open.\n');
    for (const { host, pid, version, seconds } of tills) {
      this.print(`Till on ${printable(host)}, pid ${pid}, cje ${printable(version)}: heard of ${seconds} s ago.\n`);
    }
    return EXIT.built;
  }
}
