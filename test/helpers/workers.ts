/** Machines around a queue of work: builds of one grid, and workers, each with a folder and a home of its own. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startBuild } from './crashing.ts';
import { type Event, type Project, projectIn, ROOT } from './project.ts';
import { type OwnRedis, said, startRedis } from './redis.ts';

interface SceneOptions {
  /** Cells are 5 for each seed, ablation and size. */
  readonly seeds: number;
  readonly ablations: string;
  readonly samples?: number;
  readonly sizes?: string;
  /** Settings under `workers:`. */
  readonly workers: string;
}

export interface StartedWorker {
  readonly child: ChildProcess;
  /** All that it has said so far. */
  readonly said: () => string;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface WorkScene {
  readonly redis: OwnRedis;
  /** The folder of the shared cache. */
  readonly place: string;
  /** What a build without workers makes. */
  readonly reference: ReadonlyMap<string, string>;
  /** A machine that has the dataset, and nothing of the grid. */
  machine(): Project;
  startBuild(on: Project, onEvent?: (event: Event) => void): ReturnType<typeof startBuild>;
  startWorker(...options: readonly string[]): Promise<StartedWorker>;
  close(): Promise<void>;
}

export async function workScene(options: SceneOptions): Promise<WorkScene> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cje-work-')));
  const redis = await startRedis();
  const place = join(root, 'place');
  mkdirSync(place);
  const folder = (name: string): Project => {
    mkdirSync(join(root, name));
    return projectIn(join(root, name));
  };
  const settings = [
    `samples=${options.samples ?? 60}`,
    `sample_sizes=${options.sizes ?? '[40]'}`,
    `ablations=${options.ablations}`,
  ].flatMap((text) => ['--set', text]);

  const first = folder('first');
  cpSync(join(ROOT, 'configs'), join(first.folder, 'configs'), { recursive: true });
  cpSync(join(ROOT, 'examples/grid/pipeline.yaml'), join(first.folder, 'pipeline.yaml'));
  first.edit('configs/grid.yaml', 'seeds: 50', `seeds: ${options.seeds}`);
  expect(first.build('dataset', ...settings)).toMatchObject({ exit: 0, stderr: '' });
  cpSync(first.folder, join(root, 'dataset'), { recursive: true });
  expect(first.build(...settings)).toMatchObject({ exit: 0, stderr: '' });

  const key = JSON.parse(first.run('cache', 'keygen', '-o', join(root, 'key.pem'), '--json').stdout) as {
    public: string;
  };
  const remoteFile = `remote: { url: ${place}, sign_with: ${join(root, 'key.pem')}, trusted: ['${key.public}'], pull: never }
cluster: { redis: '${redis.url}', account: lab, till: false, workers: { ${options.workers} } }
`;
  const workers: StartedWorker[] = [];
  let machines = 0;
  return {
    redis,
    place,
    reference: first.outputs(),
    machine() {
      const name = `machine-${++machines}`;
      cpSync(join(root, 'dataset'), join(root, name), { recursive: true });
      const machine = projectIn(join(root, name));
      machine.write('cje.remote.yaml', remoteFile);
      return machine;
    },
    startBuild: (on, onEvent) => startBuild(on, settings, onEvent),
    async startWorker(...more) {
      const own = folder(`worker-${++machines}`);
      own.write('cje.remote.yaml', remoteFile);
      const child = own.start(['worker', '--jobs', '1', '--json', ...more], {
        HOME: own.folder,
        XDG_CONFIG_HOME: own.folder,
      });
      child.stderr!.resume();
      let text = '';
      child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      await said(child.stdout!, '"worker-open"');
      const worker: StartedWorker = {
        child,
        said: () => text,
        async kill(signal = 'SIGKILL') {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill(signal);
          await once(child, 'exit');
        },
      };
      workers.push(worker);
      return worker;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await redis.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The last `workers` event, and how often a job came back. */
export function workOf(events: readonly Event[]) {
  const last = events.findLast(({ type }) => type === 'workers');
  const returned = events.filter(({ type }) => type === 'work-returned').map(({ reason }) => reason as string);
  const notes = events.filter(({ type }) => type === 'note').map(({ text }) => text as string);
  return { last, returned, notes };
}
