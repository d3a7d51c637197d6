// node bench/harvest/run.mjs [CALLS]: takes in the results of a batch, from a server of its own into a store: CPU each, memory.
import { spawnSync } from 'node:child_process';
import { bundle } from '../lib/bundle.mjs';
import { report } from '../lib/measure.mjs';

const calls = Number(process.argv[2] ?? 100_000);
const { stdout, status } = spawnSync(process.execPath, [await bundle('harvest/harvest.ts'), String(calls)], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
const { microseconds, megabytes, all } = JSON.parse(stdout);
report(`CPU of each of ${calls.toLocaleString('en')} results`, microseconds, 'µs', 60);
report('memory of its own at most', megabytes, 'MB', 400);
report('resident at the end, the mapped pages of the store included', all, 'MB');
