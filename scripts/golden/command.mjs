// Golden values: `accept` builds everything anew and keeps it as right; `compare RUN OUT` holds an `out/` against them.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import setup from '../fresh-bundle.mjs';
import { differences, summary } from './compare.mjs';
import { buildAll, GOLDEN, goldens, outputs, RUNS } from './runs.mjs';

/** Where the texts of a run differ from its golden ones. */
function differencesOf(golden, texts) {
  const files = [...new Set([...Object.keys(golden), ...Object.keys(texts)])];
  return files.flatMap((file) => {
    if (golden[file] === undefined) return [`${file} has no golden value`];
    if (texts[file] === undefined) return [`${file} is gone`];
    return differences(file, golden[file], texts[file]);
  });
}

async function accept() {
  await setup();
  for (const [run, texts] of Object.entries(buildAll())) {
    const found = differencesOf(goldens(run), texts);
    const folder = join(GOLDEN, run);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(folder, file), text);
    console.log(`${run}: ${found.length === 0 ? 'nothing moved by more than 1e-9' : `moved\n${summary(found)}`}`);
  }
}

function compare(run, out) {
  // What a terminal shows is no file of a build.
  const { 'terminal-80.txt': _, 'terminal-80-full.txt': __, ...golden } = goldens(run);
  const found = differencesOf(golden, outputs(run, out));
  if (found.length === 0) return console.log(`${out} gives the golden values of ${run}`);
  console.error(
    `${out} differs from the golden values of ${run} (npm run golden accepts a change):\n${summary(found)}`,
  );
  process.exitCode = 1;
}

const [command, run, out] = process.argv.slice(2);
if (command === 'accept') await accept();
else if (command === 'compare' && RUNS.includes(run) && out !== undefined) compare(run, out);
else {
  console.error(`usage: command.mjs accept | compare ${RUNS.join('|')} OUT`);
  process.exitCode = 2;
}
