/** An export is a promise to other files: each one of the sources has a reader outside of its file. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Exports that only tests import, each with its reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/core/catalogue.ts:AREAS': 'docs/errors.md is made from it',
  'src/core/catalogue.ts:Area': 'docs/errors.md is made from it',
  'src/core/catalogue.ts:CATALOGUE': 'docs/errors.md is made from it',
  'src/core/catalogue.ts:CatalogueEntry': 'docs/errors.md is made from it',
  'src/engine/explain/failures.ts:LooseFailure': 'what a text shows, which its test makes by hand',
  'src/kinds/files/ablation.ts:ablationSchemaOf': 'tests make a schema of a registry with a toy estimator',
  'src/engine/threads/pool.ts:Thread': 'what the pool needs of a worker, for one that a test drives by hand',
  'src/engine/trial/trial.ts:evenly': 'a sum and bounds that hold for any shares',
  'src/kinds/index.ts:KINDS': 'the list itself, for tests that add a kind of their own or go through all of them',
  'src/report/charts/chart.ts:tidySvg': 'ids that the chart library writes are rare in a page of ours',
  'src/report/charts/forest.ts:usefulRange': 'a range of numbers, which a drawing holds as pixels only',
  'src/store/disk/processes.ts:startFromStat': 'a text that only Linux has; the test brings it to every system',
};

/** Folders whose exports may have no other reader than tests, each with its reason. */
const FREE: Readonly<Record<string, string>> = {
  'src/stats/': 'a library: tests hold each function to published values or to its definition',
  'src/simulator/world/': 'exact probabilities: tests hold each law to its definition',
  'src/protocols/': 'the doors of the call path are not settled',
  'src/providers/': 'the doors of the call path are not settled',
  'src/replies/': 'the doors of the call path are not settled',
};
const isFree = (name: string): boolean =>
  name in ALLOWED || Object.keys(FREE).some((folder) => name.startsWith(folder));

const CODE = /\.(ts|mjs)$/;
const files = ['src', 'bench', 'scripts'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => CODE.test(path))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
);
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

const DECLARED =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|type|interface|enum) (\w+)/gm;
/** `export { a, type B as C } from './x.ts'`: an export of this file and an import from that one. */
const PASSED_ON = /^export (?:type )?\{([^}]*)\}/gm;
const STATIC = /\b(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/g;
const WHOLE = /\bimport (?:type )?\* as \w+ from '(\.[^']+)'/g;
const LATE = /\bimport\(\s*'(\.[^']+)'\s*\)/g;

/** The names on either side of `as` in the braces of an import or export. */
const namesIn = (braces: string): { from: string; to: string }[] =>
  braces
    .split(',')
    .map((part) => part.trim().replace(/^type /, ''))
    .filter((part) => part !== '')
    .map((part) => {
      const [from, to] = part.split(/ as /);
      return { from: from!, to: to ?? from! };
    });

const at = (file: string, path: string): string =>
  relative(ROOT, resolve(ROOT, dirname(file), path)).replaceAll('\\', '/');

const exportsOf = (text: string): string[] => [
  ...[...text.matchAll(DECLARED)].map(([, name]) => name!),
  ...[...text.matchAll(PASSED_ON)].flatMap(([, braces]) => namesIn(braces!).map(({ to }) => to)),
];

/** `file:name` for whatever the file imports; of a module that is loaded late, every name that the file mentions counts. */
function importsOf(file: string, text: string): string[] {
  const words = new Set(text.match(/\w+/g));
  const named = [...text.matchAll(STATIC)].flatMap(([, braces, path]) =>
    namesIn(braces!).map(({ from }) => `${at(file, path!)}:${from}`),
  );
  const mentioned = [...text.matchAll(LATE), ...text.matchAll(WHOLE)].flatMap(([, path]) =>
    exportsOf(texts.get(at(file, path!)) ?? '')
      .filter((name) => words.has(name))
      .map((name) => `${at(file, path!)}:${name}`),
  );
  return [...named, ...mentioned];
}

describe('exports of src', () => {
  const imported = new Set([...texts].flatMap(([file, text]) => importsOf(file, text)));
  const exported = [...texts]
    .filter(([file]) => file.startsWith('src/'))
    .flatMap(([file, text]) => exportsOf(text).map((name) => `${file}:${name}`));

  it('are seen by this test', () => {
    expect(exported.length).toBeGreaterThan(1000);
    expect(imported).toContain('src/core/json.ts:canonicalJson');
    expect(imported, 'loaded late').toContain('src/store/store.ts:openStore');
    expect(imported, 'passed on').toContain('src/stats/estimate.ts:estimate');
  });

  it('are each imported by another file', () => {
    const unread = exported.filter((name) => !imported.has(name) && !isFree(name));
    expect(unread).toEqual([]);
  });

  it('are allowed to be unread only while they are', () => {
    expect(Object.keys(ALLOWED).filter((name) => imported.has(name) || !exported.includes(name))).toEqual([]);
  });
});
