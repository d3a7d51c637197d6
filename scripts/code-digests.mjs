// The digest of the code behind each kind: its entry module and all that it imports, statically or dynamically, and the
// versions of the packages among them. Comments and types are stripped. A module's digest is that of its text with each
// import named by the digest of what it leads to, so no path is in it: a file moved or renamed moves nothing.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, transform } from 'esbuild';

/** Where each file but the index is the entry of a kind of that name. */
const KINDS = 'src/kinds';

/**
 * @param {string} root the project's folder
 * @returns {Promise<Record<string, string>>} digest by kind
 */
export async function codeDigests(root) {
  return (await readCode(root)).digests();
}

/**
 * Reads the code behind every kind once.
 *
 * @param {string} root the project's folder
 */
export async function readCode(root) {
  const entries = Object.fromEntries(
    readdirSync(join(root, KINDS))
      .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
      .sort()
      .map((file) => [basename(file, '.ts'), `${KINDS}/${file}`]),
  );
  const modules = await behind(root, Object.values(entries));
  const texts = new Map(Object.keys(modules).map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const codeOf = async (path, text) => (path.endsWith('.ts') ? stripped(text) : text);
  const unedited = new Map(await Promise.all([...texts].map(async ([path, text]) => [path, await codeOf(path, text)])));
  const version = (specifier) => packageVersion(root, packageName(specifier));
  return {
    /** @param {(path: string, text: string) => string} [edit] what a test changes in memory, by path relative to the root */
    async digests(edit = (_path, text) => text) {
      const code = new Map(unedited);
      for (const [path, text] of texts) {
        const edited = edit(path, text);
        if (edited !== text) code.set(path, await codeOf(path, edited));
      }
      const known = new Map();
      const digestOf = (path) => {
        if (!known.has(path)) known.set(path, digestOfModule(path, code.get(path), modules[path].imports, named));
        return known.get(path);
      };
      const named = ({ path, external }) => (external ? `${path}@${version(path)}` : digestOf(path));
      return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, digestOf(entry)]));
    },
  };
}

/** The modules that the entries depend on, by path, with what each imports. */
async function behind(root, entryPoints) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
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
  return metafile.inputs;
}

// Without this the compiler would drop an import whose names serve as types alone, which the bundler keeps.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } };

async function stripped(text) {
  const { code } = await transform(text, { loader: 'ts', minifyWhitespace: true, legalComments: 'none', tsconfigRaw });
  return code;
}

/** A statement at the head of a stripped module that imports or passes on. */
const HEAD = /^(?:import|export)(?:[\w$*{}, ]*from)?"([^"]+)"[^;]*;/;
const DYNAMIC = /\bimport\("([^"]+)"/g;

/**
 * @param {string} path for complaints
 * @param {(record: { path: string, external?: boolean }) => string} named what stands for an import
 */
function digestOfModule(path, code, imports, named) {
  const sought = new Map(imports.map((record) => [record.original ?? record.path, record]));
  const found = new Set();
  const rename = (statement, specifier) => {
    if (!sought.has(specifier)) return statement;
    found.add(specifier);
    return statement.replace(`"${specifier}"`, `"${named(sought.get(specifier))}"`);
  };
  // A move also puts imports into another order; modules are pure, so the order means nothing.
  const head = [];
  let body = code;
  for (let match = HEAD.exec(body); match !== null; match = HEAD.exec(body)) {
    head.push(rename(match[0], match[1]));
    body = body.slice(match[0].length);
  }
  body = body.replaceAll(DYNAMIC, rename);
  const missed = [...sought.keys()].filter((specifier) => !found.has(specifier));
  if (missed.length > 0) throw new Error(`cannot read how ${path} imports ${missed.join(', ')}`);
  return sha(`${head.sort().join('\n')}\n${body}`);
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
