/** What becomes of calls whose batch is lost. */

import { expect, it } from 'vitest';
import type { Submission } from '../../src/core/batch.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { BatchBooks } from '../../src/replies/batch-books.ts';
import { Intents } from '../../src/replies/intents.ts';
import { memoryStore } from '../helpers/memory-store.ts';

const KEYS = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(32) as Digest);

/** Books of a store, and calls that cost as many dollars as their first digit. */
function booksOf(keys: readonly Digest[]) {
  const store = memoryStore();
  const call = (key: Digest) => ({
    submission: 's' as Digest,
    request: '',
    node: `n${key[0]}`,
    dollars: Number(key[0]),
  });
  const books = new BatchBooks({
    store: { keys: () => keys, call },
    calls: store.calls,
    intents: new Intents(store.intents, () => 7),
    prices: createPriceBook({ date: '2026-01-01', models: { m: { input: 1e6, output: 0, batch: 0.25 } } }, []),
  });
  const outcomes: TryOutcome[] = [];
  for (const key of keys) {
    const settle = (outcome: TryOutcome) => {
      outcomes.push(outcome);
      return { dollars: 1, certain: false };
    };
    books.reserve(key, { dollars: 1, settle });
  }
  return { store, books, outcomes };
}

const unknownIn = (store: ReturnType<typeof memoryStore>) =>
  [...store.intents.list()].map(({ intent: { node, dollars } }) => [node, dollars]);

const submission = { id: 's', identity: 'i', model: 'm', batch: 'b', at: 5 } as Submission;

it('what was read of a batch before its results broke off is no loss: answers, and failures for good', async () => {
  const { store, books, outcomes } = booksOf(KEYS);
  const usage = { inputTokens: 4, cachedInputTokens: 0, outputTokens: 0 };
  const answer = {
    request: '',
    raw: '{}',
    usage,
    model: 'm',
    identity: 'i',
    cost: 1,
    boughtAt: 6,
    node: 'n1',
    batch: 'b',
  };
  await store.calls.put(KEYS[0]!, answer);
  const failure = { class: 'permanent', reason: 'rejected', message: 'no' } as const;
  const failed = { request: '', failure, failedAt: 6, node: 'n' };
  await store.calls.putFailure(KEYS[1]!, failed);
  await store.calls.putFailure(KEYS[2]!, { ...failed, raw: '{}' });
  await store.calls.putFailure(KEYS[3]!, { ...failed, failedAt: 4 });
  await store.calls.putFailure(KEYS[4]!, { ...failed, raw: '{}', cost: 0 });
  expect(await books.loseAll(submission)).toEqual([KEYS[3]]);
  expect(outcomes).toEqual([
    { billed: usage },
    { billed: 'no' },
    { billed: 'maybe' },
    { billed: 'maybe' },
    { billed: 'no' },
  ]);
  expect(books.harvest).toMatchObject({
    failed: 3,
    cost: 1,
    discount: 3,
    models: [{ bought: 1, cost: 1, unknown: 7 }],
  });
  expect(unknownIn(store)).toEqual([
    ['n3', 3],
    ['n4', 4],
  ]);
});

it('a lost batch is settled as what may have been billed, call by call, and keeps it for the next build', async () => {
  const { store, books, outcomes } = booksOf(KEYS.slice(0, 2));
  const { batch: _, ...nameless } = submission;
  await books.loseAll(nameless);
  expect(outcomes).toEqual([{ billed: 'maybe' }, { billed: 'maybe' }]);
  expect(KEYS.some((key) => books.isReserved(key))).toBe(false);
  expect(unknownIn(store)).toEqual([
    ['n1', 1],
    ['n2', 2],
  ]);
  expect(books.harvest).toMatchObject({ cost: 0, models: [{ identity: 'i', model: 'm', bought: 0, unknown: 3 }] });
});
