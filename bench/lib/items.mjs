// Cost an item: what a command takes beyond the same command where it finds nothing to do, divided by its items.
import { rmSync } from 'node:fs';
import { COMMAND } from './arena.mjs';
import { compare, report } from './measure.mjs';

/**
 * @param {object} options
 * @param {string} options.folder
 * @param {string} options.what
 * @param {number} options.items
 * @param {number} options.bound microseconds an item
 * @param {readonly string[]} options.idle the command with nothing to do
 * @param {readonly string[]} options.busy the command with all items to do
 * @param {number} options.rounds
 */
export function reportItems({ folder, what, items, bound, idle, busy, rounds }) {
  // What the fast path saves is another bench's business.
  const before = () => rmSync(`${folder}/.cache/fast-path.json`, { force: true });
  const contender = (name, args) => ({
    name,
    command: process.execPath,
    args: [COMMAND, ...args],
    cwd: folder,
    before,
  });
  const [nothing, all] = compare([contender('nothing to do', idle), contender(what, busy)], rounds);
  console.log(`\n${what}: ${items.toLocaleString('en')} items, ${rounds} rounds, less the command with nothing to do`);
  const each = (key) => ((all[key] - nothing[key]) * 1000) / items;
  // CPU is ours alone, the collector's threads included; the wall clock also counts what others do.
  report('CPU, least', each('cpu'), 'µs an item', bound);
  report('wall clock, median', each('milliseconds'), 'µs an item');
}
