/** The house rules that a reader can rely on: who may import whom, and how long a file may be. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src');

/** What each room may import of ours, beside itself. `docs/architecture.md` shows the same table. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  text: [],
  stats: [],
  'teacher-forcing': [],
  protocols: ['core'],
  replies: ['core'],
  store: ['core'],
  remote: ['core', 'providers', 'store'],
  cluster: ['core', 'providers', 'replies'],
  workers: ['core', 'providers', 'store', 'remote', 'cluster', 'engine'],
  pipeline: ['core'],
  team: [
    'core',
    'text',
    'protocols',
    'pipeline',
    'providers',
    'replies',
    'store',
    'remote',
    'cluster',
    'workers',
    'engine',
  ],
  ui: ['core', 'text'],
  simulator: ['core', 'teacher-forcing'],
  datasets: ['core', 'text', 'stats'],
  providers: ['core', 'protocols'],
  llama: ['core', 'providers', 'store', 'teacher-forcing'],
  engine: ['core', 'replies'],
  report: ['core', 'stats', 'datasets', 'text'],
  kinds: ['core', 'protocols', 'stats', 'teacher-forcing', 'datasets', 'report', 'simulator/world'],
  compare: ['core', 'engine', 'stats', 'datasets', 'report', 'kinds'],
  doctor: ['core', 'text', 'protocols', 'teacher-forcing', 'replies', 'providers', 'engine'],
  viewer: ['core', 'text', 'datasets', 'report', 'engine', 'compare'],
  decide: ['core', 'text', 'stats', 'datasets', 'engine', 'kinds'],
  scaffold: ['core', 'stats', 'datasets', 'llama'],
  terminal: [
    'core',
    'text',
    'replies',
    'store',
    'remote',
    'cluster',
    'workers',
    'datasets',
    'engine',
    'report',
    'compare',
    'doctor',
  ],
  cli: [
    'core',
    'text',
    'stats',
    'teacher-forcing',
    'protocols',
    'replies',
    'store',
    'remote',
    'cluster',
    'workers',
    'pipeline',
    'ui',
    'simulator',
    'datasets',
    'providers',
    'llama',
    'engine',
    'report',
    'kinds',
    'compare',
    'doctor',
    'viewer',
    'team',
    'decide',
    'scaffold',
    'terminal',
  ],
};

/**
 * What each folder inside a room may import of that room, beside itself; `.` stands for the room's own files. Rooms that
 * are not named here have no such order.
 */
const ORDER: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  store: {
    disk: [],
    lmdb: ['disk'],
    blobs: ['disk'],
    tables: ['disk', 'lmdb', 'blobs'],
    '.': ['disk', 'lmdb', 'blobs', 'tables'],
    upkeep: ['disk', 'lmdb', 'blobs', 'tables', '.'],
    pack: ['disk', 'lmdb', 'blobs', 'tables', '.', 'upkeep'],
  },
  stats: {
    numeric: [],
    data: ['numeric'],
    weights: ['numeric'],
    calibration: ['numeric', 'data'],
    diagnostics: ['numeric', 'data', 'weights', 'calibration'],
    gates: ['numeric', 'data', 'weights', 'diagnostics'],
    study: ['numeric', 'data', 'weights', 'calibration', 'diagnostics', 'gates'],
    compat: ['numeric', 'data', 'weights', 'calibration', 'study'],
    estimators: ['numeric', 'data', 'weights', 'calibration', 'diagnostics', 'gates', 'study', 'compat'],
    inference: ['numeric', 'data', 'weights', 'calibration', 'diagnostics', 'gates', 'study'],
    '.': [
      'numeric',
      'data',
      'weights',
      'calibration',
      'diagnostics',
      'gates',
      'study',
      'compat',
      'estimators',
      'inference',
    ],
  },
  engine: {
    '.': [],
    plan: ['.'],
    explain: ['.', 'plan'],
    build: ['.'],
    trial: ['.', 'plan', 'build'],
    threads: ['.'],
  },
  report: {
    model: [],
    charts: ['model'],
    files: ['model'],
    render: ['model', 'charts', 'files'],
  },
};

