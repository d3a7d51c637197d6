/** Must re-run, must not re-run: every row of the table, as a user meets it, on the slow path and on the fast one. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../../src/simulator/server.ts';
import { ROOT } from '../../helpers/project.ts';
import { Commands, type Ran } from './commands.ts';
import { type Folder, inParallel, settle, type Warmed, warmProject } from './experiment.ts';
import { type Asked, asked, newRequests } from './requests.ts';
import { ROWS, type Row } from './table.ts';

type Simulator = Awaited<ReturnType<typeof startSimulator>>;

/** What was seen of a row. */
interface Seen {
  /** The command before the edit: from a copy of a built project. */
  readonly warm: Ran;
  readonly before: Asked;
  /** The command after it. */
  readonly edited: Ran;
  readonly after: Asked;
  /** The same again, with nothing remembered, and with what that left behind. */
  readonly slow: Ran;
  readonly fast: Ran;
}

const CODE = {
  parser: {
    file: 'src/kinds/files/verdict.ts',
    from: '(value - low) / (high - low);',
    to: '(value - low) / (high - low) / 2;',
  },
  estimator: {
    file: 'src/stats/estimators/importance-sampling.ts',
    from: 'mean(products), centred',
    to: '2 * mean(products), centred',
  },
} as const;

const MEMORY = '.cache/fast-path.json';

let warmed: Warmed;
let servers: readonly [Simulator, Simulator];
let commands: Commands;
const seen = new Map<string, Seen>();

/** A command bundled from edited code. */
function bundle(room: string, name: keyof typeof CODE): string {
  const copy = join(room, name);
  mkdirSync(copy);
  for (const path of ['src', 'scripts', 'package.json'])
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const folder = warmed.folder.at(copy);
  folder.edit(CODE[name].file, CODE[name].from, CODE[name].to);
  const { CJE_DIST: _, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: copy, encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return join(copy, 'dist/cje.js');
}

beforeAll(async () => {
  commands = new Commands(2);
  servers = [await startSimulator(), await startSimulator()];
  const [north, south] = servers;
  warmed = await warmProject(north.url, south.url, commands);
  const started = ROWS.map((row, index) => ({ row, folder: warmed.folder.copy(join(warmed.room, String(index))) }));
  const copied = Date.now();
  const bundles = new Map((['parser', 'estimator'] as const).map((name) => [name, bundle(warmed.room, name)]));
  await settle(copied);

  const ready: { row: Row; folder: Folder; warm: Ran; before: Asked }[] = [];
  await inParallel(started, async ({ row, folder }) => {
    const warm = await folder.build(row.args ?? []);
    const before = asked(folder, profileOf(row.args ?? []));
    row.edit?.(folder, { elsewhere: south.url });
    ready.push({ row, folder, warm, before });
  });
  // By now every edit is old enough for a build that found nothing to do to be remembered.
  await settle(Date.now());
  await inParallel(ready, async ({ row, folder, warm, before }) => {
    const args = row.argsAfter ?? row.args ?? [];
    const command = commandOf(row);
    const edited = await folder.build(args, command);
    const after = asked(folder, profileOf(args));
    const fast = await folder.build(args, command);
    // Where the edit ran nothing, its build was itself the slow way to find that out, unless it was remembered already.
    let slow = edited;
    if (edited.finished.build !== null || edited.finished.milliseconds === 0) {
      rmSync(join(folder.path, MEMORY));
      slow = await folder.build(args, command);
    }
    seen.set(row.name, { warm, before, edited, after, slow, fast });
  });

  function commandOf(row: Row): string | undefined {
    return row.code === undefined ? undefined : bundles.get(row.code);
  }
}, 180_000);

afterAll(async () => {
  await commands?.close();
  warmed?.remove();
  await Promise.all((servers ?? []).map((server) => server.close()));
});

const profileOf = (args: readonly string[]) =>
  args.includes('--profile') ? args[args.indexOf('--profile') + 1]! : 'sim';

describe('the table', () => {
  it('has rows for many kinds of edits', () => {
    expect(ROWS.length).toBeGreaterThan(40);
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  });

  it.each(ROWS)('$name', (row) => {
    const story = seen.get(row.name)!;
    const { warm, edited, before, after, slow, fast } = story;
    expectIdle(warm);

    expect(edited).toMatchObject({ exit: 0, stderr: '', finished: { exit: 0, calls: { failed: 0 } } });
    const nodes = edited.events.filter(({ type }) => type === 'node-finished').map(({ node }) => node as string);
    for (const pattern of row.runs) expect(nodes.some(matches(pattern)), `${pattern} names no node`).toBe(true);
    expect(ran(edited).sort()).toEqual(nodes.filter((node) => row.runs.some((run) => matches(run)(node))).sort());

    const wanted = Object.entries(row.buys ?? {}).map(([stage, count]) => [stage, count(after, before)] as const);
    const bought = boughtByStage(story);
    expect(bought).toEqual(new Map(wanted.filter(([, count]) => count > 0)));
    expect(bought).toEqual(newRequests(before.requests, after.requests));
    expect(edited.finished.calls.bought).toBe([...bought.values()].reduce((sum, count) => sum + count, 0));

    expectIdle(slow);
    expectIdle(fast);
    expect(fast.finished.milliseconds).toBe(0);
    expect(untimed(fast)).toBe(untimed(slow));
  });
});

function expectIdle(run: Ran): void {
  expect(run).toMatchObject({ exit: 0, stderr: '' });
  expect(run.finished).toMatchObject({ nodes: { run: 0, failed: 0, skipped: 0 }, calls: { bought: 0, cached: 0 } });
  expect(ran(run)).toEqual([]);
}

const untimed = ({ stdout }: Ran) => stdout.replace(/"milliseconds":\d+/, '"milliseconds":0');

function matches(pattern: string): (node: string) => boolean {
  const source = pattern
    .replaceAll(/\{([^}]*)\}/g, (_, words: string) => `(${words.replaceAll(',', '|')})`)
    .replaceAll(/\*\*?/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  const expression = new RegExp(`^${source}$`);
  return (node) => expression.test(node);
}

const ran = ({ events }: Ran) => events.filter(({ type }) => type === 'node-started').map(({ node }) => node as string);

function boughtByStage({ edited, after }: Seen): Map<string, number> {
  const bought = new Map<string, number>();
  for (const event of edited.events) {
    if (event.type !== 'node-finished' || event.calls.bought === 0) continue;
    const stage = after.stageOf(event.node);
    bought.set(stage, (bought.get(stage) ?? 0) + event.calls.bought);
  }
  return bought;
}
