// Bundles and runs the recorded grid: node bench/grid/run.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'cje-grid-'));
try {
  const outfile = path.join(folder, 'grid.mjs');
  const banner = {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  };
  const entryPoints = [path.join(here, 'main.ts')];
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, banner, logLevel: 'warning' });
  const { main } = await import(pathToFileURL(outfile).href);
  process.exitCode = main(
    path.resolve(here, '../../../shared/reference'),
    path.resolve(here, '../../test/fixtures/library'),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
