// node bench/buying/run.mjs [CALLS] [CONCURRENCY] [ROUNDS]: CPU of a build that buys, process against process, beside a
// plain loop over the `openai` SDK that asks the same prompts and keeps nothing.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { COMMAND, cje, keptFolder, ROOT } from '../lib/arena.mjs';
import { compare, report } from '../lib/measure.mjs';

const [calls = '10000', concurrency = '64', rounds = '5'] = process.argv.slice(2);
const folder = keptFolder('buying');
rmSync(folder, { recursive: true, force: true });
keptFolder('buying');

const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(25);
const prompts = Array.from({ length: Number(calls) }, (_, index) => JSON.stringify({ prompt: `${index} ${TEXT}` }));
writeFileSync(`${folder}/prompts.jsonl`, `${prompts.join('\n')}\n`);

const server = fork(`${ROOT}bench/buying/server.mjs`);
const [port] = await once(server, 'message');
const baseUrl = `http://127.0.0.1:${port}/v1`;
cje(folder, 'init', 'exp', '--prompts', 'prompts.jsonl', '--policies', 'a,b', '--model', 'm', '--base-url', baseUrl);
const providers = `${folder}/exp/configs/providers.yaml`;
const written = readFileSync(providers, 'utf8').replace(/^(\s*)concurrency: \d+/m, `$1concurrency: ${concurrency}`);
writeFileSync(providers, written);

const build = (name, before) => ({
  name,
  command: process.execPath,
  args: [COMMAND, 'build', 'responses/a', '--jobs', concurrency, '--yes'],
  cwd: `${folder}/exp`,
  before,
});
// Choosing the prompts buys nothing, so it is done before.
const forget = () => {
  for (const path of ['.cache', 'out']) rmSync(`${folder}/exp/${path}`, { recursive: true, force: true });
  cje(`${folder}/exp`, 'build', 'prompts');
};
const [sdk, bought] = compare(
  [
    {
      name: 'a loop over the SDK',
      command: process.execPath,
      args: [`${ROOT}bench/buying/sdk.mjs`, baseUrl, `${folder}/prompts.jsonl`, concurrency],
    },
    build('a build that buys', forget),
  ],
  Number(rounds),
);
server.disconnect();

console.log(`${calls} calls, ${concurrency} at once, ${rounds} rounds in turns; whole processes`);
report('a loop over the SDK with its own fetch', (1000 * sdk.cpu) / calls, 'µs CPU a call');
report('bought, kept and written by a build', (1000 * bought.cpu) / calls, 'µs CPU a call');
report('a build against the loop, CPU', bought.cpu / sdk.cpu, '×', 0.5);
report('a build against the loop, wall clock', bought.milliseconds / sdk.milliseconds, '×');
