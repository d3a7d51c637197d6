/** The command line in this process and without a bundle: parsed, run, and what it printed. No heavy transform runs here. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { main } from '../../src/cli/main.ts';
import { type Event, type Ran, ROOT } from './project.ts';

const collector = () => {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, text: () => text };
};

let bundle: URL | undefined;

/** What a command looks for around its bundle, without one: the shipped files, and a place for schemas. */
function aroundBundle(): URL {
  if (bundle !== undefined) return bundle;
  const folder = mkdtempSync(join(tmpdir(), 'cje-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'dist', 'schemas'), { recursive: true });
  writeFileSync(join(folder, 'dist', 'cje.js'), '');
  for (const name of ['configs', 'pipeline.yaml']) symlinkSync(join(ROOT, name), join(folder, name));
  bundle = pathToFileURL(`${join(folder, 'dist')}/`);
  return bundle;
}

/** Runs `cje` in a folder. A process has one folder, so only one command runs at a time. */
export async function runIn(folder: string, ...args: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [collector(), collector()];
  const before = process.cwd();
  process.chdir(folder);
  try {
    const streams = { stdin: new PassThrough(), stdout: stdout.stream, stderr: stderr.stream };
    const exit = await main(args, aroundBundle(), streams);
    const lines = args.includes('--json') ? stdout.text().split('\n') : [];
    const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event);
    return { exit, stdout: stdout.text(), stderr: stderr.text(), events, finished: events.at(-1) ?? { type: 'none' } };
  } finally {
    process.chdir(before);
  }
}
