// node bench/coverage/run.mjs [drift] [key=value ...]: coverage, bias and refusals over simulated worlds, on all cores;
// ends with 1 where a promise of docs/statistics.md is not kept
import { pathToFileURL } from 'node:url';
import { COMMAND, keptFolder, ROOT } from '../lib/arena.mjs';
import { bundle } from '../lib/bundle.mjs';

const worker = await bundle('coverage/worker.ts');
const { studyOnThreads } = await import(pathToFileURL(await bundle('coverage/threads.ts')).href);
const { main } = await import(pathToFileURL(await bundle('coverage/main.ts')).href);
const threads = Number(process.argv.find((argument) => argument.startsWith('threads='))?.slice(8)) || undefined;
const place = { folder: keptFolder('attacks'), command: COMMAND, configs: `${ROOT}configs` };
process.exitCode = await main(process.argv.slice(2), studyOnThreads(worker, threads), place);
