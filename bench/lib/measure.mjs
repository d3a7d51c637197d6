// Runs commands in turns and compares them: on a shared machine only the ratios of one run mean anything.
import { spawnSync } from 'node:child_process';

/**
 * @typedef {{ name: string, command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv, before?: () => void }} Contender
 * @typedef {{ name: string, milliseconds: number, cpu: number }} Measured the median of the wall clock; the least CPU, in
 *   milliseconds: what others do to the machine only ever adds to it
 */

/**
 * Wall and CPU time of each contender, rounds interleaved; one round more at first, to warm caches.
 *
 * @param {readonly Contender[]} contenders
 * @param {number} rounds
 * @returns {Measured[]}
 */
export function compare(contenders, rounds) {
  const samples = contenders.map(() => ({ milliseconds: [], cpu: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const [index, contender] of contenders.entries()) {
      contender.before?.();
      const sample = runOnce(contender);
      if (round < 0) continue;
      samples[index].milliseconds.push(sample.milliseconds);
      samples[index].cpu.push(sample.cpu);
    }
  }
  return contenders.map(({ name }, index) => ({
    name,
    milliseconds: median(samples[index].milliseconds),
    cpu: Math.min(...samples[index].cpu),
  }));
}

function runOnce({ name, command, args, cwd, env }) {
  const cpu = childrenCpu();
  const start = performance.now();
  const { status, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  const milliseconds = performance.now() - start;
  if (status !== 0) throw new Error(`${name} ended with ${status ?? error}: ${stderr}`);
  return { milliseconds, cpu: childrenCpu() - cpu };
}

/** Milliseconds of CPU of all children that have ended; 0 where the system does not tell. */
export function childrenCpu() {
  return childTimes?.() ?? 0;
}
const childTimes = linuxChildTimes();

function linuxChildTimes() {
  if (process.platform !== 'linux') return undefined;
  const fs = process.getBuiltinModule?.('node:fs');
  if (fs === undefined) return undefined;
  const TICK = 10;
  return () => {
    const stat = fs.readFileSync('/proc/self/stat', 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) * TICK;
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints a figure beside its bound, and remembers in the exit code when it is over. */
export function report(what, value, unit, bound) {
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  const verdict = bound === undefined ? '' : value <= bound ? `  ok (≤ ${bound})` : `  OVER ${bound}`;
  console.log(`${what.padEnd(52)} ${shown.padStart(8)} ${unit}${verdict}`);
  if (bound !== undefined && value > bound) process.exitCode = 1;
}
