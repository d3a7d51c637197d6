/** `cje worker`: does heavy work for builds on other machines. */

import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode, ProblemError } from '../../core/problem.ts';
import { withLock } from '../../engine/build/lock.ts';
import { registerKinds } from '../../kinds/index.ts';
import type { ClusterSettings } from '../../pipeline/remote-file.ts';
import { systemClock } from '../../providers/clock.ts';
import type { Remote } from '../../remote/remote.ts';
import { type LocalStore, openStore } from '../../store/store.ts';
import { connectTo, namedCluster } from '../../team/open-cluster.ts';
import { openNamedRemote } from '../../team/open-remote.ts';
import { readRemoteSettings } from '../../team/remote-settings.ts';
import { scratchFolder } from '../../team/scratch-folder.ts';
import { counted } from '../../text/plural.ts';
import { CODE_DIGESTS, VERSION } from '../build-info.ts';
import { parseAge } from '../cache/ages.ts';
import { CLUSTER_CATEGORY } from '../cluster-command.ts';
import { openThreads, placesHere } from '../compose.ts';
import { watchInterrupts } from '../interrupts.ts';
import { positiveNumber } from '../numbers.ts';
import { PipelineCommand } from '../pipeline-command.ts';

/** How many workers a printed file starts, and how many jobs each of them takes. */
const PRINTED = { workers: 8, jobs: 4 };

interface Serving {
  readonly store: LocalStore;
  readonly remote: Remote;
  readonly cluster: ClusterSettings;
  readonly places: number;
  readonly lease: number;
  readonly idle: number | undefined;
  readonly note: (text: string) => void;
  readonly interrupt: AbortSignal;
  readonly kill: AbortSignal;
}

export class WorkerCommand extends PipelineCommand {
  static override paths = [['worker']];
  static override usage = Command.Usage({
    category: CLUSTER_CATEGORY,
    description: 'do heavy work (estimates, grids, bootstraps) for builds on other machines',
    details: `
      Needs a cje.remote.yaml with \`remote:\` and \`cluster:\`, the same as the builds have, and a key that is listed under
      \`trusted\`; no pipeline and no provider's key. Takes jobs of builds of the same code from the queue, reads their inputs
      from the shared cache, and puts what it made there, signed. Told to end, it finishes what it has within 20 seconds or
      gives it back; told twice, it gives it back at once.

      Exit codes: 0 told to end, or idle · 1 Redis or the shared cache does not answer · 2 bad settings · 4 another process uses
      the folder of --cache.
    `,
    examples: [
      ['On this machine, a job for each core', 'cje worker'],
      ['On a Slurm cluster', 'cje worker --print-slurm > workers.sh && sbatch workers.sh'],
      ['On Kubernetes', 'cje worker --print-k8s --image REGISTRY/cje:TAG | kubectl apply -f -'],
    ],
  });

  jobs = Option.String('-j,--jobs', { description: 'jobs at once; one for each core by default' });
  idle = Option.String('--idle', { description: 'end after so long without work: 10m, 2h' });
  cacheFolder = Option.String('--cache', {
    description:
      'keep inputs in this folder; one of the system’s temporary folders by default, which is removed at the end',
  });
  printSlurm = Option.Boolean('--print-slurm', false, { description: 'print a job array of Slurm, and stop' });
  printK8s = Option.Boolean('--print-k8s', false, { description: 'print a Job of Kubernetes, and stop' });
  workers = Option.String('--workers', { description: 'how many workers the printed file starts' });
  image = Option.String('--image', { description: 'the image with cje in it, for --print-k8s' });

  async run(): Promise<ExitCode> {
    const root = dirname(resolve(this.file));
    const cluster = await namedCluster(root);
    const { workerSettings } = await import('../../pipeline/remote-file.ts');
    const settings = workerSettings(cluster);
    if (settings === undefined) {
      throw new ProblemError({
        id: 'CJE-CLUSTER-MISSING',
        headline: 'builds hand out no work here: the cluster has no `workers:`',
        facts: [['account', cluster.account]],
        hint: 'add `workers: true` under `cluster:` in cje.remote.yaml; docs/cluster.md shows it',
      });
    }
    const jobs = positiveNumber('--jobs', this.jobs);
    const idle = this.idle === undefined ? undefined : parseAge('--idle', this.idle);
    if (this.printSlurm || this.printK8s) return this.#printLaunch(root, jobs);

    const note = (text: string) => this.say({ type: 'note', text }, text);
    const interrupts = watchInterrupts(() => note('ending: finishes what it has; press Ctrl-C again to give it back'));
    const folder = this.cacheFolder ?? scratchFolder('worker');
    const store = openStore(folder);
    const remote = await openNamedRemote({ root, cache: store.folder, note });
    const places = jobs ?? placesHere();
    try {
      await withLock(store, this.commandLine, () =>
        this.#serve({
          store,
          remote,
          cluster,
          places,
          idle,
          note,
          lease: settings.lease_seconds * 1000,
          ...interrupts,
        }),
      );
      return EXIT.built;
    } finally {
      interrupts.stop();
      await store.close();
      await remote.objects.close();
      if (this.cacheFolder === undefined) rmSync(folder, { recursive: true, force: true });
    }
  }

  async #serve({ store, remote, cluster, places, ...options }: Serving): Promise<void> {
    const [{ writerOf }, { Exchange }, { codeOf }, { doJob }, { serve }] = await Promise.all([
      import('../../remote/push.ts'),
      import('../../remote/exchange.ts'),
      import('../../workers/job.ts'),
      import('../../workers/do-job.ts'),
      import('../../workers/serve.ts'),
    ]);
    // What it cannot sign, nobody would take.
    writerOf(remote);
    const { account } = cluster;
    const redis = await connectTo(cluster);
    const executor = await openThreads(store.folder, this.context.bundle, places);
    try {
      const kinds = registerKinds(CODE_DIGESTS);
      const parts = { kinds, store, exchange: new Exchange(store, remote), executor, now: Date.now };
      const about = { host: hostname(), pid: process.pid, version: VERSION, code: codeOf(kinds), places };
      this.say(
        { type: 'worker-open', version: 1, account, code: about.code, places },
        `Worker of ${account}, ${counted(places, 'job')} at once. Ctrl-C ends it.`,
      );
      await serve({
        ...options,
        redis,
        account,
        id: `${about.host}-${about.pid}-${Date.now().toString(36)}`,
        about: { ...about, since: Date.now() },
        work: (data) => doJob(data, parts),
        clock: systemClock,
      });
    } finally {
      redis.disconnect();
      await executor.close();
    }
  }

  async #printLaunch(root: string, jobs = PRINTED.jobs): Promise<ExitCode> {
    const { kubernetesManifest, slurmScript } = await import('../../team/worker-launch.ts');
    const options = { workers: positiveNumber('--workers', this.workers) ?? PRINTED.workers, jobs };
    if (this.printSlurm) {
      this.print(slurmScript(root, options));
      return EXIT.built;
    }
    const found = await readRemoteSettings(root);
    this.print(kubernetesManifest(found!.settings, this.image ?? `cje:${VERSION}`, options));
    return EXIT.built;
  }
}
