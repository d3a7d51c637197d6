// node bench/workers/run.mjs [grid|paper|bootstrap] [SEEDS|REPLICATES]: the example's grid, the paper's (50 seeds: 16,250 cells) or a
// bootstrap that chooses its calibration in each replicate, by this machine alone, and by 1 and 4 workers with one core each, all of
// them here. Each worker has a home and a cache of its own; the bytes are compared. It needs redis-server on the PATH.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMAND, cje, keptFolder, ROOT } from '../lib/arena.mjs';
import { childrenCpu } from '../lib/measure.mjs';
import { sameOutputs } from '../lib/outputs.mjs';
import { freePort, said } from '../lib/services.mjs';

const PAPER = [
  'naive',
  'direct',
  'direct-augmented',
  'ips',
  'snips',
  'calibrated-ips',
  'dr-cpo',
  'dr-cpo-parity',
  'mrdr',
  'tmle',
  'stacked-dr',
  'original-calibrated-ips',
  'original-dr-cpo',
];
/** What is built on which dataset, and how much of it by default. */
const WORK = {
  grid: { size: 50, target: 'summary', settings: ['samples=1000'] },
  paper: {
    size: 50,
    target: 'summary',
    settings: ['samples=5500', 'sample_sizes=[250, 500, 1000, 2500, 5000]', `ablations=[${PAPER}]`],
  },
  bootstrap: { size: 500, target: 'bootstrap', settings: ['samples=1000'] },
};
const name = process.argv[2] ?? 'grid';
const work = WORK[name];
if (work === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(WORK).join(', ')}`);
const size = Number(process.argv[3] ?? work.size);
const SETTINGS = work.settings.flatMap((setting) => ['--set', setting]);

const root = mkdtempSync(join(tmpdir(), 'cje-workers-'));
const children = [];

function start(command, args, options) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.push(child);
  return child;
}

try {
  // Kept between runs: to make it takes minutes. A later run builds what code or configuration has changed since.
  const first = keptFolder(`workers-${name}`);
  rmSync(join(first, 'configs'), { recursive: true, force: true });
  cpSync(join(ROOT, 'configs'), join(first, 'configs'), { recursive: true });
  const pipeline = readFileSync(join(ROOT, 'examples/grid/pipeline.yaml'), 'utf8');
  writeFileSync(
    join(first, 'pipeline.yaml'),
    `${pipeline}
  bootstrap:
    kind: estimate
    inputs: { dataset: dataset }
    params: { name: bootstrap, scorer: deterministic, ablation: configs/ablations/direct-bootstrap.yaml, gates: configs/gates.yaml }
`,
  );
  const set = (file, from, to) => {
    const path = join(first, 'configs', file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  };
  if (name === 'bootstrap') set('ablations/direct-bootstrap.yaml', /^replicates: \d+/m, `replicates: ${size}`);
  else set('grid.yaml', /^seeds: \d+/m, `seeds: ${size}`);
  cje(first, 'build', 'dataset', ...SETTINGS);
  console.log(`${name} ${size}: the dataset is made (${work.settings[0]})`);

  const port = await freePort();
  const redis = start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', root]);
  await said(redis, 'Ready to accept connections');
  const key = join(root, 'key.pem');
  const { public: trusted } = JSON.parse(cje(first, 'cache', 'keygen', '-o', key, '--json'));

  let reference;
  let alone;
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
    const cpu = childrenCpu();
    const events = cje(folder, 'build', work.target, '--json', ...SETTINGS)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const seconds = (performance.now() - began) / 1000;
    reference ??= folder;
    const same = sameOutputs(reference, folder);
    const jobs = events.findLast(({ type }) => type === 'workers')?.done ?? 0;
    const who = workers === 0 ? `this machine alone, ${availableParallelism()} threads` : `${workers} × 1 core`;
    for (const child of running) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    // Of the build and its workers together: other work on the machine must not decide the ratio.
    const busy = (childrenCpu() - cpu) / 1000;
    alone ??= { seconds, busy };
    const ratios = `${(seconds / alone.seconds).toFixed(2)} ×, CPU ${busy.toFixed(1)} s, ${(busy / alone.busy).toFixed(2)} ×`;
    console.log(`${who}: ${seconds.toFixed(1)} s, ${ratios}; ${jobs} jobs; ${same ? 'the same bytes' : 'OTHER BYTES'}`);
    if (!same) process.exitCode = 1;
  }
} finally {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
