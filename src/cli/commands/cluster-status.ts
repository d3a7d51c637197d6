/** `cje cluster status`: who is at the till, what was spent, what nobody knows, and who works. */

import { dirname, resolve } from 'node:path';
import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import type { workStatus } from '../../workers/status.ts';
import { PipelineCommand } from '../pipeline-command.ts';
import { connectTo, namedCluster } from '../remote/open-cluster.ts';

type Work = Awaited<ReturnType<typeof workStatus>>;

/** A line for each worker, and one for the work that waits. */
function workText(workers: Work['workers'], work: Work['work']): string {
  const lines = work.map(({ code, waiting, inHand }) => {
    return `${counted(waiting, 'job')} for workers of the code ${printable(code)} waiting, ${inHand} in hand.`;
  });
  for (const { host, pid, version, code, places, jobs, seconds } of workers) {
    const has = jobs.map(({ node }) => printable(node)).join(', ');
    lines.push(
      `Worker on ${printable(host)}, pid ${pid}, cje ${printable(version)}, code ${printable(code)}: ` +
        `${jobs.length} of ${counted(places, 'place')}${has === '' ? '' : ` (${has})`}, heard of ${seconds} s ago.`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

export class ClusterStatusCommand extends PipelineCommand {
  static override paths = [['cluster', 'status']];
  static override usage = Command.Usage({
    category: 'Beyond one machine',
    description: 'who is at the till, what was spent, who works, and what waits',
    details: `
      *spent* is what usage shows; *reserved* is set aside for calls in flight; *unknown* may have been billed: a till died with
      the call, or no answer came. The three together never pass the cap. A worker that was not heard of for longer than its lease
      is dead, and what it had in hand goes to another.
    `,
    examples: [['Of the account in cje.remote.yaml', 'cje cluster status']],
  });

  async run(): Promise<ExitCode> {
    const cluster = await namedCluster(dirname(resolve(this.file)));
    const cap = cluster.till === false ? undefined : cluster.till.cap;
    const redis = await connectTo(cluster);
    try {
      const [{ clusterStatus }, { workStatus }] = await Promise.all([
        import('../../cluster/status.ts'),
        import('../../workers/status.ts'),
      ]);
      const [status, { workers, work }] = await Promise.all([
        clusterStatus(redis, cluster.account),
        workStatus(redis, cluster.account),
      ]);
      if (this.json) {
        this.printJson({
          type: 'cluster-status',
          version: 1,
          account: cluster.account,
          cap: cap ?? null,
          ...status,
          workers,
          work,
        });
        return EXIT.built;
      }
      const { books, tills, waiting, active } = status;
      const money = [
        ['spent', dollars(books.spent)],
        ['reserved', dollars(books.reserved)],
        ['unknown', `${dollars(books.unknown)} (${counted(books.unknowns, 'try', 'tries')})`],
        ['cap', cap === undefined ? 'none' : dollars(cap)],
        ['requests', String(books.calls)],
      ];
      this.print(`${table(money, { align: ['left', 'left'] })}\n`);
      this.print(`${counted(waiting, 'chunk')} of calls waiting, ${active} in hand.\n`);
      if (tills.length === 0) this.print('No till is open.\n');
      for (const { host, pid, version, seconds } of tills) {
        this.print(`Till on ${printable(host)}, pid ${pid}, cje ${printable(version)}: heard of ${seconds} s ago.\n`);
      }
      this.print(workText(workers, work));
      return EXIT.built;
    } finally {
      redis.disconnect();
    }
  }
}
