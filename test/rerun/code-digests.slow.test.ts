/** Which kinds' digests an edit of the code moves: those of the kinds that import the file, and no others. */

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Code, type CodeDigests, codeDigests, readCode } from '../../scripts/code-digests.mjs';
import { ROOT } from '../helpers/project.ts';

const KINDS = 'src/kinds';

let code: Code;
let before: CodeDigests;

beforeAll(async () => {
  code = await readCode(ROOT);
  before = await code.digests();
});

/** The entries whose digest moves when one file is edited in memory. */
async function moved(file: string, edit: (text: string) => string): Promise<string[]> {
  const after = await code.digests((path, text) => (path === file ? edit(text) : text));
  return Object.keys(before)
    .filter((name) => before[name] !== after[name])
    .sort();
}

function filesUnder(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  );
}

/** What a file imports for its values, read from its text: a second opinion on what the bundler says. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(?!type\s)[^;'"]*?\bfrom\s+'(\.[^']+)'/gm),
    ...text.matchAll(/^import\s+'(\.[^']+)'/gm),
    ...text.matchAll(/\bimport\(\s*'(\.[^']+)'\s*\)/g),
  ];
  return found.map((match) => relative(ROOT, join(ROOT, dirname(file), match[1]!)));
}

function closureOf(entry: string): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const imported of importsOf(file)) visit(imported);
  };
  visit(entry);
  return reached;
}

const closures = new Map<string, Set<string>>();
/** The entries that import a file, by our own reading. */
function importers(file: string): string[] {
  return Object.keys(before)
    .filter((name) => {
      if (!closures.has(name)) closures.set(name, closureOf(join(KINDS, `${name}.ts`)));
      return closures.get(name)!.has(file);
    })
    .sort();
}

const FILES = filesUnder('src/stats', 'src/protocols', 'src/teacher-forcing');

describe('code digests', () => {
  it('has one for each kind, whatever folder the kinds are in', () => {
    const kinds = readdirSync(join(ROOT, KINDS))
      .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
      .map((file) => file.slice(0, -3));
    expect(Object.keys(before).sort()).toEqual(kinds.sort());
    expect(new Set(Object.values(before)).size).toBe(kinds.length);
  });

  it.each(FILES)('%s moves the kinds that import it, and no others', async (file) => {
    // Types alone are not code: a file that only declares them has no importers.
    expect(await moved(file, (text) => `${text}\nexport const edited = 1;\n`)).toEqual(importers(file));
  });

  it.each(FILES)('%s moves nothing by a comment, a blank or a type', async (file) => {
    const edit = (text: string) =>
      `/* said before */\n// and\n${text.replaceAll('\nexport ', '\n\n\nexport ')}\n/** said after */\ninterface Unseen { readonly a: 1 }\nexport type { Unseen };\n`;
    expect(await moved(file, edit)).toEqual([]);
  });

  it('keeps judging, forcing and estimating apart', async () => {
    const edit = (text: string) => `${text}\nexport const edited = 1;\n`;
    expect(await moved(join(KINDS, 'files/judge.ts'), edit)).toEqual(['oracle', 'scores']);
    // A policy may speak chat, and be forced by it.
    const chat = await moved('src/protocols/openai-chat/chat.ts', edit);
    expect(chat).toEqual(['logprobs', 'oracle', 'responses', 'scores']);
    expect(await moved('src/teacher-forcing/align.ts', edit)).toEqual(['logprobs']);
    const estimator = await moved('src/stats/estimators/importance-sampling.ts', edit);
    expect(estimator).toContain('estimate');
    for (const buying of ['responses', 'logprobs', 'scores', 'oracle', 'prompts']) {
      expect(estimator).not.toContain(buying);
    }
  });

  it('moves with a value, however small the edit', async () => {
    const changed = await moved(join(KINDS, 'files/judge-file.ts'), (text) => text.replace('= [0, 10];', '= [0, 11];'));
    expect(changed).toEqual(['oracle', 'scores']);
  });
});

