import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepSchemas, schemasPath } from '../../src/scaffold/editor-schemas.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const bundleAt = (...path: string[]) => pathToFileURL(`${at(...path)}/`);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cje-schemas-'));
  for (const dist of [
    ['clone', 'dist'],
    ['app', 'node_modules', 'cje', 'dist'],
  ]) {
    mkdirSync(at(...dist, 'schemas'), { recursive: true });
    writeFileSync(at(...dist, 'schemas', 'judge.json'), '{}');
  }
  for (const project of ['clone', 'app']) writeFileSync(at(project, 'package.json'), '{}');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the path to the schemas', () => {
  it('is that of the program within one project, and else one in the experiment', () => {
    expect(schemasPath(at('clone', 'my', 'exp'), bundleAt('clone', 'dist'))).toBe('../../dist/schemas');
    expect(schemasPath(at('app', 'exp'), bundleAt('app', 'node_modules', 'cje', 'dist'))).toBe(
      '../node_modules/cje/dist/schemas',
    );
    expect(schemasPath(at('app', 'exp'), bundleAt('clone', 'dist'))).toBe('.cache/schemas');
    expect(schemasPath(at('elsewhere'), bundleAt('clone', 'dist'))).toBe('.cache/schemas');
  });

  it('is made by a build where a pipeline names it, and again for another version', () => {
    mkdirSync(at('exp'));
    const file = at('exp', 'pipeline.yaml');
    const kept = at('exp', '.cache', 'schemas', 'judge.json');
    writeFileSync(file, 'name: x\n');
    keepSchemas(file, bundleAt('clone', 'dist'), '1');
    expect(existsSync(kept)).toBe(false);
    writeFileSync(file, '# yaml-language-server: $schema=.cache/schemas/pipeline.json\n');
    keepSchemas(file, bundleAt('clone', 'dist'), '1');
    expect(readFileSync(kept, 'utf8')).toBe('{}');
    writeFileSync(at('clone', 'dist', 'schemas', 'judge.json'), '{"a":1}');
    keepSchemas(file, bundleAt('clone', 'dist'), '1');
    expect(readFileSync(kept, 'utf8')).toBe('{}');
    keepSchemas(file, bundleAt('clone', 'dist'), '2');
    expect(readFileSync(kept, 'utf8')).toBe('{"a":1}');
  });
});
