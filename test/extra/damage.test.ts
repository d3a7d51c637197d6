/** Damage met on the way, and a disk that is full: named, set aside or refused, and mended by the next build. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Project, ranNodes, removeProject, shippedProject } from '../helpers/project.ts';

const TARGET = 'dataset/deterministic';

let project: Project;
let outputs: Map<string, string>;
beforeAll(() => {
  project = shippedProject({ samples: 10 });
  expect(project.build(TARGET).exit).toBe(0);
  outputs = project.outputs();
});
afterAll(() => removeProject(project));
// A quick answer would be right about everything but what these tests change behind its back.
beforeEach(() => rmSync(join(project.folder, '.cache/fast-path.json'), { force: true }));

const blobs = () => join(project.folder, '.cache', 'blobs');

/** The stored file that holds an output. */
function blobOf(node: string, file = 'rows.jsonl'): string {
  const wanted = project.read(`out/${node}/${file}`);
  const found = readdirSync(blobs(), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.length > 10)
    .map((path) => join(blobs(), path))
    .find((path) => readFileSync(path, 'utf8') === wanted);
  expect(found).toBeDefined();
  return found!;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 0x01;
  writeFileSync(path, bytes);
}

function expectMended(bought = 0): void {
  const built = project.build(TARGET);
  expect(built.finished).toMatchObject({ exit: 0, calls: { bought } });
  expect(project.outputs()).toEqual(outputs);
  expect(project.build(TARGET).finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
}

describe('a flipped byte in an output', () => {
  it('is met by the node that reads it: exit 5, and the next build makes the output again for nothing', () => {
    const path = blobOf('responses/p0');
    flip(path, 40);
    const met = project.build(TARGET, '--force', TARGET);
    expect(met.exit).toBe(5);
    expect(met.events.find(({ type }) => type === 'problem')!.problem.facts).toContainEqual([
      'damaged',
      `blob ${path.split('/').at(-1)}`,
    ]);
    expect(existsSync(path)).toBe(false);
    const again = project.build(TARGET);
    expect(ranNodes(again)).toEqual(['responses/p0']);
    expect(again.finished).toMatchObject({ exit: 0, calls: { bought: 0, cached: 10 } });
    expectMended();
  });

  it('is met by the copy under out/, and does not get there', () => {
    const path = blobOf('dataset/deterministic');
    flip(path, 40);
    rmSync(join(project.folder, 'out', TARGET, 'rows.jsonl'));
    const met = project.build(TARGET);
    expect(met.exit).toBe(5);
    expect(met.finished.type).toBe('finished');
    expect(existsSync(join(project.folder, 'out', TARGET, 'rows.jsonl'))).toBe(false);
    expectMended();
  });

  it('is met by a command that only looks, and told as damage', () => {
    const path = blobOf('scores/deterministic/p0');
    flip(path, 40);
    const shown = project.run('show', 'scores/deterministic/p0');
    expect(shown.exit).toBe(5);
    expect(shown.stderr).toContain('the cache is damaged');
    expect(project.run('cache', 'verify').exit).toBe(5);
    expectMended();
  });
});

describe('verification', () => {
  it('names a truncated output and a reply with a flipped byte; the next build buys that reply again, and no other', () => {
    truncateSync(blobOf('logprobs/p0'), 100);
    const file = join(project.folder, '.cache', 'lmdb', 'data.mdb');
    const bytes = readFileSync(file);
    flip(file, bytes.indexOf('"id":"', bytes.indexOf('/chat/completions')) + 8);
    const { exit, stdout } = project.run('cache', 'verify', '--json');
    expect(exit).toBe(5);
    const { damaged } = JSON.parse(stdout) as { damaged: { kind: string; node?: string }[] };
    expect(damaged.filter(({ kind }) => kind === 'reply')).toHaveLength(1);
    expect(damaged.filter(({ kind }) => kind === 'blob')).toHaveLength(1);
    expect(damaged.filter(({ kind }) => kind === 'action').map(({ node }) => node)).toContain('logprobs/p0');
    expect(project.run('cache', 'verify').exit).toBe(0);
    expectMended(1);
  });

  it('saves what can be read of a data file whose tree is broken', () => {
    const file = join(project.folder, '.cache', 'lmdb', 'data.mdb');
    const bytes = readFileSync(file);
    bytes.fill(0, 0, 8192);
    writeFileSync(file, bytes);
    expect(project.build(TARGET).exit).toBe(5);
    const { exit, stdout } = project.run('cache', 'verify');
    expect(exit).toBe(5);
    expect(stdout).toContain('data.mdb');
    expectMended();
  });
});

describe('a full disk', () => {
  it('stops the build with what was reported kept, and the next build goes on from there', { timeout: 60_000 }, () => {
    const full = shippedProject({ samples: 10 });
    try {
      const command = join(import.meta.dirname, '../..', process.env.CJE_DIST ?? 'dist', 'cje.js');
      // No file may grow beyond so many half kilobytes: 4 MB that are kept free, and a little for the first replies.
      const script = 'ulimit -f 8600; exec "$0" "$1" build "$2" --json';
      const { status, stdout } = spawnSync('sh', ['-c', script, process.execPath, command, TARGET], {
        cwd: full.folder,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      expect(status).toBe(1);
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(events.at(-1)).toMatchObject({ type: 'finished', exit: 1, build: expect.any(String) });
      expect(events.at(-1).calls.bought).toBeGreaterThan(0);
      const problems = events.filter(({ type }) => type === 'problem').map(({ problem }) => JSON.stringify(problem));
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain('ulimit -f');
      expect(full.run('status', '--failures').stdout).toContain('a file may become no longer in the cache folder');
      const reported = new Map(
        events.filter(({ type }) => type === 'node-finished').map(({ node, calls }) => [node, calls.bought as number]),
      );
      const verified = JSON.parse(full.run('cache', 'verify', '--json').stdout);
      expect(verified.damaged).toEqual([]);
      expect(verified.checked.replies).toBeGreaterThanOrEqual(
        [...reported.values()].reduce((sum, calls) => sum + calls, 0),
      );
      const built = full.build(TARGET);
      expect(built.exit).toBe(0);
      expect(built.events.filter(({ type, text }) => type === 'note' && /lock|under way/.test(text))).toEqual([]);
      expect(built.finished.calls.bought + verified.checked.replies).toBe(
        JSON.parse(full.run('cache', 'stats', '--json').stdout).replies.replies,
      );
      expect(full.outputs()).toEqual(outputs);
      expect(full.build(TARGET).finished).toMatchObject({ nodes: { run: 0 }, calls: { bought: 0 } });
    } finally {
      removeProject(full);
    }
  });
});