describe('code digests of other trees', () => {
  const folder = () => {
    folders.push(mkdtempSync(join(tmpdir(), 'cje-code-')));
    return folders.at(-1)!;
  };
  const folders: string[] = [];
  afterEach(() => {
    for (const made of folders.splice(0)) rmSync(made, { recursive: true });
  });

  /** A tree of two kinds that depend on a bit of everything: modules, a barrel, a text, a package, late imports. */
  const TREE: Readonly<Record<string, string>> = {
    'src/kinds/index.ts': "export { one } from './one.ts';\nexport { two } from './two.ts';\n",
    'src/kinds/one.ts': [
      "import { thing } from '@scope/package/deep.js';",
      "import { a, type Seen } from '../lib/a.ts';",
      "import words from '../lib/words.txt';",
      "export * from '../lib/b.ts';",
      "export const one: Seen[] = [a, thing, words, () => import('../lib/late.ts')];\n",
    ].join('\n'),
    'src/kinds/two.ts': "import type { Seen } from '../lib/a.ts';\nexport const two: Seen = 2;\n",
    'src/lib/a.ts':
      "import { readFileSync } from 'node:fs';\nexport type Seen = unknown;\nexport const a = readFileSync;\n",
    'src/lib/b.ts': 'export const b = \'import("./a.ts")\';\n',
    'src/lib/late.ts': "import './b.ts';\nexport const late = 1;\n",
    'src/lib/words.txt': 'some words\n',
    'node_modules/@scope/package/package.json': '{"version":"1.0.0"}',
  };
  const digestsOf = (changes: Readonly<Record<string, string | undefined>> = {}): Promise<CodeDigests> => {
    const root = folder();
    for (const [path, text] of Object.entries({ ...TREE, ...changes })) {
      if (text === undefined) continue;
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return codeDigests(root);
  };
  const one = TREE['src/kinds/one.ts']!;

  it('move with a module, a late import, a text and a version of a package', async () => {
    const { one: was, two } = await digestsOf();
    for (const change of [
      { 'src/lib/a.ts': `${TREE['src/lib/a.ts']}export const more = 1;\n` },
      { 'src/lib/b.ts': "export const b = '';\n" },
      { 'src/lib/late.ts': "import './b.ts';\nexport const late = 2;\n" },
      { 'src/lib/late.ts': 'export const late = 1;\n' },
      { 'src/lib/words.txt': 'other words\n' },
      { 'node_modules/@scope/package/package.json': '{"version":"1.0.1"}' },
      { 'src/kinds/one.ts': one.replace('deep.js', 'other.js') },
      { 'src/kinds/one.ts': one.replace("'../lib/late.ts'", "'../lib/b.ts'") },
    ]) {
      const now = await digestsOf(change);
      expect(now.one, JSON.stringify(change)).not.toBe(was);
      expect(now.two).toBe(two);
    }
  });

  it('tell two imports that change places', async () => {
    const swapped = { 'src/lib/a.ts': TREE['src/lib/late.ts']!, 'src/lib/late.ts': TREE['src/lib/a.ts']! };
    const { one: was } = await digestsOf({ 'src/kinds/one.ts': one.replace('{ a, ', '{ ') });
    const { one: now } = await digestsOf({ 'src/kinds/one.ts': one.replace('{ a, ', '{ '), ...swapped });
    expect(now).not.toBe(was);
  });

  it('stand still when a file is renamed, and when imports are put into another order', async () => {
    const lines = one.split('\n');
    const reordered = [lines[3], lines[2], lines[0], lines[1], lines[4], ''].join('\n');
    expect(
      await digestsOf({
        'src/lib/a.ts': undefined,
        'src/lib/late.ts': undefined,
        'src/lib/words.txt': undefined,
        'src/tools/deep/a.ts': TREE['src/lib/a.ts']!,
        'src/tools/later.ts': TREE['src/lib/late.ts']!.replace('./b.ts', '../lib/b.ts'),
        'src/tools/terms.txt': TREE['src/lib/words.txt']!,
        'src/kinds/one.ts': reordered
          .replace('../lib/a.ts', '../tools/deep/a.ts')
          .replace('../lib/late.ts', '../tools/later.ts')
          .replace('../lib/words.txt', '../tools/terms.txt'),
        'src/kinds/two.ts': TREE['src/kinds/two.ts']!.replace('../lib/a.ts', '../tools/deep/a.ts'),
      }),
    ).toEqual(await digestsOf());
  });

  it('stand still when whole folders of ours are renamed', async () => {
    const root = folder();
    cpSync(join(ROOT, 'src'), join(root, 'src'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    renameSync(join(root, 'src/stats'), join(root, 'src/a-statistics'));
    renameSync(join(root, 'src/protocols'), join(root, 'src/zz'));
    for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const text = readFileSync(join(root, 'src', file), 'utf8');
      const moved = text.replaceAll('../stats/', '../a-statistics/').replaceAll('../protocols/', '../zz/');
      if (moved !== text) writeFileSync(join(root, 'src', file), moved);
    }
    expect(await codeDigests(root)).toEqual(before);
  });
});
