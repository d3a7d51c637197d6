/** Hands a build's heavy work to workers, where `workers:` of cje.remote.yaml says so. */

import { hostname } from 'node:os';
import type { Graph } from '../core/graph.ts';
import { ProblemError } from '../core/problem.ts';
import type { Executor } from '../engine/executor.ts';
import type { Ports } from '../engine/ports.ts';
import { systemClock } from '../providers/clock.ts';
import type { LocalStore } from '../store/store.ts';
import type { SharedCache } from './around-build.ts';
import { clusterOf, connectTo } from './open-cluster.ts';

interface HeavyWork {
  readonly graph: Pick<Graph, 'root'>;
  readonly ports: Pick<Ports, 'kinds' | 'executor' | 'emit'>;
  readonly store: LocalStore;
}

interface WorkersOptions {
  /** Of the program. */
  readonly version: string;
  /** Heavy transforms that this machine makes at once. */
  readonly placesHere: number;
  readonly shared: SharedCache | undefined;
  readonly interrupt: AbortSignal;
}

/** Hands `work` an executor whose places are workers; undefined where none are named, and nothing is loaded. */
export async function withWorkers<T>(
  { graph, ports, store }: HeavyWork,
  { shared, interrupt, version, placesHere }: WorkersOptions,
  work: (executor: Executor | undefined) => Promise<T>,
): Promise<T> {
  const cluster = await clusterOf(graph.root);
  const { kinds, executor: here } = ports;
  if (cluster === undefined || shared === undefined || here === undefined) return work(undefined);
  const { workerSettings } = await import('../pipeline/remote-file.ts');
  const settings = workerSettings(cluster);
  if (settings === undefined) return work(undefined);
  const { account } = cluster;
  const [{ inBlocks }, { QueueExecutor }, { Exchange }, { codeOf }] = await Promise.all([
    import('../engine/blocks.ts'),
    import('../workers/queue-executor.ts'),
    import('../remote/exchange.ts'),
    import('../workers/job.ts'),
  ]);
  const code = codeOf(kinds);
  const executor = new QueueExecutor({
    async open() {
      const { BullWorkQueue } = await import('../workers/bull-queue.ts');
      try {
        const about = { host: hostname(), pid: process.pid, version, code };
        return new BullWorkQueue({ redis: await connectTo(cluster), account, id: `${about.host}-${about.pid}`, about });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        ports.emit({ type: 'note', text: `Redis does not answer (${cluster.redis}): heavy work is done here` });
        return undefined;
      }
    },
    exchange: new Exchange(store, shared.remote),
    kinds,
    code,
    blobs: store.blobs,
    here,
    placesHere,
    wait: settings.wait_seconds * 1000,
    lease: settings.lease_seconds * 1000,
    clock: systemClock,
    emit: ports.emit,
    interrupt,
  });
  try {
    return await work(inBlocks(executor, { kinds, here, milliseconds: settings.job_seconds * 1000 }));
  } finally {
    await executor.close();
  }
}
