/** Pages that are made from the code; `npm run docs` writes them anew. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/core/catalogue.ts';
import { EXIT } from '../../src/core/problem.ts';
import { FAULT_NAMES } from '../../src/simulator/weather/faults.ts';
import { commandsPage, type NamedCommand } from './commands-page.ts';
import { errorsPage } from './errors-page.ts';
import { faultsPage } from './faults-page.ts';
import { kindsPage } from './kinds-page.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const page = (name: string) => join(ROOT, 'docs', name);

describe('pages made from the code', () => {
  it('docs/errors.md', async () => {
    await expect(errorsPage()).toMatchFileSnapshot(page('errors.md'));
  });

  it('docs/reference/kinds.md, which says what every parameter means', async () => {
    const text = kindsPage();
    expect(text).not.toMatch(/\| +\|$/m);
    await expect(text).toMatchFileSnapshot(page('reference/kinds.md'));
  });

  it('docs/reference/faults.md, which names every fault of the simulator', async () => {
    const text = faultsPage();
    for (const name of FAULT_NAMES) expect(text).toContain(`| \`${name}\` |`);
    await expect(text).toMatchFileSnapshot(page('reference/faults.md'));
  });

  it('docs/reference/commands.md, which says what every option means', async () => {
    const folder = join(ROOT, 'src/cli/commands');
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const modules: object[] = await Promise.all(files.map((name) => import(join(folder, name))));
    const commands = modules.flatMap((module) => Object.values(module)).filter(isCommand);
    expect(commands.length).toBe(files.length);
    const text = commandsPage(commands);
    expect(text).not.toMatch(/\| +\|$/m);
    await expect(text).toMatchFileSnapshot(page('reference/commands.md'));
  });
});

describe('the catalogue of problems', () => {
  const source = join(ROOT, 'src');
  const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== join('core', 'catalogue.ts'))
    .map((path) => readFileSync(join(source, path), 'utf8'));
  const idsIn = (text: string) => [...text.matchAll(/'(CJE-[^']*)'/g)].map(([, id]) => id!);

  it('describes the ids that the code uses, and no other', () => {
    expect([...CATALOGUE.keys()].sort()).toEqual([...new Set(texts.flatMap(idsIn))].sort());
  });

  it('names the exit codes with which the code throws them', () => {
    const names = Object.keys(EXIT);
    let checked = 0;
    for (const thrown of texts.flatMap(throwsIn)) {
      const exit = /EXIT\.(\w+)/.exec(thrown)?.[1] ?? 'badInput';
      expect(names).toContain(exit);
      for (const id of idsIn(thrown)) {
        expect(CATALOGUE.get(id)?.exits, `${id} thrown with ${exit}`).toContain(exit);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(50);
  });

  it('says of each what it means, what helps and how it ends, in sentences', () => {
    for (const [id, { means, helps, exits }] of CATALOGUE) {
      expect(id).toMatch(/^CJE(-[A-Z]+)+$/);
      expect(means, id).toMatch(/^[A-Z`].*\.$/);
      expect(helps, id).toMatch(/^[A-Z`d].*\.$/);
      expect(exits.length, id).toBeGreaterThan(0);
    }
  });
});

const isCommand = (value: unknown): value is NamedCommand =>
  typeof value === 'function' && Array.isArray((value as { paths?: unknown }).paths);

/** The arguments of each `new ProblemError(…)`. */
function throwsIn(text: string): string[] {
  return [...text.matchAll(/new ProblemError\(/g)].map(({ 0: opening, index }) => {
    const start = index + opening.length;
    let end = start;
    for (let depth = 1; depth > 0; end++) {
      if ('([{'.includes(text[end]!)) depth++;
      else if (')]}'.includes(text[end]!)) depth--;
    }
    return text.slice(start, end);
  });
}