/** The one file of a folder that may be imported from outside of it. */
const DOORS: Readonly<Record<string, string>> = { 'store/lmdb': 'open.ts' };

/** Packages that only one folder may import. */
const ONLY_IN: Readonly<Record<string, string>> = { lmdb: 'store/lmdb' };

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replaceAll('\\', '/'));

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)'(\.[^']+)'/g;

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, path]) =>
    relative(SOURCE, resolve(SOURCE, dirname(file), path!)).replaceAll('\\', '/'),
  );
}

const roomOf = (file: string): string => file.split('/')[0]!;

/** The folder of a file inside its room. */
const folderOf = (file: string): string => (file.split('/').length > 2 ? file.split('/')[1]! : '.');

describe('rooms', () => {
  it('are all in the table', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('import downwards only', () => {
    const upward: string[] = [];
    for (const file of files) {
      const room = roomOf(file);
      for (const imported of importsOf(file)) {
        const allowed = [room, ...(ALLOWED[room] ?? [])];
        if (!allowed.some((folder) => imported.startsWith(`${folder}/`))) upward.push(`${file} → ${imported}`);
      }
    }
    expect(upward).toEqual([]);
  });

  it('are seen by this test: every import leads to a file', () => {
    const lost = files.flatMap((file) =>
      importsOf(file)
        .filter((path) => !files.includes(path))
        .map((path) => `${file} → ${path}`),
    );
    expect(lost).toEqual([]);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(200);
  });

  it('have no circle of imports, of types neither', () => {
    const entered: string[] = [];
    const left = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string): void => {
      const at = entered.indexOf(file);
      if (at !== -1) circles.push([...entered.slice(at), file].join(' → '));
      if (at !== -1 || left.has(file)) return;
      entered.push(file);
      importsOf(file).forEach(visit);
      entered.pop();
      left.add(file);
    };
    files.forEach(visit);
    expect(circles).toEqual([]);
  });

  it('have no circle between the folders inside a room either', () => {
    // The command line's folders are parts of one whole: commands, their texts and the wiring.
    const folders = new Map<string, Set<string>>();
    for (const file of files.filter((path) => roomOf(path) !== 'cli')) {
      const from = dirname(file);
      for (const to of importsOf(file).map(dirname)) {
        if (to === from || roomOf(to) !== roomOf(file)) continue;
        folders.set(from, (folders.get(from) ?? new Set()).add(to));
      }
    }
    const reaches = (from: string, seen = new Set<string>()): Set<string> => {
      for (const to of folders.get(from) ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        reaches(to, seen);
      }
      return seen;
    };
    expect(folders.size).toBeGreaterThan(10);
    expect([...folders.keys()].filter((folder) => reaches(folder).has(folder))).toEqual([]);
  });

  it('leave the environment to the transport and the command line', () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(SOURCE, file), 'utf8')));
    expect(readers.filter((file) => !['cli', 'providers'].includes(roomOf(file)))).toEqual([]);
  });
});

