/** Machines around a till: projects that ask the same, each with a cache of its own, and a till that can be killed. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type Crashing, crashingProject } from './crashing.ts';
import { type Project, projectIn, removeProject } from './project.ts';
import { type OwnRedis, said, startRedis } from './redis.ts';

export const ACCOUNT = 'lab';

export interface TillScene {
  readonly crashing: Crashing;
  /** How often each call was sent to the provider. */
  readonly requests: Map<string, number>;
  /** Another machine; the first is the till's own. */
  machine(): Project;
  /** Starts a till, and waits until it is open. */
  openTill(): Promise<StartedTill>;
  /** Starts one in another folder. */
  startTill(on: Project): StartedTill;
}

interface StartedTill {
  readonly child: ChildProcess;
  /** Resolves when it has said these words. */
  said(words: string): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** A scene for a file of tests, with a Redis of its own, made and cleared away around them. */
export function sceneOfFile(): {
  readonly redis: OwnRedis;
  readonly scene: TillScene;
  readonly machines: readonly Project[];
  machine(): Project;
} {
  let redis: OwnRedis;
  let scene: TillScene;
  const machines: Project[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    scene = await tillScene(redis, { samples: 40, latencyMs: 5, till: 'lease_seconds: 2' });
  });
  afterAll(async () => {
    await scene.crashing.close();
    await redis.stop();
    machines.forEach(removeProject);
  });
  return {
    get redis() {
      return redis;
    },
    get scene() {
      return scene;
    },
    machines,
    machine() {
      machines.push(scene.machine());
      return machines.at(-1)!;
    },
  };
}

interface TillSceneOptions {
  readonly samples: number;
  readonly latencyMs?: number;
  /** Settings under `till:`. */
  readonly till: string;
  /** A setting of the provider. */
  readonly provider?: string;
  /** A shared cache, as it stands under `remote:`. */
  readonly remote?: string;
}

/** A scene for one story, with a Redis of its own. */
export async function withTillScene(
  options: TillSceneOptions,
  work: (scene: TillScene, redis: OwnRedis) => Promise<void>,
): Promise<void> {
  const redis = await startRedis();
  const scene = await tillScene(redis, options);
  const machines: Project[] = [];
  const machine = () => {
    machines.push(scene.machine());
    return machines.at(-1)!;
  };
  try {
    await work({ ...scene, machine }, redis);
  } finally {
    await scene.crashing.close();
    await redis.stop();
    machines.forEach(removeProject);
  }
}

async function tillScene(redis: OwnRedis, options: TillSceneOptions): Promise<TillScene> {
  const crashing = await crashingProject(options.samples, { latencyMs: options.latencyMs ?? 0 });
  const requests = new Map<string, number>();
  crashing.onRequest = (key) => {
    requests.set(key, (requests.get(key) ?? 0) + 1);
    return undefined;
  };
  const { project } = crashing;
  if (options.provider !== undefined) {
    project.edit('configs/providers/simulator.yaml', 'type: simulator', `type: simulator\n    ${options.provider}`);
  }
  project.write(
    'cje.remote.yaml',
    `${options.remote === undefined ? '' : `remote: ${options.remote}\n`}cluster:\n  redis: ${redis.url}\n  account: ${ACCOUNT}\n  till: { ${options.till} }\n`,
  );
  return {
    crashing,
    requests,
    machine() {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cje-machine-')));
      for (const file of ['pipeline.yaml', 'configs', 'cje.remote.yaml']) {
        cpSync(join(project.folder, file), join(folder, file), { recursive: true });
      }
      return projectIn(folder);
    },
    async openTill() {
      const till = startTill(project);
      await till.said('"till-open"');
      return till;
    },
    startTill,
  };
}

function startTill(on: Project): StartedTill {
  const child = on.start(['till', '--json']);
  child.stderr!.resume();
  return {
    child,
    said: (words) => said(child.stdout!, words),
    async kill(signal = 'SIGKILL') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}
