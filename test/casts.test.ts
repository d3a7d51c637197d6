/** Casts through `unknown` switch the compiler off: each one is listed, with what the types cannot say. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const CAST = ['as', 'unknown', 'as'].join(' ');

const CASTS: Readonly<Record<string, string>> = {
  'src/datasets/files/csv.ts': "the parser's types leave its option `info` out",
  'test/pipeline/json-schema.test.ts': 'a JSON Schema is looked into',
  'test/protocols/wire.test.ts': 'undefined where it may only be absent',
  'test/stats/properties.test.ts': 'columns of several types are rebuilt by name',
};

it('stand once in each of a few files', () => {
  const found = ['src', 'bench', 'scripts', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .flatMap((path) => readFileSync(join(ROOT, path), 'utf8').split(CAST).slice(1).fill(path)),
  );
  expect(found.sort()).toEqual(Object.keys(CASTS));
});
