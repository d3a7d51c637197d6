// npm run bench              what there is to measure
// npm run bench NAME [ARG…]  measures it
// npm run bench quick        the figures of docs/performance.md that take no large cache, in a few minutes
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/run.mjs`));
const QUICK = [
  ['startup', '200', '15'],
  ['buying', '5000', '64', '3'],
  ['store', '20000', '20000'],
];

const run = (name, args) =>
  spawnSync(process.execPath, [`${folder}${name}/run.mjs`, ...args], { stdio: 'inherit' }).status ?? 1;

/** The comment that opens a bench, without the command itself. */
function about(name) {
  const lines = readFileSync(`${folder}${name}/run.mjs`, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const text = lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ');
  return text.replace(/^node \S+\s*/, '');
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  const width = Math.max(...names.map(({ length }) => length));
  for (const each of names) console.log(`${each.padEnd(width)}  ${about(each)}`);
  console.log('\nnpm run bench NAME [ARGUMENT…] measures one; npm run bench quick the fast ones.');
} else if (name === 'quick') {
  for (const [each, ...given] of QUICK) {
    console.log(`\n== ${each} ==`);
    if (run(each, given) !== 0) process.exitCode = 1;
  }
} else if (names.includes(name)) {
  process.exitCode = run(name, args);
} else {
  console.error(`there is no bench ${name}; there are ${names.join(', ')}`);
  process.exitCode = 2;
}
