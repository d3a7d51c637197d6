/** Runs `cje` commands in a few processes that stay: one row of the table takes several, and starting is half of each. */

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type Event, ROOT } from '../../helpers/project.ts';

const COMMAND = join(ROOT, process.env.CJE_DIST ?? 'dist', 'cje.js');

export interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly Event[];
  readonly finished: Event;
}

export class Commands {
  readonly #idle: ChildProcess[];
  readonly #all: readonly ChildProcess[];
  readonly #waiting: ((process: ChildProcess) => void)[] = [];

  constructor(processes: number) {
    const { FIREWORKS_API_KEY: _, OPENAI_API_KEY: __, HF_TOKEN: ___, ...rest } = process.env;
    const env = { ...rest, NO_COLOR: '1', NORTH_KEY: 'north-key', OTHER_KEY: 'other-key' };
    const start = () => fork(join(import.meta.dirname, 'command-process.mjs'), { env, stdio: 'pipe' });
    this.#all = Array.from({ length: processes }, start);
    this.#idle = [...this.#all];
  }

  /** Runs `cje ARGS --json` in a folder, as soon as a process is free, and reads its events. */
  async run(folder: string, args: readonly string[], command = COMMAND): Promise<Ran> {
    const child = this.#idle.pop() ?? (await new Promise<ChildProcess>((wake) => this.#waiting.push(wake)));
    try {
      const ended = new Promise<Pick<Ran, 'exit' | 'stdout' | 'stderr'>>((resolve, reject) => {
        child.once('message', (message) => {
          child.removeAllListeners('exit');
          resolve(message as Ran);
        });
        child.once('exit', (code) => reject(new Error(`a command ended its process with ${code}`)));
      });
      child.send({ folder, command, args: [...args, '--json'] });
      const { exit, stdout, stderr } = await ended;
      const events = stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Event);
      return { exit, stdout, stderr, events, finished: events.at(-1) ?? { type: 'none' } };
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(child);
      else next(child);
    }
  }

  async close(): Promise<void> {
    const ends = this.#all.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#all) child.disconnect();
    await Promise.all(ends);
  }
}
