// Builds dist/ anew after every edit of the source. esbuild watches; each build is the whole one of build.mjs, in a
// process of its own, so that a bundle made here has the same digests as any other.
import { spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';
import { entryPoints } from './entry-points.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

function buildBundle() {
  const started = Date.now();
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
    child.once('close', (code) => {
      console.log(code === 0 ? `Built in ${Date.now() - started} ms.` : 'Not built: the bundle is that of before.');
      done();
    });
  });
}

const afterEdit = {
  name: 'after-edit',
  setup({ onEnd }) {
    // esbuild prints its own errors and goes on watching; it looks for edits again once this is done.
    onEnd(({ errors }) =>
      errors.length === 0 ? buildBundle() : console.log('Not built: the bundle is that of before.'),
    );
  },
};

const watcher = await context({
  absWorkingDir: root,
  entryPoints: { ...entryPoints.main, ...entryPoints.entry },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  outdir: 'unwritten',
  write: false,
  logLevel: 'error',
  plugins: [afterEdit],
});
await watcher.watch();
console.log('Watching src/; Ctrl-C ends it.');
