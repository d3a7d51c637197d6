/** The command line in this process and without a bundle: parsed, run, and what it printed. No heavy transform runs here. */

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

/** Runs `cje` in a folder. A process has one folder, so only one command runs at a time. */
export async function runIn(folder: string, ...args: readonly string[]): Promise<Ran> {
  const [stdout, stderr] = [collector(), collector()];
  const before = process.cwd();
  process.chdir(folder);
  try {
    const streams = { stdin: new PassThrough(), stdout: stdout.stream, stderr: stderr.stream };
    const exit = await main(args, pathToFileURL(`${ROOT}/dist/`), streams);
    const lines = args.includes('--json') ? stdout.text().split('\n') : [];
    const events = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event);
    return { exit, stdout: stdout.text(), stderr: stderr.text(), events, finished: events.at(-1) ?? { type: 'none' } };
  } finally {
    process.chdir(before);
  }
}
