/** Batches that are out, and the calls in them, of which there may be many thousands. */

import { describe, expect, test } from 'vitest';
import type { BatchedCall, Submission } from '../../src/core/batch.ts';
import { digestText } from '../../src/core/digest.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

const submission: Submission = {
  id: digestText('batch'),
  identity: 'http://lab/v1',
  model: 'm',
  path: '/chat/completions',
  state: 'running',
  count: 10_001,
  dollars: 1,
  tokens: 2,
  at: 3,
};

describe('a batch', () => {
  test('keeps every call in its order until it is closed, and then nothing of them', async () => {
    const store = open(folder());
    const calls = Array.from({ length: submission.count }, (_, index) => {
      const call: BatchedCall = { submission: submission.id, node: 'n', request: `{"at":${index}}`, dollars: 0.1 };
      return [digestText(call.request), call] as const;
    });
    await store.batches.open(submission, calls);
    expect(store.batches.list()).toEqual([submission]);
    expect(store.batches.keys(submission.id)).toEqual(calls.map(([key]) => key));
    const [key, call] = calls.at(-1)!;
    expect(store.batches.call(key)).toEqual(call);
    expect([...store.database.scan('batched')]).toHaveLength(submission.count);

    await store.batches.close(submission.id);
    expect(store.batches.call(key)).toBeUndefined();
    expect([...store.database.scan('batches'), ...store.database.scan('batched')]).toEqual([]);
  });

  test('is listed by its time, and has no call where it was given none', async () => {
    const store = open(folder());
    const ids = ['a', 'b', 'c', 'd'].map(digestText).sort();
    const times = [3, 1, 2, 2];
    for (const [index, id] of ids.entries()) await store.batches.open({ ...submission, id, at: times[index]! }, []);
    expect(store.batches.list().map(({ id }) => id)).toEqual([ids[1], ids[2], ids[3], ids[0]]);
    expect(store.batches.keys(ids[0]!)).toEqual([]);
  });

  test('leaves no call behind whose submission is gone, nor one that is damaged', async () => {
    const store = open(folder());
    const call = (of: string): BatchedCall => ({
      submission: digestText(of),
      node: 'n',
      request: `{"of":"${of}"}`,
      dollars: 1,
    });
    const [kept, lost] = ['batch', 'other'].map((of) => [digestText(`call of ${of}`), call(of)] as const);
    await store.batches.open({ ...submission, count: 1 }, [kept!]);
    await store.batches.open({ ...submission, id: digestText('other'), count: 1 }, [lost!]);
    await store.database.remove('batches', [digestText('other')]);
    await store.database.put('batched', 'damaged', 'no JSON\n{}');
    await store.batches.sweep();
    expect([...store.database.scan('batched')].map(({ key }) => key)).toEqual([kept![0]]);
    expect(store.batches.call(kept![0])).toEqual(kept![1]);
  });
});
