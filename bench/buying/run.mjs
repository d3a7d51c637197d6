// node bench/buying/run.mjs [CALLS] [CONCURRENCY] [ROUNDS]: CPU that the engine adds to a bought call.
import { spawnSync } from 'node:child_process';
import { ROOT } from '../lib/arena.mjs';
import { bundle } from '../lib/bundle.mjs';
import { report } from '../lib/measure.mjs';

const [calls = '10000', concurrency = '64', rounds = '5'] = process.argv.slice(2);
const run = [await bundle('buying/overhead.ts'), `${ROOT}bench/buying/server.mjs`, calls, concurrency, rounds];
const { status, stdout } = spawnSync(process.execPath, run, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
if (status !== 0) throw new Error('the bench failed');
const { cpu, rate } = JSON.parse(stdout);
console.log(`${calls} calls, ${concurrency} at once, best of ${rounds} rounds in turns`);
report('bare SDK call over the same transport', cpu.bare, 'µs CPU');
report('bought by a build', cpu.engine, 'µs CPU');
report('the engine adds', cpu.engine - cpu.bare, 'µs CPU a call', 150);
report('calls a second, build against bare', rate.engine / rate.bare, '×');
