/** What becomes of calls whose batch is lost. */

import { expect, it } from 'vitest';
import type { Submission } from '../../src/core/batch.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { BatchBooks } from '../../src/replies/batch-books.ts';
import { Intents } from '../../src/replies/intents.ts';
import { memoryStore } from '../helpers/memory-store.ts';

it('a lost batch is settled as what may have been billed, call by call, and keeps it for the next build', async () => {
  const store = memoryStore();
  const keys = ['1', '2'].map((digit) => digit.repeat(32) as Digest);
  const call = (key: Digest) => ({
    submission: 's' as Digest,
    request: '',
    node: `n${key[0]}`,
    dollars: Number(key[0]),
  });
  const books = new BatchBooks({ keys: () => keys, call }, store.calls, new Intents(store.intents, () => 7));
  const outcomes: TryOutcome[] = [];
  for (const key of keys) {
    const settle = (outcome: TryOutcome) => {
      outcomes.push(outcome);
      return { dollars: 1, certain: false };
    };
    books.reserve(key, { dollars: 1, settle });
  }
  await books.loseAll({ id: 's', identity: 'i', model: 'm' } as Submission);
  expect(outcomes).toEqual([{ billed: 'maybe' }, { billed: 'maybe' }]);
  expect(keys.some((key) => books.isReserved(key))).toBe(false);
  expect([...store.intents.list()].map(({ intent: { node, dollars } }) => [node, dollars])).toEqual([
    ['n1', 1],
    ['n2', 2],
  ]);
  expect(books.harvest).toMatchObject({ cost: 0, models: [{ identity: 'i', model: 'm', bought: 0, unknown: 3 }] });
});
