// node bench/peers/run.mjs [ROUNDS] [TOOL...]: "nothing to do" on sixty nodes, by cje and by others.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arena, COMMAND, cje } from '../lib/arena.mjs';
import { compare } from '../lib/measure.mjs';
import { tasks } from './graph.mjs';
import { TOOLS } from './tools.mjs';

const [rounds = '9', ...wanted] = process.argv.slice(2);
const graph = tasks();
const folder = mkdtempSync(join(tmpdir(), 'cje-peers-'));
const node = (name, ...args) => ({ name, command: process.execPath, args });
try {
  const experiment = arena(200);
  for (let tries = 0; !existsSync(`${experiment}/.cache/fast-path.json`) && tries < 10; tries++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
    cje(experiment, 'build', 'ablations');
  }
  const contenders = [node('node -e 0', '-e', '0'), { ...node('cje', COMMAND, 'build', 'ablations'), cwd: experiment }];
  const absent = [];
  for (const [name, prepare] of Object.entries(TOOLS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const cwd = mkdtempSync(join(folder, `${name}-`));
    const prepared = prepare(cwd, graph);
    if ('absent' in prepared) {
      absent.push(`${name}: ${prepared.absent}`);
      continue;
    }
    const reason = checkIdle({ ...prepared, cwd });
    if (reason === undefined) contenders.push({ name, ...prepared, cwd });
    else absent.push(`${name}: ${reason}`);
  }
  const measured = compare(contenders, Number(rounds));
  const bare = measured[0].milliseconds;
  console.log(
    `\nNothing to do, ${graph.length} nodes; median of ${rounds} rounds in turns; node -e 0 takes ${bare.toFixed(0)} ms here\n`,
  );
  for (const { name, milliseconds } of measured.sort((a, b) => a.milliseconds - b.milliseconds)) {
    console.log(`${name.padEnd(12)} ${(milliseconds / bare).toFixed(2).padStart(7)} × node -e 0`);
  }
  for (const line of absent) console.log(`left out: ${line}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Builds, and builds again: the second time nothing may be written. The reason where the tool is not up to it. */
function checkIdle({ command, args, cwd, env }) {
  const run = () => spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  const first = run();
  if (first.status !== 0)
    return `does not build: ${(first.stderr || first.stdout || String(first.error)).trim().split('\n').at(-1)}`;
  const report = join(cwd, 'out/report.txt');
  if (!existsSync(report)) return 'built nothing';
  const before = statSync(report).mtimeMs;
  if (run().status !== 0) return 'fails the second time';
  return statSync(report).mtimeMs === before ? undefined : 'is never done';
}
