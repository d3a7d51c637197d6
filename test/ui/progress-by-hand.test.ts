/** How far a build is, in numbers for paper, and who is believed that says so. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Progress } from '../../src/ui/progress.ts';
import { readProgress } from '../../src/ui/progress-file.ts';
import { nodeFinished, nodeProgress, nodeStarted, started } from './support.ts';

describe('a build of four nodes, two of which ask', () => {
  /** Ten items for $4 and thirty for $6. */
  const planned = () => {
    const progress = new Progress();
    progress.follow(started(4, {}), 0);
    const nodes = { a: { items: 10, dollars: 4 }, b: { items: 30, dollars: 6 } };
    progress.follow({ type: 'planned', calls: 40, dollars: 10, nodes }, 0);
    return progress;
  };

  it('has done its items and its ended nodes, of all items and all nodes', () => {
    const progress = planned();
    expect(progress.whole(0)).toMatchObject({ share: 0, dollars: 10 });
    progress.follow(nodeStarted('a'), 0);
    progress.follow(nodeProgress('a', { items: 10, done: 5, bought: 5, cost: 3 }), 1_000);
    // $3 for half of a, half of its $4 to come, and b.
    expect(progress.whole(1_000)).toMatchObject({ share: 5 / 44, dollars: 11 });
    progress.follow(nodeFinished('a', { cost: 5, calls: { bought: 10, cached: 0, failed: 0 } }), 2_000);
    expect(progress.whole(2_000)).toMatchObject({ share: 11 / 44, dollars: 11 });
    expect([progress.bought, progress.cost, progress.finished]).toEqual([10, 5, 1]);
  });

  it('expects nothing more of a node without items', () => {
    const progress = planned();
    progress.follow(nodeStarted('b'), 0);
    progress.follow(nodeProgress('b', { items: 0, done: 0, bought: 0, cost: 0 }), 0);
    expect(progress.whole(0)).toMatchObject({ share: 0, dollars: 4 });
  });

  it('says nothing of how long yet where nothing is left, nor in its first half second', () => {
    const progress = planned();
    progress.follow(nodeStarted('b'), 0);
    progress.follow(nodeProgress('b', { items: 30, done: 10, bought: 10, cost: 0 }), 499);
    expect(progress.whole(499).remaining).toBeUndefined();
    expect(progress.whole(500).remaining).toBe(30 * 50);
    for (const node of ['a', 'b']) {
      progress.follow(nodeStarted(node), 500);
      progress.follow(nodeProgress(node, { items: 10, done: 10, bought: 10, cost: 0 }), 1_000);
    }
    expect(progress.whole(1_000).remaining).toBeUndefined();
  });

  it('goes on at the rate of the last ten seconds', () => {
    const progress = planned();
    progress.follow(nodeStarted('b'), 0);
    const at = (done: number, seconds: number) =>
      progress.follow(nodeProgress('b', { items: 30, done, bought: done, cost: 0 }), 1_000 * seconds);
    at(2, 2);
    at(10, 10);
    at(12, 20);
    // From 10 of the tenth second to 12 of the twentieth: 28 are left of both nodes, at one in five seconds.
    expect(progress.whole(20_000).remaining).toBe(28 * 5_000);
  });
});

describe('what another process wrote of its build', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'progress-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is believed while that process builds, and of no other', () => {
    expect(readProgress(folder, 7)).toBeUndefined();
    writeFileSync(join(folder, 'progress.json'), JSON.stringify({ pid: 7, nodes: 3 }));
    expect(readProgress(folder, 7)).toMatchObject({ nodes: 3 });
    expect([readProgress(folder, 8), readProgress(folder, undefined)]).toEqual([undefined, undefined]);
    writeFileSync(join(folder, 'progress.json'), '{"pid": 7,');
    expect(readProgress(folder, 7)).toBeUndefined();
  });
});
