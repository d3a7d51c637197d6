// The builds whose outputs are kept as golden values, and what of their outputs is.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { outline } from './outline.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
export const GOLDEN = join(ROOT, 'test/golden');

const SHIPPED = { report: 'ablations', datasets: ['dataset/deterministic', 'dataset/uncertainty'] };
const IMPORTED = { report: 'report', datasets: ['dataset'] };

/** The nodes that are read of each run. */
const NODES = { shipped: SHIPPED, 'without-oracle': SHIPPED, imported: IMPORTED };
export const RUNS = Object.keys(NODES);

/**
 * Builds everything that has golden values with the bundled command: the shipped experiment with and without its
 * oracle, from one store, and an import.
 *
 * @returns {Record<string, Record<string, string>>} texts by run and by name of the file
 */
export function buildAll() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cje-golden-')));
  try {
    for (const path of ['pipeline.yaml', 'configs']) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    const shipped = built('shipped', folder, 'build', 'ablations');
    const without = built('without-oracle', folder, 'build', 'ablations', '--set', 'oracle=off');
    cpSync(join(ROOT, 'test/fixtures/reference/plain'), join(folder, 'data'), { recursive: true });
    cje(folder, 'init', 'mine', '--from', 'import', 'data');
    return { shipped, 'without-oracle': without, imported: built('imported', join(folder, 'mine'), 'build') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds twice: what the second build prints has no time and no name of a build in it, for it found nothing to do. */
function built(run, folder, ...args) {
  cje(folder, ...args);
  const texts = outputs(run, join(folder, 'out'));
  return { ...texts, 'terminal-80.txt': cje(folder, ...args), 'terminal-80-full.txt': cje(folder, ...args, '--full') };
}

/**
 * What is kept of the folder `out/` of a run.
 *
 * @param {string} run
 * @param {string} out
 * @returns {Record<string, string>} texts by name of the file
 */
export function outputs(run, out) {
  const { report, datasets } = NODES[run];
  const read = (path) => readFileSync(join(out, path), 'utf8');
  const texts = {
    'estimates.csv': read(`${report}/estimates.csv`),
    'estimates.json': read(`${report}/estimates.json`),
    'data.json': read(`${report}/data.json`),
    'report.md': read(`${report}/report.md`),
    'report.html.txt': outline(read(`${report}/report.html`)),
  };
  for (const node of datasets) texts[`${node.replaceAll('/', '-')}-quality.json`] = read(`${node}/quality.json`);
  return Object.fromEntries(Object.entries(texts).map(([file, text]) => [file, portable(file, text)]));
}

/** Lays JSON out for the eye, and takes out the digest of the simulated world's code: it is no result. */
function portable(file, text) {
  const same = text.replaceAll(/simulator:[0-9a-f]{32}/g, 'simulator:WORLD');
  return file.endsWith('.json') ? `${JSON.stringify(JSON.parse(same), null, 1)}\n` : same;
}

/**
 * @param {string} run
 * @returns {Record<string, string>} the golden texts of a run by name of the file
 */
export function goldens(run) {
  const folder = join(GOLDEN, run);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** A terminal of 80 columns without colours, whatever the caller's is. */
const TERMINAL = 'data:text/javascript,Object.assign(process.stdout,{isTTY:true,columns:80})';

function cje(folder, ...args) {
  const { FIREWORKS_API_KEY: _, OPENAI_API_KEY: __, HF_TOKEN: ___, ...env } = process.env;
  const command = join(ROOT, process.env.CJE_DIST ?? 'dist', 'cje.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', TERMINAL, command, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, NO_COLOR: '1', TZ: 'UTC' },
    maxBuffer: 1 << 28,
  });
  if (status !== 0 || stderr !== '') throw new Error(`cje ${args.join(' ')} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}
