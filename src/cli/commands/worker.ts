import { dirname, resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import { registerKinds } from '../../kinds/index.ts';
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
    const { namedWorkers, serveWorker } = await import('../../team/serve-worker.ts');
    const root = dirname(resolve(this.file));
    const { cluster, lease } = await namedWorkers(root);
    const jobs = positiveNumber('--jobs', this.jobs);
    const idle = this.idle === undefined ? undefined : parseAge('--idle', this.idle);
    if (this.printSlurm || this.printK8s) return this.#printLaunch(root, jobs);

    const note = (text: string) => this.say({ type: 'note', text }, text);
    const interrupts = watchInterrupts(() => note('ending: finishes what it has; press Ctrl-C again to give it back'));
    const places = jobs ?? placesHere();
    try {
      await serveWorker({
        root,
        cluster,
        lease,
        idle,
        places,
        folder: this.cacheFolder,
        kinds: registerKinds(CODE_DIGESTS),
        openThreads: (cache) => openThreads(cache, this.context.bundle, places),
        command: this.commandLine,
        version: VERSION,
        note,
        problem: (problem) => this.warn(problem),
        onOpen: (account, code) =>
          this.say(
            { type: 'worker-open', version: 1, account, code, places },
            `Worker of ${account}, ${counted(places, 'job')} at once. Ctrl-C ends it.`,
          ),
        ...interrupts,
      });
      return EXIT.built;
    } finally {
      interrupts.stop();
    }
  }

  async #printLaunch(root: string, jobs = PRINTED.jobs): Promise<ExitCode> {
    const [{ kubernetesManifest, slurmScript }, { readRemoteSettings }] = await Promise.all([
      import('../../team/worker-launch.ts'),
      import('../../team/remote-settings.ts'),
    ]);
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
