// The digest of the code behind each kind: its entry module and all that it imports, statically or dynamically, with
// comments stripped, and the versions of the packages among them. Types are erased, so editing one moves nothing.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';

/**
 * @param {string} root the project's folder
 * @returns {Promise<Record<string, string>>} digest by entry: `stages/NAME` for each kind's module, `simulator/world`
 */
export async function codeDigests(root) {
  return (await readCode(root)).digests();
}

/**
 * Reads the code behind every entry once.
 *
 * @param {string} root the project's folder
 */
export async function readCode(root) {
  const entries = Object.entries(entryModules(root));
  const code = new Map(await Promise.all(entries.map(async ([name, entry]) => [name, await behind(root, entry)])));
  const unedited = new Map();
  const digestOf = async (path, edit) => {
    const text = readFileSync(join(root, path), 'utf8');
    const edited = edit(path, text);
    if (edited !== text) return digestOfModule(path, edited);
    if (!unedited.has(path)) unedited.set(path, digestOfModule(path, text));
    return unedited.get(path);
  };
  return {
    /** The files behind an entry, relative to the root. */
    files: (name) => code.get(name).files,
    /** @param {(path: string, text: string) => string} [edit] what a test changes in memory, by path relative to the root */
    async digests(edit = (_path, text) => text) {
      const result = {};
      for (const [name, { files, packages }] of code) {
        const parts = await Promise.all(files.map(async (path) => `${path} ${await digestOf(path, edit)}`));
        result[name] = sha([...parts, ...packages].join('\n'));
      }
      return result;
    },
  };
}

function entryModules(root) {
  const entries = {};
  for (const file of readdirSync(join(root, 'src/stages')).sort()) {
    if (file.endsWith('.ts') && file !== 'index.ts') entries[`stages/${file.slice(0, -3)}`] = `src/stages/${file}`;
  }
  return { ...entries, 'simulator/world': 'src/simulator/world/index.ts' };
}

/** The files that a module stands on, itself included, and the packages with their versions; both in order of name. */
async function behind(root, entry) {
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
  const packages = new Set();
  for (const { imports } of Object.values(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (external && !path.startsWith('node:')) packages.add(packageName(path));
    }
  }
  const versions = [...packages].sort().map((name) => `${name}@${packageVersion(root, name)}`);
  return { files: Object.keys(metafile.inputs).sort(), packages: versions };
}

async function digestOfModule(path, text) {
  if (!path.endsWith('.ts')) return sha(text);
  const { code } = await transform(text, { loader: 'ts', minifyWhitespace: true, legalComments: 'none' });
  return sha(code);
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
