/** Which batch a submission became whose id was never learnt, where batches have no names: by what stands in them. */

import { describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { adopt } from '../../src/replies/batch-adopt.ts';
import { batchDiscount } from '../../src/replies/batch-discount.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { SUBMISSION, ToyBatches } from './toy-batches.ts';

const KEYS = ['one', 'two', 'three', 'four'].map((word) => digestText(word));
const call = (key: string) => ({ key: digestText(key), body: JSON.stringify({ prompt: key }) });

/** @param words of a batch that has ended, of which the submission asked for the first four numbers */
async function adopted(words: readonly string[], seconds: number) {
  const api = new ToyBatches();
  api.named = false;
  const store = { ...memoryStore().batches, keys: () => KEYS };
  const submission = { ...SUBMISSION, at: 0, count: words.length };
  await api.create({ id: SUBMISSION.id, model: 'parrot', path: '/p', calls: words.map(call) });
  api.end();
  return adopt(submission, api, store, { claimed: new Set(), now: seconds * 1000 });
}

describe('a batch without a name', () => {
  it('is the submission’s where more than half of its rows are', async () => {
    expect(await adopted(['one', 'two', 'x'], 0)).toMatchObject({ type: 'found', submission: { batch: 'b0' } });
    expect(await adopted(['one', 'two', 'x', 'y'], 0)).toMatchObject({
      type: 'not-yet',
      submission: { rejected: ['b0'] },
    });
    expect(await adopted(['one', 'x', 'y'], 0)).toMatchObject({ type: 'not-yet', submission: { rejected: ['b0'] } });
  });

  it('may turn up until its grace is over: a minute here', async () => {
    expect((await adopted(['x'], 59.999)).type).toBe('not-yet');
    expect((await adopted(['x'], 60)).type).toBe('never-made');
  });
});

describe('what a batch spares', () => {
  const usage = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
  const sparing = (online: number | undefined, batch: number | undefined) =>
    batchDiscount({ cost: (_, __, ___, lane) => (lane === 'batch' ? batch : online) }, SUBMISSION, usage);

  it('is what the same costs more online, and nothing where no price is known', () => {
    expect([sparing(4, 1), sparing(undefined, undefined)]).toEqual([3, 0]);
  });
});
