// Bundles a bench that is written in TypeScript against the sources, as the command itself is bundled.
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { COMMAND, keptFolder, ROOT } from './arena.mjs';

/** @returns {Promise<string>} the file to run */
export async function bundle(entry) {
  const outdir = keptFolder('bundles');
  const name = entry.replaceAll('/', '-').replace(/\.ts$/, '');
  const digests = readFileSync(COMMAND.replace(/cje\.js$/, 'code-digests.json'), 'utf8');
  await build({
    absWorkingDir: `${ROOT}bench`,
    entryPoints: { [name]: entry },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['lmdb'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    define: { __CJE_VERSION__: '"bench"', __CJE_BUILD_DIGEST__: '"bench"', __CJE_CODE_DIGESTS__: digests },
    logLevel: 'warning',
  });
  return `${outdir}/${name}.mjs`;
}
