/** What is on disk before a byte leaves, and what of it a build that is gone leaves behind. */

import { describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import type { TryOutcome } from '../../src/core/provider-port.ts';
import { takeLock, withLock } from '../../src/engine/build/lock.ts';
import { CallTries, Intents, unresolvedIntents } from '../../src/replies/intents.ts';
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

  it('is not closed before it is written down', async () => {
    const store = memoryStore();
    let write = () => {};
    const mark: typeof store.intents.mark = async (all) => {
      await new Promise<void>((go) => {
        write = go;
      });
      await store.intents.mark(all);
    };
    const intents = new Intents({ ...store.intents, mark }, () => 10);
    const settled = intents.settle(await intents.open(INTENT), { billed: 'maybe' });
    const booked = intents.booked();
    write();
    await Promise.all([settled, booked]);
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

  it.each([
    [9, 1],
    [10, 0],
    [11, 0],
  ])('of millisecond 10 with a failure for good of millisecond %i leaves %i open', async (failedAt, open) => {
    const { store, intents } = begun();
    await intents.open(INTENT);
    const failure = { class: 'permanent', reason: 'rejected', message: 'no' } as const;
    await store.calls.putFailure(CALL, { request: 'a call', failure, failedAt, node: 'answers' });
    expect(left(store)).toHaveLength(open);
  });
});

describe('the tries of one call', () => {
  const dollars = (store: ReturnType<typeof memoryStore>) => left(store).map(({ intent }) => intent.dollars);
  const { dollars: _, ...of } = INTENT;

  it('that were billed are written down until a record tells of them, at what they cost', async () => {
    const { store, intents } = begun();
    const tries = new CallTries(intents, of);
    await (await tries.begin(2))({ billed: USAGE }, 0.5);
    expect(dollars(store)).toEqual([2]);
    await (await tries.begin(2))({ billed: USAGE }, null);
    expect(dollars(store)).toEqual([0.5, 2]);
    await store.calls.put(CALL, reply(11));
    await tries.recorded();
    expect(dollars(store)).toEqual([0.5]);
    await intents.booked();
    expect(store.contents.intents.size).toBe(0);
  });

  it('that end without a record stay until the build has one, unless they were not billed', async () => {
    const { store, intents } = begun();
    const tries = new CallTries(intents, of);
    await (await tries.begin(2))({ billed: USAGE }, 0.5);
    await (await tries.begin(2))({ billed: 'no' }, 0);
    await (await tries.begin(2))({ billed: USAGE }, 3);
    await tries.unrecorded();
    expect(dollars(store)).toEqual([0.5, 3]);
    await intents.booked();
    expect(store.contents.intents.size).toBe(0);
  });
});

it('what was answered is no try under way for what removes the answer', async () => {
  const { store, intents } = begun();
  await intents.open(INTENT);
  await intents.open({ ...INTENT, call: digestText('another call') });
  await store.calls.put(CALL, reply(11));
  await withLock(store, 'cje cache gc', async () => void store.contents.calls.clear());
  expect(left(store).map(({ intent }) => intent.call)).toEqual([digestText('another call')]);
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
      'an earlier build was killed, or its disk was full, with 1 request under way: $2.0000 may have been billed and is booked as unknown',
    ]);
    await take();
    expect(notes).toHaveLength(1);
    await store.calls.put(CALL, reply(99));
    expect(left(store).map(({ intent }) => intent.dollars)).toEqual([2]);
  });
});
