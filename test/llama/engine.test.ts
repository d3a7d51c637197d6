/** How a model is opened: with no more context than it was trained for, and as many sequences as it is told. */

import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/llama/engine.ts';

/** A library that tells what it was asked for; its models were trained for 4,096 tokens. */
function library() {
  const asked: unknown[] = [];
  const llama = {
    loadModel: async (options: unknown) => {
      asked.push(options);
      return {
        trainContextSize: 4096,
        createContext: async (given: unknown) => {
          asked.push(given);
          return { getSequence: () => ({ clearHistory: async () => {} }) };
        },
      };
    },
  };
  return { llama: llama as never, asked };
}

describe('a model', () => {
  it.each([
    [1000, 1000],
    [4096, 4096],
    [9000, 4096],
  ])('that is given a context of %d has one of %d', async (context, has) => {
    const { llama, asked } = library();
    const loaded = await loadModel(llama, 'model.gguf', { context, sequences: 2, gpu: false });
    expect(loaded.contextSize).toBe(has);
    expect(asked).toEqual([
      { modelPath: 'model.gguf', gpuLayers: 0 },
      { contextSize: has, sequences: 2, flashAttention: false },
    ]);
  });

  it('works on the GPU where it may, and lends each sequence to one at a time', async () => {
    const { llama, asked } = library();
    const { withSequence } = await loadModel(llama, 'm', { context: 1, sequences: 2, gpu: true });
    expect(asked[0]).toEqual({ modelPath: 'm' });
    const lent: object[] = [];
    const ends: (() => void)[] = [];
    const work = Array.from({ length: 4 }, () =>
      withSequence((sequence) => {
        lent.push(sequence);
        return new Promise<void>((resolve) => ends.push(resolve));
      }),
    );
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect(new Set(lent).size).toBe(2);
    const [first] = lent;
    ends[0]!();
    await settle();
    expect(lent).toHaveLength(3);
    expect(lent[2]).toBe(first);
    for (let end = 1; end < 4; end++) {
      ends[end]!();
      await settle();
    }
    await Promise.all(work);
    expect(lent).toHaveLength(4);
  });
});
