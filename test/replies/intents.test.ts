/** What is on disk before a byte leaves, and what of it a build that is gone leaves behind. */

import { describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { takeLock } from '../../src/engine/build/lock.ts';
import { Intents, unresolvedIntents } from '../../src/replies/intents.ts';
import { memoryStore } from '../helpers/memory-store.ts';

const CALL = digestText('a call');
const INTENT = { call: CALL, identity: 'http://lab', model: 'm', node: 'answers', dollars: 2 };
const USAGE = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
const reply = (boughtAt: number) => ({
  request: 'a call',
  raw: '{}',
  usage: USAGE,
  model: 'm',
  identity: 'http://lab',
  cost: 1,
  boughtAt,
  node: 'answers',
});

function begun(at = 10) {
  const store = memoryStore();
  return { store, intents: new Intents(store.intents, () => at) };
}
const left = ({ intents, calls }: ReturnType<typeof memoryStore>) => unresolvedIntents(intents, calls);

describe('an intent', () => {
  it('is there until its outcome is in a book', async () => {
    const { store, intents } = begun();
    const open = await intents.open(INTENT);
    expect(left(store)).toEqual([{ id: open.id, intent: { ...INTENT, at: 10 } }]);
    await intents.settle(open, { billed: USAGE });
    expect(left(store)).toEqual([]);
  });

  it.each<[string, TryOutcome, number]>([
    ['nothing', { billed: 'no' }, 0],
    ['a bill', { billed: USAGE }, 0],
    ['an unknown outcome', { billed: 'maybe' }, 1],
  ])('that came to %s is kept only while no record tells of it', async (_, outcome, kept) => {
    const { store, intents } = begun();
    await intents.settle(await intents.open(INTENT), outcome);
    expect(left(store)).toHaveLength(kept);
    await intents.booked();
    expect(store.contents.intents.size).toBe(0);
  });

  it('of two tries of one call at one moment is two', async () => {
    const { store, intents } = begun();
    await Promise.all([intents.open(INTENT), intents.open(INTENT)]);
    expect(left(store)).toHaveLength(2);
  });

  it('was answered where the call has a younger answer, unless its outcome is known to be unknown', async () => {
    const { store, intents } = begun();
    const first = await intents.open(INTENT);
    await intents.settle(first, { billed: 'maybe' });
    await intents.open(INTENT);
    await store.calls.put(CALL, reply(11));
    expect(left(store).map(({ id }) => id)).toEqual([first.id]);
    await store.calls.put(CALL, reply(9));
    expect(left(store)).toHaveLength(2);
    // Within one millisecond a try may be answered.
    await store.calls.put(CALL, reply(10));
    expect(left(store)).toHaveLength(1);
  });
});

describe('the next build', () => {
  it('says once what was under way, and keeps it in the books whatever is bought later', async () => {
    const { store, intents } = begun();
    await intents.open(INTENT);
    const notes: string[] = [];
    const take = async () => {
      const lock = await takeLock(
        { command: 'cje build', interrupt: new AbortController().signal },
        { store, emit: (event) => event.type === 'note' && notes.push(event.text) },
      );
      await store.lock.release();
      return lock.type;
    };
    expect(await take()).toBe('taken');
    expect(notes).toEqual([
      'an earlier build was killed with 1 request under way: $2.0000 may have been billed and is booked as unknown',
    ]);
    await take();
    expect(notes).toHaveLength(1);
    await store.calls.put(CALL, reply(99));
    expect(left(store).map(({ intent }) => intent.dollars)).toEqual([2]);
  });
});
