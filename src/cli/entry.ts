/** The command's first step: answer at once where nothing has to be loaded, hand over where something has. */

import module from 'node:module';
import { systemProblem } from '../core/system-problem.ts';
import { renderProblem } from '../ui/problems.ts';
import { BUILD_DIGEST, VERSION } from './build-info.ts';
import { complaintEvents } from './complaint.ts';
import { remembered } from './last-build.ts';
import { settleColors, wantsColor } from './terminal-look.ts';

// A reader that has seen enough (`| head`) is no failure of ours. Where work is under way that an interrupt ends in good
// order, losing the reader is losing the terminal: calls in flight have been paid for and are awaited.
let readerIsGone = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (readerIsGone) return;
    readerIsGone = true;
    if (process.listenerCount('SIGHUP') > 0) process.emit('SIGHUP');
    else if (stream === process.stdout) process.exit(0);
  });
}

settleColors(process.env);
const args = process.argv.slice(2);
const known =
  args[0] === 'build' ? remembered(BUILD_DIGEST, args) : args[0] === '--version' ? `${VERSION}\n` : undefined;
if (known !== undefined) process.stdout.write(known);
else if (isTooOld(process.versions.node)) {
  process.stderr.write(`error: cje needs Node 20.19 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  // Compiled code is kept between runs where Node can do that (from 22.1).
  (module as { enableCompileCache?: () => unknown }).enableCompileCache?.();
  // Where zod looks for its settings before any schema is made. A command checks most schemas once, and compiling one
  // pays for itself after some hundreds.
  Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
  try {
    const { main } = await import('./main.ts');
    process.exitCode = await main(args, new URL('.', import.meta.url));
  } catch (error) {
    process.exitCode = told(error);
  }
}

/** What the machine would not do even before there is a command: too few files may be open to load one. */
function told(error: unknown): number {
  const problem = systemProblem(error);
  if (problem === undefined) throw error;
  if (args.includes('--json')) {
    for (const event of complaintEvents(problem.problems, problem.exit)) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
    }
  } else {
    const color = wantsColor(args, process.env, process.stderr);
    for (const each of problem.problems) process.stderr.write(`${renderProblem(each, { color })}\n`);
  }
  return problem.exit;
}

/** What an older Node lacks would be told as a broken import. */
function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 20 || (major === 20 && minor < 19);
}
