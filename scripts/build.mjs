// Bundles the command into dist/ and takes the digest of the code behind every kind.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { codeDigests } from './code-digests.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const outdir = join(root, process.env.CJE_DIST ?? 'dist');

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const digests = await codeDigests(root);

rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });

const entryPoints = {
  cje: 'src/cli/entry.ts',
  'simulator-worker': 'src/simulator/worker.ts',
  'transform-worker': 'src/cli/threads/worker.ts',
};
const options = {
  absWorkingDir: root,
  entryPoints,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outdir,
  external: ['lmdb'],
  minifySyntax: true,
  legalComments: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  // Some bundled packages are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
};

// The build digest covers every byte of the program, so it is taken from a first pass in which it is itself blank.
const define = (build) => ({
  __CJE_VERSION__: JSON.stringify(version),
  __CJE_CODE_DIGESTS__: JSON.stringify(digests),
  __CJE_BUILD_DIGEST__: JSON.stringify(build),
});
const blank = await build({ ...options, define: define(''), write: false });
const hash = createHash('sha256');
for (const file of blank.outputFiles.sort((a, b) => (a.path < b.path ? -1 : 1))) {
  hash.update(relative(outdir, file.path)).update('\0').update(file.contents);
}
await build({ ...options, define: define(hash.digest('hex').slice(0, 32)) });

const bin = join(outdir, 'cje.js');
writeFileSync(bin, `#!/usr/bin/env node\n${readFileSync(bin, 'utf8')}`);
chmodSync(bin, 0o755);
writeFileSync(join(outdir, 'code-digests.json'), `${JSON.stringify(digests, null, 2)}\n`);
if (readdirSync(outdir).length === 0) throw new Error('the bundle is empty');
