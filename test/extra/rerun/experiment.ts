/** One warmed project, copied for each row of the table; and the command, run in a copy. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Document, parse, parseDocument } from 'yaml';
import { ROOT } from '../../helpers/project.ts';
import type { Commands, Ran } from './commands.ts';

/** More than a consulted file must have aged before a build that depended on it is remembered. */
const SETTLED_MILLISECONDS = 2_100;

const SUBJECTS = ['tides', 'glass', 'bread', 'bees', 'maps', 'rust', 'clouds', 'chess'];
/** Each asks for something of its own, so that no two are one request. */
const PROMPTS = SUBJECTS.flatMap((subject) => [
  `How does one explain ${subject} to a child?`,
  `List three facts about ${subject}.`,
]);

/** A folder with an experiment in it. */
export class Folder {
  readonly path: string;
  readonly #commands: Commands;

  constructor(path: string, commands: Commands) {
    this.path = path;
    this.#commands = commands;
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }

  /** Replaces one text by another; it must be there. */
  edit(file: string, from: string, to: string): void {
    const text = this.read(file);
    if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
    this.write(file, text.replace(from, to));
  }

  /** Changes a YAML file by its structure. */
  change(file: string, edit: (document: Document) => void): void {
    const document = parseDocument(this.read(file));
    edit(document);
    this.write(file, document.toString());
  }

  yaml<T>(file: string): T {
    return parse(this.read(file)) as T;
  }

  rows<T>(file: string): T[] {
    return this.read(file)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  /** Runs `cje build`. The servers of the hosted profile live in this process, so it must not block. */
  build(args: readonly string[], command?: string): Promise<Ran> {
    return this.#commands.run(this.path, ['build', ...args], command);
  }

  at(path: string): Folder {
    return new Folder(path, this.#commands);
  }

  copy(path: string): Folder {
    cpSync(this.path, path, { recursive: true, preserveTimestamps: true });
    return this.at(path);
  }
}

export interface Warmed {
  readonly folder: Folder;
  /** For the copies. */
  readonly room: string;
  remove(): void;
}

/**
 * The shipped experiment on 16 prompts of a file, built under the profile `sim` and under `hosted`: two providers that
 * speak HTTP, of which one has an identity of its own, 12 of the 16 prompts, and each policy at its own temperature.
 *
 * @param north the base URL of the provider whose URL is its identity
 * @param south the base URL of the provider with an identity of its own
 */
export async function warmProject(north: string, south: string, commands: Commands): Promise<Warmed> {
  const room = realpathSync(mkdtempSync(join(tmpdir(), 'cje-rerun-')));
  const folder = new Folder(join(room, 'warm'), commands);
  mkdirSync(folder.path);
  for (const path of ['pipeline.yaml', 'configs'])
    cpSync(join(ROOT, path), join(folder.path, path), { recursive: true });
  folder.write(
    'prompts.jsonl',
    PROMPTS.map((prompt, index) => `${JSON.stringify({ prompt_id: `p${index}`, prompt })}\n`).join(''),
  );
  folder.edit('pipeline.yaml', 'prompts_source: simulated', 'prompts_source: prompts.jsonl');
  folder.edit('pipeline.yaml', 'samples: 200', `samples: ${PROMPTS.length}`);
  // So few rows give estimates all the same, so that what moves them shows in the report.
  folder.edit('configs/gates.yaml', 'minimum_rows: 30', 'minimum_rows: 5');
  folder.edit('configs/gates.yaml', 'minimum_ess: 20', 'minimum_ess: 2');
  addProfile(folder, 'hosted: { providers: configs/providers/served.yaml, vars: { samples: 12 } }');
  folder.write('configs/providers/served.yaml', servedProviders(north, south));
  for (const args of [HOSTED, []]) {
    const built = await folder.build(args);
    if (built.exit !== 0) throw new Error(`the experiment does not build: ${built.stdout}${built.stderr}`);
  }
  return { folder, room, remove: () => rmSync(room, { recursive: true, force: true }) };
}

/** Adds a profile behind the first, which is the default. */
export function addProfile(folder: Folder, line: string): void {
  const following = '  # A hundred real prompts';
  folder.edit('pipeline.yaml', following, `  ${line}\n\n${following}`);
}

/** Arguments that choose the served providers. */
export const HOSTED = ['--profile', 'hosted'];

const servedProviders = (north: string, south: string): string => `
providers:
  north:
    type: openai
    base_url: ${north}
    key: NORTH_KEY
    requests_per_minute: 60000
    concurrency: 16
  south:
    type: openai
    base_url: ${south}
    identity: the-south
models:
  scout: { provider: north, model: sim-base, template: llama4, bos: server, echo_tokens: 0 }
  maverick: { provider: south, model: sim-large, template: llama4, bos: server, echo_tokens: 0 }
  judge: { provider: south, model: sim-base }
  oracle: { provider: north, model: sim-oracle }
prices: configs/prices.yaml
`;

/** Waits until files that were written before now are old enough to be remembered by. */
export async function settle(since: number): Promise<void> {
  const left = since + SETTLED_MILLISECONDS - Date.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}

/** Runs every task, as many at once as there are cores to share. */
export async function inParallel<T>(tasks: readonly T[], run: (task: T) => Promise<void>, width = 2): Promise<void> {
  const waiting = [...tasks];
  const worker = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await run(task);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
