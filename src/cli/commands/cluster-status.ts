/** `cje cluster status`: who is at the till, what was spent, what nobody knows, and who works. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { printable } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { counted } from '../../text/plural.ts';
import { table } from '../../text/table.ts';
import type { workStatus } from '../../workers/status.ts';
import { CLUSTER_CATEGORY, ClusterCommand, type ClusterConnection } from '../cluster-command.ts';

export class ClusterStatusCommand extends ClusterCommand {
  static override paths = [['cluster', 'status']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'who is at the till, what was spent, who works, and what waits',
    details: `
      *spent* is what usage shows; *reserved* is set aside for calls in flight; *unknown* may have been billed: a till died with
      the call, or no answer came. The three together never pass the cap. A worker that was not heard of for longer than its lease
      is dead, and what it had in hand goes to another.
    `,
    examples: [['Of the account in cje.remote.yaml', 'cje cluster status']],
  });

  protected override async work(redis: ClusterConnection, { account, till }: ClusterSettings): Promise<ExitCode> {
    const [{ clusterStatus }, { workStatus }] = await Promise.all([
      import('../../cluster/status.ts'),
      import('../../workers/status.ts'),
    ]);
    const [status, { workers, work }] = await Promise.all([clusterStatus(redis, account), workStatus(redis, account)]);
    const cap = till === false ? undefined : till.cap;
    if (this.json) {
      this.printJson({ type: 'cluster-status', version: 1, account, cap: cap ?? null, ...status, workers, work });
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
    if (!tills.some(({ open }) => open)) this.print('No till is open.\n');
    for (const { host, pid, version, seconds, open } of tills) {
      const how = open ? 'open' : 'stands by';
      this.print(
        `Till on ${printable(host)}, pid ${pid}, cje ${printable(version)}: ${how}, heard of ${seconds} s ago.\n`,
      );
    }
    this.print(workText(workers, work));
    return EXIT.built;
  }
}

type Work = Awaited<ReturnType<typeof workStatus>>;

/** A line for each queue of work, and one for each worker. */
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
