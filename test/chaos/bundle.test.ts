/** The bundle is never older than the source: it is built before these tests, and while somebody edits. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, projectIn, ROOT } from '../helpers/project.ts';

const { CJE_DIST: _, ...ENVIRONMENT } = process.env;
const FILE = 'src/core/json.ts';

/** The source in a folder of its own. */
let source: Project;
beforeAll(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cje-source-')));
  for (const path of ['src', 'scripts', 'package.json'])
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  source = projectIn(folder);
});
afterAll(() => rmSync(source.folder, { recursive: true, force: true }));

const spawned = (script: string) =>
  spawn(process.execPath, [join(source.folder, 'scripts', script)], { cwd: source.folder, env: ENVIRONMENT });

/** Runs a script to its end. */
function ran(script: string): Promise<{ readonly exit: number | null; readonly text: string }> {
  const child = spawned(script);
  const text = printedBy(child);
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, text: text() })));
}

function printedBy(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  return () => text;
}

/** Every file of the bundle with its text. */
function bundle(): Record<string, string> {
  const dist = join(source.folder, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => /\.\w+$/.test(path));
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(dist, path), 'utf8')]));
}

const builds = (text: string) => text.match(/^Building dist\/: .*$/gm) ?? [];

describe('a stale bundle', () => {
  it('is built once when several ask for it at once, and not again', async () => {
    const asked = await Promise.all([1, 2, 3].map(() => ran('fresh-bundle.mjs')));
    expect(asked.map(({ exit }) => exit)).toEqual([0, 0, 0]);
    expect(asked.flatMap(({ text }) => builds(text))).toEqual(['Building dist/: there is no bundle.']);
    expect(await ran('fresh-bundle.mjs')).toEqual({ exit: 0, text: '' });
    expect(Object.keys(bundle())).toEqual(expect.arrayContaining(['cje.js', 'code-digests.json', 'main.js']));
    expect(readdirSync(source.folder).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  it('is one that is older than a file of the source, even behind the lock of a process that is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    source.write('dist.lock', String(pid));
    source.edit(FILE, '\n', '\n\n');
    const { exit, text } = await ran('fresh-bundle.mjs');
    expect([exit, builds(text)]).toEqual([0, ['Building dist/: src is newer than the bundle.']]);
  });

  it('that cannot be built is refused with the reason, and the bundle of before stays', async () => {
    const before = bundle();
    const sound = source.read(FILE);
    source.write(FILE, 'export const = ;');
    const { exit, text } = await ran('fresh-bundle.mjs');
    expect(exit).not.toBe(0);
    expect(text).toContain('dist/ must be built (src is newer than the bundle), and building failed');
    expect(text).toMatch(/src\/core\/json\.ts:1:13: ERROR/);
    expect(bundle()).toEqual(before);
    source.write(FILE, sound);
    expect(await ran('fresh-bundle.mjs')).toMatchObject({ exit: 0 });
    expect(bundle()).toEqual(before);
  });
});

describe('npm run dev', () => {
  it('builds after an edit what npm run build would, and outlives an edit that is broken', async () => {
    const dev = spawned('dev.mjs');
    try {
      const text = printedBy(dev);
      /** Waits until something has been printed so many times. */
      const printed = (what: RegExp, times: number) =>
        new Promise<void>((resolve, reject) => {
          const look = () => (text().match(what) ?? []).length >= times && resolve();
          dev.stdout!.on('data', look);
          dev.stderr!.on('data', look);
          dev.once('exit', () => reject(new Error(`dev ended:\n${text()}`)));
          look();
        });
      await printed(/^Built in/gm, 1);
      const sound = source.read(FILE);
      const first = bundle();
      source.write(FILE, 'export const = ;');
      await printed(/^Not built/gm, 1);
      expect(text()).toContain('src/core/json.ts:1:13');
      expect(bundle()).toEqual(first);
      source.write(FILE, `${sound}\nconsole.debug('edited');\n`);
      await printed(/^Built in/gm, 2);
      const edited = bundle();
      dev.kill();
      // Never the digests of another program: those of this one, as every build of it takes them.
      expect(edited['code-digests.json']).not.toBe(first['code-digests.json']);
      expect(edited['cje.js']).not.toBe(first['cje.js']);
      expect(await ran('build.mjs')).toMatchObject({ exit: 0 });
      expect(bundle()).toEqual(edited);
    } finally {
      dev.kill();
    }
  });
});
