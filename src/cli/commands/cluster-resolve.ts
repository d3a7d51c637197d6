/** `cje cluster resolve`: a person's word that calls which tills have died with may be bought again. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { counted } from '../../text/plural.ts';
import { CLUSTER_CATEGORY, ClusterCommand, type ClusterConnection } from '../cluster-command.ts';

export class ClusterResolveCommand extends ClusterCommand {
  static override paths = [['cluster', 'resolve']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'let calls be bought again that tills have died with more than once',
    details: `
      Such a call may have been billed each time, so it is bought again only on a person's word. What is booked as unknown stays
      booked.
    `,
    examples: [['After a look at the bill', 'cje cluster resolve']],
  });

  protected override async work(redis: ClusterConnection, cluster: ClusterSettings): Promise<ExitCode> {
    const { account } = cluster;
    const { resolveCalls } = await import('../../team/serve-till.ts');
    const calls = await resolveCalls(redis, cluster);
    if (this.json) this.printJson({ type: 'cluster-resolved', version: 1, account, calls });
    else this.print(`${counted(calls, 'call')} may be bought again.\n`);
    return EXIT.built;
  }
}
