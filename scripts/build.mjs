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
  main: 'src/cli/main.ts',
  'simulator-worker': 'src/simulator/worker.ts',
  'transform-worker': 'src/cli/threads/worker.ts',
};
// zod brings its messages in fifty languages, half of its size, of which none but English is ever asked for.
const onlyEnglish = {
  name: 'only-english',
  setup(bundler) {
    const index = /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/;
    bundler.onLoad({ filter: index }, () => ({ contents: "export { default as en } from './en.js';" }));
  },
};

function mainApart(bundler) {
  bundler.onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './main.js', external: true }));
}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outdir,
  minifySyntax: true,
  logLevel: 'warning',
};
const options = {
  ...common,
  entryPoints,
  splitting: true,
  external: ['lmdb'],
  plugins: [onlyEnglish],
  legalComments: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  // Some bundled packages are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};
// The first step is a file of its own, for it is all that a build with nothing to do loads.
const entry = {
  ...common,
  entryPoints: { cje: 'src/cli/entry.ts' },
  plugins: [{ name: 'main-apart', setup: mainApart }],
  banner: { js: '#!/usr/bin/env node' },
};

// The build digest covers every byte of the program, so it is taken from a first pass in which it is itself blank.
const define = (build) => ({
  __CJE_VERSION__: JSON.stringify(version),
  __CJE_CODE_DIGESTS__: JSON.stringify(digests),
  __CJE_BUILD_DIGEST__: JSON.stringify(build),
});
const bundleAll = async (digest, write) => {
  const results = [options, entry].map((each) => build({ ...each, define: define(digest), write }));
  return (await Promise.all(results)).flatMap(({ outputFiles }) => outputFiles ?? []);
};
const blank = await bundleAll('', false);
const hash = createHash('sha256');
for (const file of blank.sort((a, b) => (a.path < b.path ? -1 : 1))) {
  hash.update(relative(outdir, file.path)).update('\0').update(file.contents);
}
await bundleAll(hash.digest('hex').slice(0, 32), true);

chmodSync(join(outdir, 'cje.js'), 0o755);
writeFileSync(join(outdir, 'code-digests.json'), `${JSON.stringify(digests, null, 2)}\n`);
if (readdirSync(outdir).length === 0) throw new Error('the bundle is empty');
