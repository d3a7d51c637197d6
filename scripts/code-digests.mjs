// The digest of the code behind each kind: its entry module and all that it imports, statically or dynamically, with
// comments stripped, and the versions of the packages among them. Types are erased, so editing one moves nothing.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';

/**
 * @param {string} root the project's folder
 * @param {(path: string, text: string) => string} [edit] what a test changes in memory, by path relative to `root`
 * @returns {Promise<Record<string, string>>} digest by entry: `stages/NAME` for each kind's module, `simulator/world`
 */
export async function codeDigests(root, edit = (_path, text) => text) {
  const entries = {};
  for (const file of readdirSync(join(root, 'src/stages')).sort()) {
    if (file.endsWith('.ts') && file !== 'index.ts') entries[`stages/${file.slice(0, -3)}`] = `src/stages/${file}`;
  }
  const world = ['src/simulator/world/index.ts', 'src/simulator/world.ts'].find((path) => existsSync(join(root, path)));
  if (world !== undefined) entries['simulator/world'] = world;

  const stripped = new Map();
  const digestOf = async (path) => {
    let digest = stripped.get(path);
    if (digest === undefined) {
      const text = edit(path, readFileSync(join(root, path), 'utf8'));
      const { code } = path.endsWith('.ts')
        ? await transform(text, { loader: 'ts', minifyWhitespace: true, legalComments: 'none' })
        : { code: text };
      digest = sha(code);
      stripped.set(path, digest);
    }
    return digest;
  };
  const result = {};
  for (const [name, entry] of Object.entries(entries)) {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      metafile: true,
      write: false,
      outdir: 'unwritten',
      logLevel: 'silent',
    });
    const parts = [];
    for (const path of Object.keys(metafile.inputs).sort()) parts.push(`${path} ${await digestOf(path)}`);
    const packages = new Set();
    for (const { imports } of Object.values(metafile.inputs)) {
      for (const { path, external } of imports)
        if (external && !path.startsWith('node:')) packages.add(packageName(path));
    }
    for (const name of [...packages].sort()) parts.push(`${name}@${packageVersion(root, name)}`);
    result[name] = sha(parts.join('\n'));
  }
  return result;
}

const sha = (text) => createHash('sha256').update(text).digest('hex').slice(0, 32);

const packageName = (path) =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');

function packageVersion(root, name) {
  const file = join(root, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : 'builtin';
}
