/** Which kinds' digests an edit of the code moves: those of the kinds that import the file, and no others. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Code, type CodeDigests, readCode } from '../../scripts/code-digests.mjs';
import { ROOT } from '../helpers/project.ts';

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
      const entry = existsSync(join(ROOT, `src/${name}.ts`)) ? `src/${name}.ts` : `src/${name}/index.ts`;
      if (!closures.has(name)) closures.set(name, closureOf(entry));
      return closures.get(name)!.has(file);
    })
    .sort();
}

const FILES = filesUnder('src/stats', 'src/wire', 'src/forcing');

describe('code digests', () => {
  it('has one for each kind, and one for the simulated world', () => {
    const kinds = readdirSync(join(ROOT, 'src/stages'))
      .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
      .map((file) => `stages/${file.slice(0, -3)}`);
    expect(Object.keys(before).sort()).toEqual([...kinds, 'simulator/world'].sort());
    expect(new Set(Object.values(before)).size).toBe(Object.keys(before).length);
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
    expect(await moved('src/stages/lib/judge.ts', edit)).toEqual(['stages/oracle', 'stages/scores']);
    expect(await moved('src/wire/chat.ts', edit)).toEqual(['stages/oracle', 'stages/scores']);
    expect(await moved('src/forcing/align.ts', edit)).toEqual(['stages/logprobs']);
    const estimator = await moved('src/stats/estimators/importance-sampling.ts', edit);
    expect(estimator).toContain('stages/estimate');
    for (const buying of ['responses', 'logprobs', 'scores', 'oracle', 'prompts']) {
      expect(estimator).not.toContain(`stages/${buying}`);
    }
  });

  it('moves with a value, however small the edit', async () => {
    const changed = await moved('src/stages/lib/judge.ts', (text) => text.replace('SCALE = 10;', 'SCALE = 11;'));
    expect(changed).toEqual(['stages/oracle', 'stages/scores']);
  });
});
