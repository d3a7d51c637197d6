/** `cje cluster status`: who is at the till, what was spent, what nobody knows, and who works. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { clusterText } from '../../terminal/cluster-text.ts';
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
    this.print(clusterText(status, { workers, work }, cap));
    return EXIT.built;
  }
}
