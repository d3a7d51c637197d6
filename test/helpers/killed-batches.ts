/** A story of builds in batches that are killed at random moments, while the provider misbehaves in every way it can. */

import { join } from 'node:path';
import { expect } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { type BatchLab, batchLab, dollarsOf, type Shape } from './batch-lab.ts';
import { type Ended, seeded, startBuild } from './crashing.ts';

const ITEMS = 8;
const MORE = 5;

const BAD = {
  delay: 150,
  hidden: 30,
  expire: 0.15,
  silent: 0.15,
  busy: 0.08,
  broken: 0.05,
  cut: 0.1,
  lost: 0.01,
  doubled: 0.1,
  failed: 0.03,
};
/** What a build may end with while the provider is as it is: built, failed by rows that were lost, waiting. */
const ENDINGS = [0, 1, 6];
const EXPECTED_PROBLEMS = ['CJE-BATCH-LOST', 'CJE-RETRIES-SPENT', 'CJE-BATCH-REFUSED'];

/** Kills builds of one project so many times, then lets one through and compares it with an online one. */
export async function expectBatchesToSurvive(shape: Shape, seed: number, wanted: number): Promise<void> {
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  // What could not be found soon is looked for as long as it is hidden, and longer.
  const lab = await batchLab(shape, {
    items: ITEMS + MORE * wanted,
    manner: { ...BAD, seed },
    batch: 'grace_seconds: 2',
  });
  const { project } = lab;
  try {
    let samples = ITEMS;
    let kills = 0;
    while (kills < wanted) {
      const args = [...way(random), '--yes', '--set', `samples=${samples}`];
      // Aimed at what goes on while a node runs, is sent, looked at or taken in; some come at any other time.
      const count = 1 + below(6);
      const delay = below(60);
      let seen = 0;
      let timer = setTimeout(() => build.child.kill('SIGKILL'), 250 + below(1500));
      const build = startBuild(project, args, ({ type }) => {
        if (type !== 'node-started' && type !== 'note' && type !== 'node-finished') return;
        if (++seen !== count) return;
        clearTimeout(timer);
        timer = setTimeout(() => build.child.kill('SIGKILL'), delay);
      });
      const ended = await build.ended;
      clearTimeout(timer);
      if (ended.signal === 'SIGKILL') kills++;
      else {
        expectOrdinary(ended);
        if (ended.exit === 0) samples += MORE;
      }
    }
    await lab.server.tell({ delay: 50 });
    const args = ['--lane', 'batch', '--until', '2m', '--yes', '--set', `samples=${samples}`];
    // Rows that are lost fail the build that takes them in, by name.
    let last = await startBuild(project, args).ended;
    for (let tries = 0; last.exit !== 0 && tries < 5; tries++) {
      expectOrdinary(last);
      last = await startBuild(project, args).ended;
    }
    expect(last).toMatchObject({ exit: 0, stderr: '' });
    await expectBooksToHold(lab);
    await expectOnlineToGiveTheSame(lab, shape, samples);
  } finally {
    lab.close();
  }
}

/** How a build of the story is called: it leaves its batches, or stays for them. */
const way = (random: () => number): string[] =>
  random() < 0.6 ? ['--lane', 'batch'] : ['--lane', 'batch', '--until', '1m'];

function expectOrdinary({ exit, events, stderr }: Ended): void {
  const problems = events.filter(({ type }) => type === 'problem').map(({ problem }) => problem.id as string);
  expect({
    stderr,
    exit: ENDINGS.includes(exit ?? -1),
    problems: problems.filter((id) => !EXPECTED_PROBLEMS.includes(id)),
  }).toEqual({
    stderr: '',
    exit: true,
    problems: [],
  });
}

async function expectBooksToHold(lab: BatchLab): Promise<void> {
  const bill = await lab.bill();
  expect(bill.wrong).toEqual([]);
  // No call was answered, and billed, twice.
  expect(Object.entries(bill.keys).filter(([key, times]) => times + (bill.onlineKeys[key] ?? 0) > 1)).toEqual([]);
  const store = openStore(join(lab.project.folder, '.cache'), { readOnly: true });
  try {
    let billed = 0;
    const stored = new Set<string>();
    for (const { key, value } of store.calls.scan()) {
      stored.add(key);
      billed += value?.cost ?? 0;
    }
    // Whatever was answered is here: no batch was forgotten.
    expect(Object.keys(bill.keys).filter((key) => !stored.has(key))).toEqual([]);
    expect(billed).toBeCloseTo(dollarsOf(bill), 9);
    expect(store.batches.list()).toEqual([]);
  } finally {
    await store.close();
  }
}

async function expectOnlineToGiveTheSame(lab: BatchLab, shape: Shape, samples: number): Promise<void> {
  const { project } = lab;
  const prompts = project.read('prompts.jsonl');
  const online = await batchLab(shape, { server: lab.server });
  try {
    online.project.write('prompts.jsonl', prompts);
    expect(online.project.build('--yes', '--set', `samples=${samples}`).finished).toMatchObject({ exit: 0 });
    expect(project.outputs()).toEqual(online.project.outputs());
  } finally {
    online.close();
  }
}
