// node bench/transport/run.mjs [CALLS] [CONCURRENCY] [ROUNDS]: bundles rates.ts and runs it.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const outdir = `${root}node_modules/.cache/cje-bench/transport`;
mkdirSync(outdir, { recursive: true });
await build({
  entryPoints: [`${root}bench/transport/rates.ts`],
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
const run = [`${outdir}/rates.mjs`, `${root}bench/transport/server.mjs`, ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, run, { stdio: 'inherit' }).status ?? 1;
