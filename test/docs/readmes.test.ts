/** Who opens a folder finds what lives there; who reads of a file in the architecture page finds the file. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCE = join(ROOT, 'src');

const folders = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) =>
  statSync(join(SOURCE, path)).isDirectory(),
);

it('each folder of the source has a README of some words', () => {
  expect(folders.length).toBeGreaterThan(40);
  const lacking = folders.filter((path) => {
    const readme = join(SOURCE, path, 'README.md');
    return !existsSync(readme) || readFileSync(readme, 'utf8').split(/\s+/).length < 8;
  });
  expect(lacking).toEqual([]);
});

it('each file that the architecture page names is there', () => {
  const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const named = [...page.matchAll(/`([\w./-]+\/[\w.-]*\.(?:ts|mjs|md))`/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter((path) => !existsSync(join(SOURCE, path)) && !existsSync(join(ROOT, path)));
  expect(missing).toEqual([]);
});

it('each file that a README names is in its folder, or in the source', () => {
  const missing = folders.flatMap((folder) => {
    const readme = join(SOURCE, folder, 'README.md');
    const named = [...readFileSync(readme, 'utf8').matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map((match) => match[1]!);
    return named
      .filter(
        (path) =>
          ![join(SOURCE, folder), join(SOURCE, folder, '..'), SOURCE, ROOT].some((from) =>
            existsSync(join(from, path)),
          ),
      )
      .map((path) => `${folder}: ${path}`);
  });
  expect(missing).toEqual([]);
});
