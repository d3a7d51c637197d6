/** A project in a temporary folder, and the real command run in it. */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const COMMAND = join(ROOT, process.env.CJE_DIST ?? 'dist', 'cje.js');

export interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The events of a `--json` run. */
  readonly events: readonly Event[];
  /** The last event. */
  readonly finished: Event;
}
// biome-ignore lint/suspicious/noExplicitAny: events are checked field by field
export type Event = Record<string, any> & { readonly type: string };

export interface Project {
  readonly folder: string;
  /** Runs `cje` with `--json` and reads its events. */
  build(...args: string[]): Ran;
  run(...args: string[]): Ran;
  /** @param variables added to the environment. */
  runWith(variables: Readonly<Record<string, string>>, ...args: string[]): Ran;
  read(path: string): string;
  write(path: string, text: string): void;
  /** Replaces one text by another in a file; the text must be there. */
  edit(path: string, from: string, to: string): void;
  /** Every file below `out/` with its bytes. */
  outputs(): Map<string, string>;
  /** @param variables added to the environment. */
  start(args: readonly string[], variables?: Readonly<Record<string, string>>): ReturnType<typeof spawn>;
}

/** A copy of the shipped experiment. Small by default: the tests are about builds, not about samples. */
export function shippedProject(options: { readonly samples?: number } = {}): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cje-')));
  cpSync(join(ROOT, 'pipeline.yaml'), join(folder, 'pipeline.yaml'));
  cpSync(join(ROOT, 'configs'), join(folder, 'configs'), { recursive: true });
  const project = projectIn(folder);
  if (options.samples !== undefined) {
    const text = project.read('pipeline.yaml');
    project.write('pipeline.yaml', text.replace(/^( {2}samples: )\d+/m, `$1${options.samples}`));
  }
  return project;
}

export function emptyProject(): Project {
  return projectIn(realpathSync(mkdtempSync(join(tmpdir(), 'cje-'))));
}

export function removeProject(project: Project | undefined): void {
  if (project !== undefined) rmSync(project.folder, { recursive: true, force: true });
}

/** An environment without anybody's credentials. */
function environment(): NodeJS.ProcessEnv {
  const { FIREWORKS_API_KEY: _, OPENAI_API_KEY: __, HF_TOKEN: ___, ...rest } = process.env;
  return { ...rest, NO_COLOR: '1' };
}

export function projectIn(folder: string): Project {
  const runWith = (variables: Readonly<Record<string, string>>, ...args: string[]): Ran => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment(), ...variables },
      maxBuffer: 1 << 28,
    });
    const events = args.includes('--json')
      ? stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Event)
      : [];
    return { exit: status, stdout, stderr, events, finished: events[events.length - 1] ?? { type: 'none' } };
  };
  const run = (...args: string[]) => runWith({}, ...args);
  return {
    folder,
    run,
    runWith,
    build: (...args) => run('build', ...args, '--json'),
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    write: (path, text) => writeFileSync(join(folder, path), text),
    edit(path, from, to) {
      const text = readFileSync(join(folder, path), 'utf8');
      if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
      writeFileSync(join(folder, path), text.replace(from, to));
    },
    outputs() {
      const out = join(folder, 'out');
      const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
        statSync(join(out, path)).isFile(),
      );
      return new Map(files.sort().map((path) => [path, readFileSync(join(out, path), 'latin1')]));
    },
    start: (args, variables) =>
      spawn(process.execPath, [COMMAND, ...args], {
        cwd: folder,
        env: { ...environment(), ...variables },
        stdio: 'pipe',
      }),
  };
}

/** The nodes that an event stream says ran. */
export function ranNodes(ran: Ran): string[] {
  return ran.events
    .filter((event) => event.type === 'node-finished' && event.outcome === 'run')
    .map((event) => event.node);
}
