import { describe, expect, it } from 'vitest';
import { ROWS } from '../../src/core/kind.ts';
import type { BlobStore } from '../../src/core/storage.ts';
import { evaluateTask, inBlocks } from '../../src/engine/blocks.ts';
import type { Executor, TransformTask } from '../../src/engine/executor.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { countKind, KINDS, numbers, taskOn } from '../workers/support.ts';

/** Makes tasks here; each unit takes so long on a clock of the test's own. */
function paced(blobs: BlobStore, unit: number, setUp = 0) {
  const here = joining(blobs);
  const blocks: (readonly [from: number, to: number, longest: number])[] = [];
  const executor: Executor = {
    async run(task: TransformTask, admit) {
      if (!admit()) return undefined;
      let looks = -1;
      // The clock is looked at before the first unit, and after each.
      const now = () => (++looks === 0 ? 0 : setUp + looks * unit);
      const result = await evaluateTask(task, countKind, blobs, now);
      const { from, to } = result.block!;
      blocks.push([from, to, task.block!.milliseconds]);
      return { ...result, milliseconds: setUp + (to - from) * unit };
    },
  };
  return { executor: inBlocks(executor, { kinds: KINDS, here, milliseconds: 100 }), blocks, joined: here.joined };
}

/** This machine, on which blocks are joined. */
function joining(blobs: BlobStore): Executor & { readonly joined: TransformTask[] } {
  const joined: TransformTask[] = [];
  return {
    joined,
    async run(task, admit) {
      if (!admit()) return undefined;
      joined.push(task);
      return evaluateTask(task, countKind, blobs, () => 0);
    },
  };
}

describe('inBlocks', () => {
  it.each([
    ['in one block, what is done in time', { unit: 10, setUp: 0 }, [[0, 7, 100]]],
    [
      'in blocks of even size, once the first has told the pace',
      { unit: 50, setUp: 0 },
      [
        [0, 2, 100],
        [2, 4, 200],
        [4, 5, 200],
        [5, 7, 200],
      ],
    ],
    [
      'unit by unit, where one takes longer than a block should',
      { unit: 500, setUp: 0 },
      [
        [0, 1, 100],
        [1, 2, 200],
        [2, 3, 200],
        [3, 4, 200],
        [4, 5, 200],
        [5, 6, 200],
        [6, 7, 200],
      ],
    ],
  ] as const)('makes the bytes of the whole %s', async (_, { unit, setUp }, expected) => {
    const { blobs } = memoryStore();
    const task = taskOn(await numbers(blobs, [1, 2]), { units: 7 });
    const whole = await evaluateTask(task, countKind, blobs, () => 0);
    const { executor, blocks, joined } = paced(blobs, unit, setUp);
    const made = await executor.run(task, () => true);
    expect(made?.output).toEqual(whole.output);
    expect(blobs.locate(whole.output.outputs[ROWS]!)).toBeDefined();
    expect([...blocks].sort((a, b) => a[0] - b[0])).toEqual(expected);
    expect(joined.map(({ joins }) => joins?.length)).toEqual([expected.length]);
  });

  it('tells how long a whole, a block and what blocks come to have taken', async () => {
    const { blobs } = memoryStore();
    const task = taskOn(await numbers(blobs, [1, 2]), { units: 2 });
    const ticking = () => {
      let now = 1000;
      return () => (now += 7);
    };
    const whole = await evaluateTask(task, countKind, blobs, ticking());
    const block = await evaluateTask(
      { ...task, block: { from: 0, to: 2, milliseconds: 99 } },
      countKind,
      blobs,
      ticking(),
    );
    const joins = [block.output.outputs[ROWS]!];
    const joined = await evaluateTask({ ...task, joins }, countKind, blobs, ticking());
    expect([whole, block, joined].map(({ milliseconds }) => milliseconds)).toEqual([7, 14, 7]);
  });

  it('leaves work of one unit in one piece', async () => {
    const { blobs } = memoryStore();
    const task = taskOn(await numbers(blobs, [1, 2]), { units: 1 });
    const whole = joining(blobs);
    const executor = inBlocks(whole, { kinds: KINDS, here: joining(blobs), milliseconds: 100 });
    expect(await executor.run(task, () => true)).toEqual(await evaluateTask(task, countKind, blobs, () => 0));
    expect(whole.joined).toEqual([task]);
  });

  it('hands in what was not reached in time, as a block of its own', async () => {
    const { blobs } = memoryStore();
    const task = taskOn(await numbers(blobs, [3]), { units: 9 });
    let slow = false;
    const blocks: string[] = [];
    const executor: Executor = {
      async run(each) {
        // The first block is quick, so that the rest is thought to be one block, and is not.
        let looks = 0;
        const now = () => (slow ? 150 * looks++ : looks++ * 25);
        const result = await evaluateTask(each, countKind, blobs, now);
        slow = true;
        blocks.push(`${result.block!.from}-${result.block!.to} of ${each.block!.to}`);
        return result;
      },
    };
    const whole = await evaluateTask(task, countKind, blobs, () => 0);
    const made = await inBlocks(executor, { kinds: KINDS, here: joining(blobs), milliseconds: 100 }).run(
      task,
      () => true,
    );
    expect(made?.output).toEqual(whole.output);
    expect(blocks.sort()).toEqual(['0-4 of 9', '4-6 of 7', '6-7 of 7', '7-9 of 9']);
  });

  it('is dropped as a whole where a block is', async () => {
    const { blobs } = memoryStore();
    const task = taskOn(await numbers(blobs, [1]), { units: 7 });
    let admitted = 0;
    const { executor, blocks, joined } = paced(blobs, 50);
    expect(await executor.run(task, () => admitted++ < 2)).toBeUndefined();
    expect(blocks).toHaveLength(2);
    expect(joined).toEqual([]);
  });
});
