// Bundles the command into dist/ and takes the digest of the code behind every kind.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { codeDigests } from './code-digests.mjs';
import { entryPoints } from './entry-points.mjs';

const started = new Date();
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const outdir = join(root, process.env.CJE_DIST ?? 'dist');

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const digests = await codeDigests(root);

// zod brings its messages in fifty languages, half of its size, of which none but English is ever asked for.
const onlyEnglish = {
  name: 'only-english',
  setup(bundler) {
    const index = /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/;
    bundler.onLoad({ filter: index }, () => ({ contents: "export { default as en } from './en.js';" }));
  },
};

// undici's first file loads all of undici: fetch, WebSockets, caches, cookies, mocks. Only requests are sent here, so a
// build that buys would read twice as much code before its first call.
const onlyRequests = {
  name: 'only-requests',
  setup(bundler) {
    const index = /[\\/]node_modules[\\/]undici[\\/]index\.js$/;
    bundler.onLoad({ filter: index }, () => ({
      contents: `
        const Dispatcher = require('./lib/dispatcher/dispatcher');
        Object.assign(Dispatcher.prototype, require('./lib/api'));
        module.exports = {
          Agent: require('./lib/dispatcher/agent'),
          buildConnector: require('./lib/core/connect'),
          get EnvHttpProxyAgent() { return require('./lib/dispatcher/env-http-proxy-agent'); },
        };`,
    }));
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
  entryPoints: entryPoints.main,
  splitting: true,
  external: ['lmdb'],
  plugins: [onlyEnglish, onlyRequests],
  legalComments: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  // Some bundled packages are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};
const entry = {
  ...common,
  entryPoints: entryPoints.entry,
  plugins: [{ name: 'main-apart', setup: mainApart }],
  banner: { js: '#!/usr/bin/env node' },
};

// The build digest covers every byte of the program, so it is taken from a first pass in which it is itself blank.
const define = (build) => ({
  __CJE_VERSION__: JSON.stringify(version),
  __CJE_CODE_DIGESTS__: JSON.stringify(digests),
  __CJE_BUILD_DIGEST__: JSON.stringify(build),
});
const bundleAll = async (digest) => {
  const results = [options, entry].map((each) => build({ ...each, define: define(digest), write: false }));
  return (await Promise.all(results)).flatMap(({ outputFiles }) => outputFiles);
};
const blank = await bundleAll('');
const hash = createHash('sha256');
for (const file of blank.sort((a, b) => (a.path < b.path ? -1 : 1))) {
  hash.update(relative(outdir, file.path)).update('\0').update(file.contents);
}
const files = await bundleAll(hash.digest('hex').slice(0, 32));

// Written beside its place and then moved there: a build that fails leaves the bundle of before, and nobody meets half
// of one.
const fresh = `${outdir}-${process.pid}`;
const replaced = `${fresh}-replaced`;
for (const { path, contents } of files) {
  const target = join(fresh, relative(outdir, path));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, contents);
}
chmodSync(join(fresh, 'cje.js'), 0o755);
const stamp = join(fresh, 'code-digests.json');
writeFileSync(stamp, `${JSON.stringify(digests, null, 2)}\n`);
// Schemas for editors stand beside the command, where the experiments that `init` makes look for them.
mkdirSync(join(fresh, 'schemas'));
for (const name of ['pipeline', 'policy', 'judge', 'providers', 'remote']) {
  const schema = execFileSync(process.execPath, [join(fresh, 'cje.js'), 'schema', name], { maxBuffer: 1 << 26 });
  writeFileSync(join(fresh, 'schemas', `${name}.json`), schema);
}
// The bundle is as old as the code that was read for it.
utimesSync(stamp, started, started);
// Another build may do the same at this very moment; then it is done once more.
for (let attempt = 1; ; attempt++) {
  try {
    rmSync(replaced, { recursive: true, force: true });
    if (existsSync(outdir)) renameSync(outdir, replaced);
    renameSync(fresh, outdir);
    break;
  } catch (error) {
    if (attempt === 10 || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
}
rmSync(replaced, { recursive: true, force: true });
