// Records anew what the simulated world answers. It refuses while the world's identity is the one under which other
// answers were bought, for those would be served as the new ones.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const record = join(root, 'test/fixtures/world-answers.json');

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['test/simulator/world-answers.ts'],
  bundle: true,
  platform: 'node',
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { worldAnswers } = await import(`data:text/javascript;base64,${code}`);

const now = worldAnswers();
const before = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : { sorts: {} };
const changed = Object.keys(now.sorts).filter((name) => {
  const [recorded, asked] = [before.sorts[name], now.sorts[name]];
  return recorded?.requests === asked.requests && recorded.answers !== asked.answers;
});
if (changed.length > 0 && now.identity === before.identity) {
  console.error(`The world answers otherwise than recorded (${changed.join(', ')}) under the identity of before.`);
  console.error('Give WORLD_VERSION in src/simulator/world/version.ts another value first.');
  process.exitCode = 1;
} else {
  writeFileSync(record, `${JSON.stringify(now, null, 2)}\n`);
}
