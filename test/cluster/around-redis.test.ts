/** What stands around Redis: who was heard of, who takes over, and how a job ended. */

import { QueueEvents } from 'bullmq';
import { describe, expect, it } from 'vitest';
import { endOf } from '../../src/cluster/job-end.ts';
import { Roster, type Seen, type TillAbout } from '../../src/cluster/roster.ts';
import { takeOver } from '../../src/cluster/take-over.ts';
import { lookForTills } from '../../src/cluster/till-replies.ts';

const ABOUT: TillAbout = { host: 'h', pid: 1, version: '1' };

describe('the roster', () => {
  /** A Redis of one hash, whose clock says so many milliseconds. */
  function redisAt(clock: { time: number }, hash = new Map<string, string>()) {
    return {
      hash,
      time: async () => [Math.floor(clock.time / 1000), (clock.time % 1000) * 1000],
      hset: async (_: unknown, ...entry: unknown[]) => hash.set(String(entry[0]), String(entry[1])).size,
      hdel: async (_: unknown, ...names: unknown[]) => (hash.delete(String(names[0])) ? 1 : 0),
      hgetall: async () => Object.fromEntries(hash),
    };
  }

  it('says who was heard of and how many seconds ago, and forgets after an hour', async () => {
    const clock = { time: 10_000_000 };
    const redis = redisAt(clock);
    const roster = new Roster(redis, 'acme');
    await roster.beat('tills', 'old', ABOUT);
    clock.time += 3_590_000;
    await roster.beat('tills', 'new', { ...ABOUT, pid: 2 });
    clock.time += 10_400;
    expect(await roster.read('tills')).toEqual([
      { ...ABOUT, id: 'old', seconds: 3600 },
      { ...ABOUT, pid: 2, id: 'new', seconds: 10 },
    ]);
    clock.time += 600;
    expect((await roster.read('tills')).map(({ id, seconds }) => [id, seconds])).toEqual([['new', 11]]);
    expect([...redis.hash.keys()]).toEqual(['new']);
    await roster.leave('tills', 'new');
    expect(await roster.read('tills')).toEqual([]);
  });

  it('passes over what somebody else wrote, and a clock that is behind', async () => {
    const clock = { time: 5_000 };
    const others = new Map([
      ['text', 'no JSON'],
      ['shape', JSON.stringify({ host: 'h', pid: 'one', version: '1', at: 5_000 })],
      ['when', JSON.stringify(ABOUT)],
      ['ahead', JSON.stringify({ ...ABOUT, at: 9_000 })],
    ]);
    expect(await new Roster(redisAt(clock, others), 'acme').read('tills')).toEqual([
      { ...ABOUT, id: 'ahead', seconds: 0 },
    ]);
  });

  it('has a till for a build that was heard of within two and a half minutes; where there is none a build says so', async () => {
    const clock = { time: 10_000_000 };
    const redis = redisAt(clock);
    const notes: string[] = [];
    const look = () =>
      lookForTills({ redis, account: 'acme', emit: (event) => event.type === 'note' && notes.push(event.text) });
    await new Roster(redis, 'acme').beat('tills', 'one', ABOUT);
    clock.time += 149_000;
    await look();
    expect(notes).toEqual([]);
    clock.time += 1_000;
    await look();
    expect(notes).toEqual(['no till is open for the account acme: calls wait until one is (`cje till`)']);
  });
});

describe('a till that stands by', () => {
  /** @param answers who is open each time it is asked; null: this till */
  function standBy(
    answers: readonly (string | null)[],
    tills: readonly Seen<TillAbout>[],
    gone: readonly number[] = [],
  ) {
    const done: string[] = [];
    const slept: number[] = [];
    const interrupt = new AbortController();
    let asked = 0;
    const result = takeOver({
      ledger: {
        open: async () => {
          const by = answers[asked++] ?? null;
          return by === null ? { isOpen: true } : { isOpen: false, by };
        },
        leave: async (owner) => void done.push(`close ${owner}`),
      },
      roster: {
        read: (async () => tills.filter(({ id }) => !done.includes(`forget ${id}`))) as Roster['read'],
        leave: async (_, id) => void done.push(`forget ${id}`),
        beat: async (_, id) => void done.push(`beat ${id}`),
      },
      owner: 'me',
      about: ABOUT,
      lease: 60_000,
      isGone: ({ pid }) => gone.includes(pid),
      clock: {
        now: () => 0,
        sleep: async (milliseconds) => {
          slept.push(milliseconds);
          if (slept.length > 3) interrupt.abort();
        },
      },
      note: (text) => done.push(text),
      interrupt: interrupt.signal,
    });
    return { result, done, slept };
  }
  const till = (id: string, seconds: number, pid = 9): Seen<TillAbout> => ({ ...ABOUT, id, seconds, pid });
  const told = (who: string) =>
    `a till is open already for this account${who}: this one stands by, and takes over when that one has ended ` +
    'or has said nothing for 60 s';

  it('is told once whom it waits for, beats meanwhile, and takes over where that one has ended', async () => {
    const { result, done, slept } = standBy(['other', 'other', null], [till('other', 60)]);
    expect(await result).toBe(true);
    expect(done).toEqual([told(' (pid 9 on h)'), 'beat me', 'beat me']);
    expect(slept).toEqual([15_000, 15_000]);
  });

  it('does not wait for one that said nothing for a lease, or is known to be gone', async () => {
    for (const at of [
      standBy(['other', null], [till('other', 61)]),
      standBy(['other', null], [till('other', 5)], [9]),
    ]) {
      expect(await at.result).toBe(true);
      expect([at.done, at.slept]).toEqual([['forget other', 'close other'], []]);
    }
  });

  it('ends without the place where it is interrupted', async () => {
    const { result, done } = standBy(['other', 'other', 'other', 'other', 'other'], []);
    expect(await result).toBe(false);
    expect(done).toEqual([told(''), 'beat me', 'beat me', 'beat me', 'beat me']);
  });
});

describe('how a job ended', () => {
  /** @param looks the job's state each time that nobody said that it has ended */
  async function ended(looks: readonly string[], value?: number) {
    const states = [...looks];
    const waited: unknown[] = [];
    const job = {
      waitUntilFinished: async (_: unknown, milliseconds?: number) => {
        waited.push(milliseconds);
        if (states.length === 0 && value !== undefined) return value;
        throw new Error('not in time');
      },
      getState: async () => states.shift() as 'failed' | 'unknown' | 'active',
    };
    return { end: await endOf<number>(job, Object.create(QueueEvents.prototype) as QueueEvents), waited };
  }

  it('is what it gave, though it be looked at in vain before', async () => {
    expect((await ended([], 7)).end).toEqual({ type: 'done', value: 7 });
    const { end, waited } = await ended(['active', 'active'], 7);
    expect([end, waited]).toEqual([{ type: 'done', value: 7 }, [30_000, 30_000, 30_000]]);
  });

  it('is why it failed, or that Redis does not know it', async () => {
    expect((await ended(['active', 'failed'])).end).toEqual({ type: 'failed', reason: 'not in time' });
    expect((await ended(['active', 'unknown'])).end).toEqual({ type: 'lost' });
  });
});
