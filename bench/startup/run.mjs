// node bench/startup/run.mjs [PROMPTS] [ROUNDS]: what it costs to be told that there is nothing to do.
import { existsSync, rmSync, statSync } from 'node:fs';
import { arena, COMMAND, cje } from '../lib/arena.mjs';
import { compare, report } from '../lib/measure.mjs';

const prompts = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 25);
const folder = arena(prompts);
const memory = `${folder}/.cache/fast-path.json`;
// Files that were written just now may change again unseen, so it takes two seconds to be remembered.
for (let tries = 0; !existsSync(memory); tries++) {
  if (tries > 10) throw new Error('the build is not remembered');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  cje(folder, 'build', 'ablations');
}

const node = (name, ...args) => ({ name, command: process.execPath, args, cwd: folder });
const forgetting = () => rmSync(memory, { force: true });
const [bare, version, nothing] = compare(
  [
    node('node -e 0', '-e', '0'),
    node('cje --version', COMMAND, '--version'),
    node('cje build', COMMAND, 'build', 'ablations'),
  ],
  rounds,
);
const slow = compare([{ ...node('cje build, forgotten', COMMAND, 'build', 'ablations'), before: forgetting }], 5);
cje(folder, 'build', 'ablations');

const size = statSync(`${folder}/.cache/lmdb/data.mdb`).size / 1e6;
console.log(`\n${prompts} prompts × 5 policies; ${Math.round(size)} MB of replies; median of ${rounds} rounds`);
console.log(`node -e 0 takes ${bare.milliseconds.toFixed(0)} ms here; what follows is in multiples of it\n`);
report('cje --version', version.milliseconds / bare.milliseconds, '×', 1.3);
report('cje build, nothing to do', nothing.milliseconds / bare.milliseconds, '×', 1.5);
report('cje build, nothing to do, memory deleted', slow[0].milliseconds / bare.milliseconds, '×');
