// Bundles and runs the speed measurements: node bench/stats/run.mjs [grid|fits|bootstrap|growth ...]
// Exit code 1 where a promised speed is missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'cje-stats-'));
try {
  const outfile = path.join(folder, 'stats.mjs');
  const entryPoints = [path.join(here, 'main.ts')];
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'warning' });
  const { main } = await import(pathToFileURL(outfile).href);
  const missed = main(process.argv.slice(2), path.resolve(here, '../../../shared/reference'));
  for (const promise of missed) console.error(`missed: ${promise}`);
  if (missed.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
