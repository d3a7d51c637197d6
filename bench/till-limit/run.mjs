// node bench/till-limit/run.mjs [R] [SECONDS] [LATENCY] [BUSY]: four builders at one till under R requests a second, for about so many
// seconds, at a server that takes LATENCY milliseconds and counts by its own clock, in every second that could be chosen. BUSY
// processes burn a core each meanwhile. It needs redis-server on the PATH.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND, cje, ROOT } from '../lib/arena.mjs';
import { freePort, said } from '../lib/services.mjs';

const [limit = 50, seconds = 20, latency = 20, busy = 0] = process.argv.slice(2).map(Number);
const BUILDERS = 4;
const each = Math.ceil((limit * seconds) / BUILDERS);
const root = mkdtempSync(join(tmpdir(), 'cje-till-limit-'));
const children = [];
function start(command, args, cwd) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd });
  children.push(child);
  return child;
}

try {
  const server = fork(`${ROOT}bench/till-limit/server.mjs`, [String(latency)]);
  children.push(server);
  const [port] = await once(server, 'message');
  const redisPort = await freePort();
  await said(
    start('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', root], root),
    'Ready to accept connections',
  );

  writeFileSync(join(root, 'prompts.jsonl'), `${JSON.stringify({ prompt: 'none' })}\n`);
  const address = `http://127.0.0.1:${port}/v1`;
  cje(root, 'init', 'first', '--prompts', 'prompts.jsonl', '--policies', 'a,b', '--model', 'm', '--base-url', address);
  const providers = join(root, 'first/configs/providers.yaml');
  const written = readFileSync(providers, 'utf8').replace(
    /^(\s*)concurrency: \d+/m,
    `$1concurrency: ${Math.ceil(2 * limit * (1 + latency / 1000))}\n$1requests_per_minute: ${60 * limit}`,
  );
  writeFileSync(providers, written);
  writeFileSync(
    join(root, 'first/cje.remote.yaml'),
    `cluster: { redis: 'redis://127.0.0.1:${redisPort}', account: lab, till: { lease_seconds: 30 } }\n`,
  );
  // Each builder has prompts of its own, so none finds what another has bought.
  const builders = Array.from({ length: BUILDERS }, (_, builder) => {
    const folder = join(root, `builder-${builder}`);
    cpSync(join(root, 'first'), folder, { recursive: true });
    const prompts = Array.from({ length: each }, (_, index) => JSON.stringify({ prompt: `${builder} ${index}` }));
    writeFileSync(join(folder, 'prompts.jsonl'), `${prompts.join('\n')}\n`);
    cje(folder, 'build', 'prompts');
    return folder;
  });
  const home = join(root, 'till');
  cpSync(join(root, 'first'), home, { recursive: true });
  mkdirSync(join(root, 'out'), { recursive: true });
  await said(start(process.execPath, [COMMAND, 'till', '--json'], home), '"till-open"');
  for (let count = 0; count < busy; count++) start(process.execPath, ['-e', 'for(;;);'], root);

  const built = builders.map((folder) => {
    const child = start(process.execPath, [COMMAND, 'build', 'responses/a', '--yes', '--json', '--jobs', '64'], folder);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text = (text + chunk).slice(-2_000);
    });
    return once(child, 'exit').then(([status]) => ({ status, text }));
  });
  for (const { status, text } of await Promise.all(built)) {
    if (status !== 0) throw new Error(`a build ended with ${status}: ${text}`);
  }
  server.send('tell');
  const [{ arrivals, stall }] = await once(server, 'message');

  const mostIn = (window) => {
    let most = 0;
    for (let from = 0, to = 0; from < arrivals.length; from++) {
      while (to < arrivals.length && arrivals[to] < arrivals[from] + window) to++;
      most = Math.max(most, to - from);
    }
    return most;
  };
  // The shortest time in which one more came than a second may hold.
  const shortest = Math.min(...arrivals.map((at, index) => (arrivals[index + limit] ?? Number.POSITIVE_INFINITY) - at));
  const rate = (1000 * (arrivals.length - 1)) / (arrivals.at(-1) - arrivals[0]);
  console.log(
    `limit ${limit}/s: ${arrivals.length} requests of ${BUILDERS} builders, ${(rate / limit).toFixed(3)} of the limit over all; ` +
      `at most ${mostIn(1000)} in any second of the server, ${limit + 1} in ${shortest.toFixed(0)} ms at the soonest; ` +
      `it stood still for up to ${stall.toFixed(0)} ms itself`,
  );
  if (mostIn(1000) > limit || rate < 0.95 * limit) process.exitCode = 1;
} finally {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}
