/** What the commands on a cluster have in common: they are connected to it for as long as they work. */

import { dirname, resolve } from 'node:path';
import type { ExitCode } from '../core/problem.ts';
import type { ClusterSettings } from '../pipeline/remote-file.ts';
import { connectTo, namedCluster } from '../team/open-cluster.ts';
import { PipelineCommand } from './pipeline-command.ts';

export const CLUSTER_CATEGORY = 'Beyond one machine';

export type ClusterConnection = Awaited<ReturnType<typeof connectTo>>;

export abstract class ClusterCommand extends PipelineCommand {
  async run(): Promise<ExitCode> {
    const cluster = await namedCluster(dirname(resolve(this.file)));
    const redis = await connectTo(cluster);
    try {
      return await this.work(redis, cluster);
    } finally {
      redis.disconnect();
    }
  }

  protected abstract work(redis: ClusterConnection, cluster: ClusterSettings): Promise<ExitCode>;
}
