// The shipped experiment in the simulated world, as large as a bench needs it. Built once and kept outside of git; a
// later run buys only what the code or the configuration has changed since.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const COMMAND = `${ROOT}${process.env.CJE_DIST ?? 'dist'}/cje.js`;
const KEPT = `${ROOT}node_modules/.cache/cje-bench`;

/** A folder for what a bench keeps between runs. */
export function keptFolder(name) {
  const folder = `${KEPT}/${name}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * The folder of the shipped experiment with this many prompts, and a second pipeline file beside it, `edited.yaml`, in
 * which one word of the deterministic judge's template is another.
 */
export function arena(samples) {
  if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is missing: run \`npm run build\` first`);
  const folder = keptFolder(`arena-${samples}`);
  for (const path of ['configs', 'edited']) rmSync(`${folder}/${path}`, { recursive: true, force: true });
  cpSync(`${ROOT}configs`, `${folder}/configs`, { recursive: true });
  const pipeline = readFileSync(`${ROOT}pipeline.yaml`, 'utf8').replace(/^( {2}samples: )\d+/m, `$1${samples}`);
  replaceFile(`${folder}/pipeline.yaml`, pipeline);
  cpSync(`${ROOT}configs/judges`, `${folder}/edited`, { recursive: true });
  const judge = readFileSync(`${folder}/edited/deterministic.yaml`, 'utf8');
  writeFileSync(`${folder}/edited/deterministic.yaml`, judge.replace('configs/judges/', 'edited/'));
  const template = readFileSync(`${folder}/edited/deterministic.md`, 'utf8');
  writeFileSync(`${folder}/edited/deterministic.md`, template.replace('impartial judge', 'impartial referee'));
  writeFileSync(`${folder}/edited.yaml`, pipeline.replace('judge: configs/judges/', 'judge: edited/'));
  console.log(`building ${samples} prompts × 5 policies in ${folder} (a while, the first time)`);
  cje(folder, 'build', 'ablations');
  return folder;
}

/** A file is left alone when it says the same already, so that its time stays. */
function replaceFile(path, text) {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}

export function cje(folder, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`cje ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}
