/** `cje cache gc`, as a user types it. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

const TARGET = 'dataset/deterministic';

let project: Project;
beforeAll(() => {
  project = shippedProject({ samples: 10 });
});
afterAll(() => removeProject(project));

function json(...args: string[]) {
  return JSON.parse(
    project
      .run(...args, '--json')
      .stdout.trim()
      .split('\n')
      .at(-1)!,
  );
}

function expectIdle(): void {
  const { finished } = project.build(TARGET);
  expect(finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0, cached: 0 } });
}

it('a cache is thinned out to what the last build depends on, which still builds to the same bytes', () => {
  expect(project.build(TARGET).exit).toBe(0);
  const outputs = project.outputs();
  project.edit('configs/judges/deterministic.md', '**Accuracy**', '**Correctness**');
  expect(project.build(TARGET).finished.calls.bought).toBeGreaterThan(0);
  project.edit('configs/judges/deterministic.md', '**Correctness**', '**Accuracy**');
  expect(project.build(TARGET).finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
  expect(project.outputs()).toEqual(outputs);
  expect(project.run('cache', 'gc').exit).toBe(2);
  const before = json('cache', 'stats');
  const plan = json('cache', 'gc', '--keep-builds', '1', '--dry-run');
  expect(json('cache', 'stats')).toEqual(before);
  const done = json('cache', 'gc', '--keep-builds', '1');
  expect(done).toMatchObject({
    type: 'cache-collected',
    version: 1,
    dryRun: false,
    builds: 1,
    removed: plan.removed,
  });
  // The edited judge's replies, and nothing that the restored pipeline asks.
  expect(done.removed.replies).toBeGreaterThan(0);
  expectIdle();
  rmSync(join(project.folder, '.cache', 'blobs'), { recursive: true });
  rmSync(join(project.folder, 'out'), { recursive: true });
  expect(project.build(TARGET, '--offline').finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
  expect(project.outputs()).toEqual(outputs);
  expectIdle();

  const all = json('cache', 'gc', '--keep-builds', '0', '--max-size', '0');
  expect(all.removed.actions).toBeGreaterThan(5);
  expect(json('cache', 'stats')).toMatchObject({ actions: 0, replies: { replies: 0 } });
  // The quick answer of before is forgotten with what it depended on.
  expect(project.build(TARGET).finished.calls.bought).toBe(before.replies.replies - done.removed.replies);
  expect(project.outputs()).toEqual(outputs);
  expectIdle();
});
