/** The commands on the cache, as a user types them. */

import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { emptyProject, type Project, projectIn, removeProject, shippedProject } from '../helpers/project.ts';

const TARGET = 'dataset/deterministic';

function json(project: Project, ...args: string[]) {
  const { stdout } = project.run(...args, '--json');
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

function expectIdle(project: Project, ...more: string[]): void {
  expect(project.build(TARGET, ...more).finished).toMatchObject({
    exit: 0,
    nodes: { run: 0 },
    calls: { bought: 0, cached: 0 },
  });
}

describe('a cache that is kept and carried', () => {
  let project: Project;
  let other: Project;
  let outputs: Map<string, string>;
  beforeAll(() => {
    project = shippedProject({ samples: 10 });
    expect(project.build(TARGET).exit).toBe(0);
    outputs = project.outputs();
    other = projectIn(realpathSync(mkdtempSync(join(tmpdir(), 'cje-'))));
    for (const path of ['pipeline.yaml', 'configs']) {
      cpSync(join(project.folder, path), join(other.folder, path), { recursive: true });
    }
  });
  afterAll(() => {
    removeProject(project);
    removeProject(other);
  });

  it('is counted', () => {
    const stats = json(project, 'cache', 'stats');
    expect(stats).toMatchObject({ type: 'cache-stats', version: 1, builds: 1, failures: 0, damaged: 0 });
    expect(stats.replies.replies).toBe(json(project, 'status').calls);
    expect(Object.keys(stats.byKind).sort()).toEqual(['logprobs', 'oracle', 'responses', 'scores']);
    expect(stats.byNode['responses/pi_cot']).toMatchObject({ replies: 10 });
    expect(stats.byAge['last day'].replies).toBe(stats.replies.replies);
    expect(project.run('cache', 'stats').stdout).toMatch(/responses +50 /);
    expect(project.run('cache', 'stats', '-f', 'nowhere.yaml').exit).toBe(2);
  });

  it('travels in a pack to an empty machine, which builds the same bytes without key or network', () => {
    const pack = join(project.folder, 'one.pack');
    const exported = json(project, 'cache', 'export', '-o', 'one.pack');
    const sum = createHash('sha256').update(readFileSync(pack)).digest('hex');
    expect(exported).toMatchObject({ type: 'cache-exported', version: 1, digest: `sha256:${sum}` });

    const wrong = other.run(
      'cache',
      'import',
      pack,
      '--expect',
      `sha256:${sum.replace(/./, (digit) => (digit === '0' ? '1' : '0'))}`,
    );
    expect(wrong.exit).toBe(5);
    expect(wrong.stderr).toContain('not the pack that was expected');
    expect(json(other, 'cache', 'stats')).toMatchObject({ actions: 0, replies: { replies: 0 } });

    const imported = other.run('cache', 'import', pack, '--expect', exported.digest);
    expect(imported.exit).toBe(0);
    expect(imported.stdout).toContain('as expected');
    // Outputs are there: nothing has to run.
    expectIdle(other, '--offline');
    expect(other.outputs()).toEqual(outputs);
    // And they can be made from the replies alone.
    rmSync(join(other.folder, '.cache', 'blobs'), { recursive: true });
    rmSync(join(other.folder, 'out'), { recursive: true });
    const made = other.build(TARGET, '--offline').finished;
    expect(made).toMatchObject({ exit: 0, calls: { bought: 0 } });
    // Nodes without rows have one blob in common, which the first of them makes.
    const empty = [...outputs].filter(([path, text]) => path.startsWith('consistency/') && text === '').length;
    expect(made.nodes.cached).toBeLessThan(Math.max(1, empty));
    expect(other.outputs()).toEqual(outputs);
    expect(other.run('cache', 'verify').exit).toBe(0);
  });

  it('gives up the lock of a machine that is gone only when it is told to', async () => {
    const elsewhere = { pid: 7, host: 'a-machine-that-is-off', bootId: () => 'b', startOf: () => 'a' };
    const store = openStore(join(other.folder, '.cache'), { processes: elsewhere });
    await store.lock.acquire('cje build ablations');
    await store.close();
    const refused = other.build(TARGET, '--force', TARGET, '--offline');
    expect(refused.exit).toBe(4);
    expect(JSON.stringify(refused.events)).toContain('a-machine-that-is-off');
    const unlocked = other.run('cache', 'unlock');
    expect(unlocked.exit).toBe(0);
    expect(unlocked.stdout).toContain('Took the lock from pid 7 on a-machine-that-is-off');
    expectIdle(other, '--offline');
  });
});

describe('a project that is moved', () => {
  it('with its cache and its prompts runs nothing', () => {
    const here = emptyProject();
    const folder = join(here.folder, 'here');
    try {
      const prompts = Array.from({ length: 8 }, (_, index) =>
        JSON.stringify({ prompt: `What is ${index} plus ${index}?` }),
      );
      writeFileSync(join(here.folder, 'mine.jsonl'), `${prompts.join('\n')}\n`);
      expect(here.run('init', 'here', '--prompts', 'mine.jsonl').exit).toBe(0);
      const before = projectIn(folder);
      expect(before.build(TARGET).exit).toBe(0);
      const outputs = before.outputs();
      expectIdle(before);
      const moved = join(here.folder, 'there');
      renameSync(folder, moved);
      const after = projectIn(moved);
      expectIdle(after);
      expect(after.outputs()).toEqual(outputs);
      for (const text of [
        JSON.stringify(json(after, 'why', 'prompts')),
        JSON.stringify(json(after, 'show', 'prompts')),
      ]) {
        expect(text).not.toContain(here.folder);
      }
    } finally {
      removeProject(here);
    }
  });
});
