// node bench/limits/run.mjs [KIND]: what is sent to servers that allow only so much, by how they count and what they say, in virtual
// time: the share of the limit that is used and the share of the requests that is refused, both after the first minute. KIND is a part
// of a server's name.
import { spawnSync } from 'node:child_process';
import { bundle } from '../lib/bundle.mjs';

const table = await bundle('limits/table.ts');
process.exitCode = spawnSync(process.execPath, [table, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
