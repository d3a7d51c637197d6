import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT, ProblemError } from '../../src/core/problem.ts';
import type { Processes } from '../../src/store/disk/processes.ts';
import { sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();
const PAGE = 4096;
const CALLS = 300;

const process = (pid: number, running: readonly number[]): Processes => ({
  pid,
  host: 'lab',
  bootId: () => 'boot',
  startOf: (asked) => (running.includes(asked) ? `start of ${asked}` : undefined),
});

/** A store with calls in it, whose lock a process holds. */
async function held(place: string) {
  const store = open(place, { processes: process(10, [10]) });
  const samples = Array.from({ length: CALLS }, (_, index) => sampleCall(index));
  await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
  await store.lock.acquire('cje build');
  await store.close();
  return join(place, '.cache', 'lmdb', 'data.mdb');
}

/** Empties the pages that hold the texts of calls, as a writer leaves them whose last pages never reached the disk. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  for (let at = 2 * PAGE; at < bytes.length; at += PAGE) {
    const page = bytes.subarray(at, at + PAGE);
    if (page.includes('Frage')) page.fill(0);
  }
  writeFileSync(file, bytes);
}

describe('a lock whose holder is gone', () => {
  test('is taken over only of a data file that is whole, also by one that had it open', async () => {
    const place = folder();
    const file = await held(place);
    const store = open(place, { processes: process(11, [11]) });
    expect(store.calls.count()).toBe(CALLS);
    damage(file);
    const taken = await store.lock.acquire('cje build').catch((error: unknown) => error);
    expect(taken).toBeInstanceOf(ProblemError);
    expect((taken as ProblemError).exit).toBe(EXIT.damaged);
    // Nothing more is written to the file, so the row stays for whoever comes when it is mended.
    await store.lock.release();
    expect(store.lock.holder()?.pid).toBe(11);
  });

  test('is taken over of a whole one, with all that was bought', async () => {
    const place = folder();
    await held(place);
    const store = open(place, { processes: process(11, [11]) });
    expect(await store.lock.acquire('cje build')).toMatchObject({ ok: true, tookOver: { pid: 10 } });
    expect(store.calls.count()).toBe(CALLS);
    expect(store.lock.holder()).toMatchObject({ pid: 11, processStart: 'start of 11', bootId: 'boot', host: 'lab' });
    await store.lock.release();
    expect(store.lock.holder()).toBeUndefined();
  });
});

describe('breaking a lock', () => {
  test.each<[string, Processes, boolean]>([
    ['of one that is gone', process(11, [11]), true],
    ['of one that is alive', process(11, [10, 11]), false],
    ['of another machine', { ...process(11, [10, 11]), host: 'elsewhere' }, true],
  ])('%s', async (_, processes, broken) => {
    const place = folder();
    const first = open(place, { processes: process(10, [10]) });
    await first.lock.acquire('cje build');
    const second = open(place, { processes });
    expect(second.lock.break()).toMatchObject({ broken, holder: { pid: 10 } });
    expect(second.lock.holder()?.pid).toBe(broken ? undefined : 10);
  });

  test('that nobody holds does nothing', () => {
    const store = open(folder());
    expect(store.lock.break()).toBeUndefined();
  });

  test('and taken since is not given back by the one who lost it', async () => {
    const place = folder();
    const first = open(place, { processes: process(10, [10, 11]), now: () => 1 });
    await first.lock.acquire('cje build');
    const second = open(place, { processes: { ...process(10, [10, 11]), host: 'elsewhere' }, now: () => 1 });
    second.lock.break();
    expect(await second.lock.acquire('cje build')).toEqual({ ok: true });
    await first.lock.release();
    expect(second.lock.holder()).toMatchObject({ host: 'elsewhere' });
  });
});

describe('who holds a lock', () => {
  const holder = { pid: 10, processStart: 'a', bootId: 'boot', host: 'lab', command: '', since: 5 };
  test.each<[string, Partial<typeof holder>]>([
    ['another process', { pid: 12 }],
    ['another start', { processStart: 'b' }],
    ['another machine', { host: 'elsewhere' }],
    ['another time', { since: 6 }],
  ])('is not whoever is %s', async (_, other) => {
    const place = folder();
    const as = (who: typeof holder) => ({
      processes: { pid: who.pid, host: who.host, bootId: () => who.bootId, startOf: () => who.processStart },
      now: () => who.since,
    });
    const first = open(place, as(holder));
    await first.lock.acquire('cje build');
    const away = open(place, as({ ...holder, host: 'far away' }));
    away.lock.break();
    const second = open(place, as({ ...holder, ...other }));
    await second.lock.acquire('cje build');
    await first.lock.release();
    expect(second.lock.holder()).toBeDefined();
    await second.lock.release();
    expect(second.lock.holder()).toBeUndefined();
  });
});
