// node bench/workers/run.mjs [SEEDS] [SAMPLES]: a grid by this machine alone, and by 1 and 4 workers with one core each, all
// of them here. Each worker has a home and a cache of its own; the bytes are compared. It needs redis-server on the PATH.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND, cje, ROOT } from '../lib/arena.mjs';

const seeds = Number(process.argv[2] ?? 50);
const samples = Number(process.argv[3] ?? 1000);
const SETTINGS = ['--set', `samples=${samples}`];

const root = mkdtempSync(join(tmpdir(), 'cje-workers-'));
const children = [];

/** Resolves when the process has said these words. */
function said(child, words) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.includes(words)) resolve();
    });
    child.once('exit', () => reject(new Error(`it ended: ${text}`)));
  });
}

function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.push(child);
  return child;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Every file below `out/` with its bytes. */
function outputsOf(folder) {
  const out = join(folder, 'out');
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(out, path)).isFile(),
  );
  return JSON.stringify(files.sort().map((path) => [path, readFileSync(join(out, path), 'latin1')]));
}

try {
  const first = join(root, 'dataset');
  mkdirSync(first);
  cpSync(join(ROOT, 'configs'), join(first, 'configs'), { recursive: true });
  cpSync(join(ROOT, 'examples/grid/pipeline.yaml'), join(first, 'pipeline.yaml'));
  const grid = readFileSync(join(first, 'configs/grid.yaml'), 'utf8').replace(/^seeds: \d+/m, `seeds: ${seeds}`);
  writeFileSync(join(first, 'configs/grid.yaml'), grid);
  console.log(`the dataset of ${samples} prompts is made`);
  cje(first, 'build', 'dataset', ...SETTINGS);

  const port = await freePort();
  const redis = start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', root]);
  await said(redis, 'Ready to accept connections');
  const key = join(root, 'key.pem');
  const { public: trusted } = JSON.parse(cje(first, 'cache', 'keygen', '-o', key, '--json'));

  let reference;
  for (const workers of [0, 1, 4]) {
    const folder = join(root, `build-${workers}`);
    cpSync(first, folder, { recursive: true });
    const place = join(root, `place-${workers}`);
    mkdirSync(place);
    // An account for each trial, so that none finds what was done for another.
    const file = `remote: { url: ${place}, sign_with: ${key}, trusted: ['${trusted}'], pull: never }
cluster: { redis: 'redis://127.0.0.1:${port}', account: lab-${workers}, till: false, workers: true }\n`;
    const open = [];
    for (let each = 0; each < workers; each++) {
      const home = join(root, `worker-${workers}-${each}`);
      mkdirSync(home);
      writeFileSync(join(home, 'cje.remote.yaml'), file);
      const args = [COMMAND, 'worker', '--jobs', '1', '--json'];
      const child = start(process.execPath, args, { cwd: home, env: { ...process.env, HOME: home } });
      open.push(said(child, '"worker-open"').then(() => child));
    }
    const running = await Promise.all(open);
    if (workers > 0) writeFileSync(join(folder, 'cje.remote.yaml'), file);
    const began = performance.now();
    const events = cje(folder, 'build', '--json', ...SETTINGS)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const seconds = (performance.now() - began) / 1000;
    const outputs = outputsOf(folder);
    reference ??= outputs;
    const jobs = events.findLast(({ type }) => type === 'workers')?.done ?? 0;
    const who = workers === 0 ? `this machine alone, ${availableParallelism()} threads` : `${workers} × 1 core`;
    console.log(
      `${who}: ${seconds.toFixed(1)} s, ${jobs} jobs; ${outputs === reference ? 'the same bytes' : 'OTHER BYTES'}`,
    );
    if (outputs !== reference) process.exitCode = 1;
    for (const child of running) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }
} finally {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
