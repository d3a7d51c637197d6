/** A worker at work: a store for what it reads, the shared cache, and the queue, until it is told to end. */

import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import type { RegisteredKind } from '../core/kind.ts';
import { type Problem, ProblemError } from '../core/problem.ts';
import { withLock } from '../engine/build/lock.ts';
import type { Executor } from '../engine/executor.ts';
import type { ClusterSettings } from '../pipeline/remote-file.ts';
import { systemClock } from '../providers/clock.ts';
import { openStore } from '../store/store.ts';
import { connectTo, namedCluster } from './open-cluster.ts';
import { openNamedRemote } from './open-remote.ts';
import { scratchFolder } from './scratch-folder.ts';

type Threads = Executor & { close(): Promise<void> };

interface WorkerOptions {
  /** The folder where cje.remote.yaml is looked for. */
  readonly root: string;
  readonly cluster: ClusterSettings;
  /** Milliseconds after which a worker that says nothing counts as dead. */
  readonly lease: number;
  /** Keeps inputs; absent: one of the system's temporary folders, which is removed at the end. */
  readonly folder: string | undefined;
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
  /** Jobs at once. */
  readonly places: number;
  readonly openThreads: (cache: string) => Promise<Threads>;
  /** Milliseconds without work after which it ends. */
  readonly idle: number | undefined;
  readonly command: string;
  /** Of the program. */
  readonly version: string;
  readonly note: (text: string) => void;
  readonly problem: (problem: Problem) => void;
  readonly onOpen: (account: string, code: string) => void;
  /** Aborted: takes nothing new. */
  readonly interrupt: AbortSignal;
  /** Aborted: gives back what it has. */
  readonly kill: AbortSignal;
}

/** What builds of a folder hand out. @throws ProblemError where they do their work themselves */
export async function namedWorkers(root: string) {
  const cluster = await namedCluster(root);
  const { workerSettings } = await import('../pipeline/remote-file.ts');
  const settings = workerSettings(cluster);
  if (settings !== undefined) return { cluster, lease: settings.lease_seconds * 1000 };
  throw new ProblemError({
    id: 'CJE-CLUSTER-MISSING',
    headline: 'builds hand out no work here: the cluster has no `workers:`',
    facts: [['account', cluster.account]],
    hint: 'add `workers: true` under `cluster:` in cje.remote.yaml; docs/cluster.md shows it',
  });
}

/** Does jobs until it is told to end. @throws ProblemError where what it needs is not named or does not answer */
export async function serveWorker(options: WorkerOptions): Promise<void> {
  const { root, note, command } = options;
  const folder = options.folder ?? scratchFolder('worker');
  const store = openStore(folder);
  const remote = await openNamedRemote({ root, cache: store.folder, note });
  try {
    await withLock(store, command, () => takeJobs(options, { store, remote }));
  } finally {
    await store.close();
    await remote.objects.close();
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

interface Opened {
  readonly store: ReturnType<typeof openStore>;
  readonly remote: Awaited<ReturnType<typeof openNamedRemote>>;
}

async function takeJobs(options: WorkerOptions, { store, remote }: Opened): Promise<void> {
  const { cluster, kinds, places, version, lease, idle, note, problem, interrupt, kill } = options;
  const [{ writerOf }, { Exchange }, { codeOf }, { doJob }, { serve }] = await Promise.all([
    import('../remote/push.ts'),
    import('../remote/exchange.ts'),
    import('../workers/job.ts'),
    import('../workers/do-job.ts'),
    import('../workers/serve.ts'),
  ]);
  // What it cannot sign, nobody would take.
  writerOf(remote);
  const { account } = cluster;
  const redis = await connectTo(cluster);
  const executor = await options.openThreads(store.folder);
  try {
    const parts = { kinds, store, exchange: new Exchange(store, remote), executor, now: Date.now };
    const about = { host: hostname(), pid: process.pid, version, code: codeOf(kinds), places };
    options.onOpen(account, about.code);
    await serve({
      redis,
      account,
      id: `${about.host}-${about.pid}-${Date.now().toString(36)}`,
      about: { ...about, since: Date.now() },
      work: (data) => doJob(data, parts),
      lease,
      idle,
      clock: systemClock,
      note,
      problem,
      interrupt,
      kill,
    });
  } finally {
    redis.disconnect();
    await executor.close();
  }
}
