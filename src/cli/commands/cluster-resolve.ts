/** `cje cluster resolve`: a person's word that calls which tills have died with may be bought again. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { counted } from '../../text/plural.ts';
import { CLUSTER_CATEGORY, ClusterCommand, type ClusterConnection } from '../cluster-command.ts';

export class ClusterResolveCommand extends ClusterCommand {
  static override paths = [['cluster', 'resolve']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'let calls be bought again that tills have died with more than once, or whose answers are lost',
    details: `
      A call that tills have died with may have been billed each time, so it is bought again only on a person's word. What is
      booked as unknown stays booked. With --missing it is calls instead whose answers an earlier till has bought, and that are
      neither in the caches of those since nor in a shared cache: what they cost stays spent, and the books count them as
      given up.
    `,
    examples: [
      ['After a look at the bill', 'cje cluster resolve'],
      ['When the disk of a till is lost', 'cje cluster resolve --missing'],
    ],
  });

  missing = Option.Boolean('--missing', false, {
    description: 'calls whose answers were bought and are nowhere in reach',
  });

  protected override async work(redis: ClusterConnection, cluster: ClusterSettings): Promise<ExitCode> {
    const { account } = cluster;
    const { resolveCalls } = await import('../../team/serve-till.ts');
    const calls = await resolveCalls(redis, cluster, this.missing ? 'missing' : 'unresolved');
    if (this.json) this.printJson({ type: 'cluster-resolved', version: 1, account, calls });
    else this.print(`${counted(calls, 'call')} may be bought again.\n`);
    return EXIT.built;
  }
}