describe('folders inside a room', () => {
  const rooms = Object.entries(ORDER);
  const filesOf = (room: string) => files.filter((file) => roomOf(file) === room);

  it('are all in the table of their room', () => {
    for (const [room, order] of rooms) {
      expect([...new Set(filesOf(room).map(folderOf))].sort()).toEqual(Object.keys(order).sort());
    }
  });

  it('import in the order of the table', () => {
    const upward: string[] = [];
    for (const [room, order] of rooms) {
      for (const file of filesOf(room)) {
        const allowed = [folderOf(file), ...(order[folderOf(file)] ?? [])];
        for (const imported of importsOf(file).filter((path) => roomOf(path) === room)) {
          if (!allowed.includes(folderOf(imported))) upward.push(`${file} → ${imported}`);
        }
      }
    }
    expect(upward).toEqual([]);
  });

  it('have an order without circles', () => {
    for (const [room, order] of rooms) {
      const below = (folder: string, seen: readonly string[]): void => {
        expect(seen, `a circle in the table of ${room}`).not.toContain(folder);
        for (const next of order[folder]!) below(next, [...seen, folder]);
      };
      for (const folder of Object.keys(order)) below(folder, []);
    }
  });

  it('are entered by their door, where they have one', () => {
    const within: string[] = [];
    for (const [folder, door] of Object.entries(DOORS)) {
      expect(files).toContain(`${folder}/${door}`);
      for (const file of files.filter((path) => !path.startsWith(`${folder}/`))) {
        for (const imported of importsOf(file)) {
          if (imported.startsWith(`${folder}/`) && imported !== `${folder}/${door}`)
            within.push(`${file} → ${imported}`);
        }
      }
    }
    expect(within).toEqual([]);
  });

  it('keep the packages that are theirs alone to themselves, types too', () => {
    for (const [name, folder] of Object.entries(ONLY_IN)) {
      const imports = new RegExp(`(?:\\bfrom\\s+|\\bimport\\s*\\(\\s*|\\bimport\\s+)'${name}'`);
      const importing = files.filter((file) => imports.test(readFileSync(join(SOURCE, file), 'utf8')));
      expect(importing.length).toBeGreaterThan(0);
      expect(importing.filter((file) => !file.startsWith(`${folder}/`))).toEqual([]);
    }
  });
});

/** Lines that rooms may have to which whatever has no place comes by itself; `docs/architecture.md` says what is in them. */
const BUDGETS: Readonly<Record<string, number>> = { cli: 4_700, report: 4_900, viewer: 4_900, terminal: 2_300 };

describe('sizes', () => {
  const linesOf = (paths: readonly string[]) =>
    paths.reduce((sum, path) => sum + readFileSync(join(SOURCE, path), 'utf8').split('\n').length - 1, 0);
  const sizes = new Map(
    Object.keys(ALLOWED).map((room) => [room, linesOf(files.filter((file) => roomOf(file) === room))]),
  );

  it('leave no room with more than a fifth of the whole', () => {
    const whole = linesOf(files);
    expect([...sizes].filter(([, lines]) => lines > whole / 5)).toEqual([]);
  });

  it('keep to the budgets of the rooms that have grown before', () => {
    expect([...sizes].filter(([room, lines]) => lines > (BUDGETS[room] ?? Number.POSITIVE_INFINITY))).toEqual([]);
  });
});

describe('files', () => {
  it('hold one noun: none is longer than 500 lines', () => {
    const long = files.filter((file) => readFileSync(join(SOURCE, file), 'utf8').split('\n').length > 501);
    expect(long).toEqual([]);
  });

  it('name no path of a machine', () => {
    const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const machine = /(^|[^A-Za-z0-9_.])\/(work|home|root|Users)\/[a-z]/;
    const naming = tracked
      .split('\n')
      .filter(
        (path) =>
          /\.(ts|mjs|md|ya?ml|json)$/.test(path) && path !== 'package-lock.json' && existsSync(join(ROOT, path)),
      )
      .filter((path) => path !== 'test/architecture.test.ts' && machine.test(readFileSync(join(ROOT, path), 'utf8')));
    expect(naming).toEqual([]);
  });
});

describe('the README and continuous integration', () => {
  it('run the same commands', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const script = readFileSync(join(ROOT, '.ci/run'), 'utf8');
    const commands = [...readme.matchAll(/^(npm ci && .+)$/gm)].map(([, command]) => command!);
    expect(commands).toEqual(['npm ci && npx cje build ablations', 'npm ci && npm test']);
    for (const command of commands) {
      for (const step of command.split(' && ')) expect(script.split('\n').map((line) => line.trim())).toContain(step);
    }
    const more = [
      'npm run lint',
      'npm run typecheck',
      'npm run test:extra',
      'node scripts/golden/command.mjs compare shipped out',
    ];
    expect(script.split('\n')).toEqual(expect.arrayContaining(more));
  });
});
