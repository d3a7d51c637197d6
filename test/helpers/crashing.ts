/** A project whose replies come from a server that outlives its builds, and that knows every request it was sent. */

import { once } from 'node:events';
import { join } from 'node:path';
import type { ServerFault } from '../../src/simulator/faults.ts';
import { startSimulator } from '../../src/simulator/server.ts';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import { openStore } from '../../src/store/store.ts';
import { dataFileDamage } from '../../src/store/upkeep/salvage.ts';
import { type Damage, verifyStore } from '../../src/store/upkeep/verify.ts';
import { type Event, type Project, removeProject, shippedProject } from './project.ts';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

export interface Crashing {
  readonly project: Project;
  readonly simulator: Simulator;
  /** Called for each request, before it is answered; may say for how many milliseconds it is held back, or what goes wrong. */
  onRequest: (key: string) => number | ServerFault | undefined;
  close(): Promise<void>;
}

/** Keys do not depend on the port, so two such projects ask the same. */
export async function crashingProject(
  samples: number,
  options: { readonly latencyMs?: number } = {},
): Promise<Crashing> {
  const crashing: Pick<Crashing, 'onRequest'> = { onRequest: () => undefined };
  const simulator = await startSimulator({
    latencyMs: options.latencyMs ?? 0,
    faults: ({ key }) => {
      const fault = crashing.onRequest(key);
      if (typeof fault !== 'number') return fault;
      return fault > 0 ? { kind: 'slow', milliseconds: fault } : undefined;
    },
  });
  const project = shippedProject({ samples });
  project.edit(
    'configs/providers/simulator.yaml',
    'type: simulator',
    `type: simulator\n    base_url: ${simulator.url}`,
  );
  return Object.assign(crashing, {
    project,
    simulator,
    close: async () => {
      removeProject(project);
      await simulator.close();
    },
  });
}

export interface ListingResult {
  readonly damaged: readonly Damage[];
  readonly fault: string | undefined;
  /** Keys of stored replies. */
  readonly keys: ReadonlySet<string>;
}

/** What `cje cache verify` does, without the start of another process. */
export async function verify(project: Project): Promise<ListingResult> {
  const cache = join(project.folder, '.cache');
  const fault = dataFileDamage(nodeDisk, cache);
  const store = openStore(cache);
  try {
    const lock = await store.lock.acquire('test');
    if (!lock.ok) throw new Error(`the lock is held by ${lock.holder.pid}`);
    const { damaged } = await verifyStore(store);
    const keys = new Set<string>();
    for (const { key } of store.calls.scan()) keys.add(key);
    await store.lock.release();
    return { damaged, fault, keys };
  } finally {
    await store.close();
  }
}

export interface Ended {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly events: readonly Event[];
  readonly stderr: string;
}

/** Starts a build; `onLine` sees each of its events as it comes. */
export function startBuild(project: Project, args: readonly string[], onEvent: (event: Event) => void = () => {}) {
  const child = project.start(['build', ...args, '--json']);
  const events: Event[] = [];
  let rest = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const event = JSON.parse(line) as Event;
      events.push(event);
      onEvent(event);
    }
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended: Promise<Ended> = once(child, 'close').then(([exit, signal]) => ({ exit, signal, events, stderr }));
  return { child, ended };
}

/** Uniform numbers in [0, 1) that are the same in every run of the tests. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
