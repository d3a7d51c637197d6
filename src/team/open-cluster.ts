/** Opens what `cluster:` of cje.remote.yaml names. */

import type { Graph } from '../core/graph.ts';
import { ProblemError } from '../core/problem.ts';
import type { Ports } from '../engine/ports.ts';
import type { ClusterSettings, TillSettings } from '../pipeline/remote-file.ts';
import { secrets } from '../providers/environment.ts';
import type { OpenTill } from '../replies/chain.ts';
import { configFolder, readRemoteSettings, remoteFilePath } from './remote-settings.ts';

/** The cluster of a folder. @throws ProblemError where none is named */
export async function namedCluster(root: string): Promise<ClusterSettings> {
  const cluster = (await readRemoteSettings(root))?.settings.cluster;
  if (cluster !== undefined) return cluster;
  throw new ProblemError({
    id: 'CJE-CLUSTER-MISSING',
    headline: 'no till and no cluster are named here',
    facts: [['looked in', `${root}, ${configFolder()}`]],
    hint: 'write a cje.remote.yaml with `cluster:`; docs/cluster.md shows it',
  });
}

/** What the till is held to. @throws ProblemError where builds buy by themselves */
export function tillOf({ till, account }: ClusterSettings): TillSettings {
  if (till !== false) return till;
  throw new ProblemError({
    id: 'CJE-CLUSTER-MISSING',
    headline: 'the cluster that is named here has no till',
    facts: [['account', account]],
    hint: 'take `till: false` out of cje.remote.yaml, or let builds buy by themselves',
  });
}

/** A connection of its own, for the caller to end. @throws ProblemError where Redis does not answer */
export async function connectTo({ redis: url }: Pick<ClusterSettings, 'redis'>) {
  const { connectRedis } = await import('../cluster/connect.ts');
  return connectRedis({ url, password: secrets('CJE_REDIS_PASSWORD') });
}

/** What a build reads of the cluster of its folder; undefined where none is named, and nothing is loaded. */
export async function clusterOf(root: string): Promise<ClusterSettings | undefined> {
  if (remoteFilePath(root) === undefined) return undefined;
  return (await readRemoteSettings(root))?.settings.cluster;
}

/** Hands `work` the till of the folder, which is opened by the first call; none where none is named. */
export async function withTill<T>(
  { graph, ports }: { readonly graph: Pick<Graph, 'root'>; readonly ports: Pick<Ports, 'buildId' | 'emit'> },
  work: (till: OpenTill | undefined) => Promise<T>,
): Promise<T> {
  const settings = await clusterOf(graph.root);
  if (settings === undefined || settings.till === false) return work(undefined);
  const closing: (() => Promise<void>)[] = [];
  const open: OpenTill = async ({ calls, limits, interrupt, kill, onStop }) => {
    const { lookForTills, TillReplies } = await import('../cluster/till-replies.ts');
    const redis = await connectTo(settings);
    const { account } = settings;
    const replies = new TillReplies({
      redis,
      account,
      build: ports.buildId(),
      limits,
      calls,
      emit: ports.emit,
      onStop,
      interrupt,
      kill,
    });
    closing.push(() => replies.close());
    await lookForTills({ redis, account, emit: ports.emit });
    return replies;
  };
  try {
    return await work(open);
  } finally {
    for (const close of closing) await close();
  }
}
