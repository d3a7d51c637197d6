// node bench/memory/run.mjs [PROMPTS]: the memory of a build that makes every response row anew from stored replies.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { COMMAND, keptFolder, ROOT } from '../lib/arena.mjs';
import { bundle } from '../lib/bundle.mjs';
import { report } from '../lib/measure.mjs';

const prompts = Number(process.argv[2] ?? 100_000);
const folder = keptFolder(`memory-${prompts}`);
rmSync(`${folder}/configs`, { recursive: true, force: true });
cpSync(`${ROOT}configs`, `${folder}/configs`, { recursive: true });
writeFileSync(
  `${folder}/pipeline.yaml`,
  readFileSync(`${ROOT}pipeline.yaml`, 'utf8')
    .replace(/^( {2}samples: )\d+/m, `$1${prompts}`)
    .replace('prompts_source: simulated', 'prompts_source: prompts.jsonl'),
);
if (!existsSync(`${folder}/prompts.jsonl`)) {
  const lines = Array.from({ length: prompts }, (_, index) => {
    const more = 'Take your time. '.repeat(index % 8);
    const prompt =
      `Question ${index}: how would you explain the number ${index * 7} to somebody who has never counted? ${more}`.trim();
    return JSON.stringify({ prompt_id: `p${index}`, prompt });
  });
  writeFileSync(`${folder}/prompts.jsonl`, `${lines.join('\n')}\n`);
}

console.log(`filling the cache in ${folder} (a few minutes, the first time)`);
const filled = spawnSync(process.execPath, [await bundle('memory/fill.ts')], { cwd: folder, stdio: 'inherit' });
if (filled.status !== 0) throw new Error('the cache could not be filled');

/** Highest resident memory in MB: in all, as `time` and `top` see it, and without the pages of mapped files. */
function watch(pid, peak) {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return;
  }
  const value = (name) => (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024) / 1e6;
  peak.own = Math.max(peak.own, value('RssAnon'));
  peak.all = Math.max(peak.all, value('VmHWM'));
}

async function measured(...args) {
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const peak = { own: 0, all: 0 };
  const timer = setInterval(() => watch(child.pid, peak), 20);
  const start = performance.now();
  const status = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (status !== 0) throw new Error(`cje ${args.join(' ')} ended with ${status}: ${text}`);
  return { ...peak, seconds: (performance.now() - start) / 1000, text };
}

const built = await measured('build', 'responses', '--offline');
const again = await measured('build', 'responses', '--offline', '--force', 'responses');
console.log(`\n${prompts.toLocaleString('en')} prompts × 5 policies, rows written from stored replies`);
for (const [name, { own, all, seconds }] of Object.entries({ 'first build': built, 'forced again': again })) {
  report(`${name}: resident, mapped pages of the store included`, all, 'MB', 600);
  report(`${name}: own memory`, own, 'MB');
  report(`${name}: time`, seconds, 's');
}
