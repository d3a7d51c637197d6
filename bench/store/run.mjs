// node bench/store/run.mjs [CALLS] [ROWS]: bundles rates.ts and runs it.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const outfile = `${root}node_modules/.cache/cje-bench/store.mjs`;
mkdirSync(`${root}node_modules/.cache/cje-bench`, { recursive: true });
await build({
  entryPoints: [`${root}bench/store/rates.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['lmdb'],
});
process.exitCode = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
