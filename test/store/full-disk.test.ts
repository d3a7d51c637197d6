/** A disk without room: found before LMDB meets it, whose own way to say so can end the process. */

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/store/disk/disk.ts';
import { Commits } from '../../src/store/lmdb/commits.ts';
import { databaseProblem } from '../../src/store/lmdb/errors.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();
const FULL = {
  problems: [
    {
      id: 'CJE-CACHE-FULL',
      headline: expect.stringContaining('no space left for the cache folder'),
    },
  ],
};
const [first, second, third] = [sampleCall(1), sampleCall(2), sampleCall(3)];

/** A disk on which so much is left as is said. */
function diskOf(): { left: number; disk: Disk } {
  const state = { left: 1e9, disk: { ...nodeDisk, bytesLeft: () => state.left } };
  return state;
}

describe('a disk that is full', () => {
  test('takes no lock', async () => {
    const state = diskOf();
    state.left = 1e5;
    const store = open(folder(), { disk: state.disk });
    await expect(store.lock.acquire('build')).rejects.toMatchObject(FULL);
    state.left = 1e9;
    expect(await store.lock.acquire('build')).toEqual({ ok: true });
  });

  test('keeps what was written before, and the next store goes on from there', async () => {
    const state = diskOf();
    const place = folder();
    const store = open(place, { disk: state.disk });
    await store.lock.acquire('build');
    await store.calls.put(first.key, first.call);
    state.left = 1e5;
    const writes = [store.calls.put(second.key, second.call), store.intents.close(['a/1/0'])];
    for (const write of writes) await expect(write).rejects.toMatchObject(FULL);
    // Nothing of it has met LMDB: with room again the same store goes on.
    state.left = 1e9;
    await store.calls.put(third.key, third.call);
    state.left = 1e5;
    await store.lock.release();
    expect(store.lock.holder()).toMatchObject({ command: 'build' });
    await store.close();

    const later = open(place);
    expect(later.calls.get(first.key)).toEqual(first.call);
    expect(later.calls.get(third.key)).toEqual(third.call);
    expect(later.calls.get(second.key)).toBeUndefined();
    await later.calls.put(second.key, second.call);
    expect(later.calls.get(second.key)).toEqual(second.call);
  });

  test('has room for what a build writes down as it ends', async () => {
    const state = diskOf();
    const store = open(folder(), { disk: state.disk });
    await store.lock.acquire('build');
    const intent = { call: first.key, identity: 'i', model: 'm', node: 'n', dollars: 1, at: 1 };
    await store.intents.open({ id: 'a/1/0', intent });
    await store.intents.open({ id: 'b/1/0', intent });
    state.left = 2e6;
    // A reply that finds no room beside the end of its try: the try stays written down.
    const unkept = [
      store.calls.put(first.key, first.call),
      store.intents.close(['a/1/0', 'b/1/0'], { answered: true }),
    ];
    expect((await Promise.allSettled(unkept)).map(({ status }) => status)).toContain('rejected');
    await expect(store.blobs.put('rows')).rejects.toMatchObject(FULL);
    await store.intents.mark([{ id: 'a/1/0', intent }]);
    await store.builds.put(buildRecord('20260101-000000-000-aaaa', {}));
    expect([...store.intents.list()].map(({ id, intent: { unknown } }) => [id, unknown])).toEqual([
      ['a/1/0', true],
      ['b/1/0', undefined],
    ]);
    await store.intents.close(['a/1/0', 'b/1/0']);
    await store.lock.release();
    expect(store.lock.holder()).toBeUndefined();
    expect([...store.builds.list()]).toHaveLength(1);
    expect([...store.intents.list()]).toEqual([]);
  });

  test('leaves the lock where it is found full only at the end', async () => {
    const state = diskOf();
    const store = open(folder(), { disk: state.disk });
    await store.lock.acquire('build');
    state.left = 1e5;
    await store.lock.release();
    expect(store.lock.holder()).toMatchObject({ command: 'build' });
  });
});

test('a limit on the length of files is met before LMDB does, and is told as that', async () => {
  const state = { longest: 1e9 };
  const store = open(folder(), { disk: { ...nodeDisk, longestFile: () => state.longest } });
  await store.calls.put(first.key, first.call);
  state.longest = 1e6;
  await expect(store.calls.put(second.key, second.call)).rejects.toMatchObject({
    problems: [{ id: 'CJE-CACHE-FULL', hint: expect.stringContaining('ulimit -f') }],
  });
});

test.each([
  [27, 'CJE-CACHE-FULL', /become no longer/],
  [28, 'CJE-CACHE-FULL', /no space left/],
  [122, 'CJE-CACHE-FULL', /quota/],
  [-30796, 'CJE-CACHE-DAMAGED', /is damaged/],
  // A bad transaction is what a write says after another that failed.
  [-30782, 'CJE-CACHE-UNWRITABLE', /cannot write/],
] as const)('LMDB’s error %i of a write is %s', (code, id, headline) => {
  const [problem] = databaseProblem('/x', Object.assign(new Error('told'), { code })).problems;
  expect(problem).toMatchObject({ id, headline: expect.stringMatching(headline) });
});

describe('a write that throws in the middle', () => {
  test('leaves nothing of itself, and what was asked for beside it is kept', async () => {
    const place = folder();
    const store = open(place);
    const { database } = store;
    await database.change([['files', 'before', 'x']]);
    const bad = database.change([
      ['files', 'before', undefined],
      ['files', 'half', 'y'],
      // No key of LMDB is as long as that.
      ['files', 'z'.repeat(5000), 'z'],
    ]);
    const beside = database.put('files', 'beside', 'b');
    await expect(bad).rejects.toMatchObject({ problems: [{ id: expect.stringMatching(/^CJE-CACHE/) }] });
    await beside;
    // The memory of LMDB is not trusted after it.
    await expect(database.put('files', 'after', 'a')).rejects.toMatchObject({ problems: [{}] });
    await store.close();
    const later = open(place).database;
    expect([...later.scan('files')]).toEqual([
      { key: 'before', value: 'x' },
      { key: 'beside', value: 'b' },
    ]);
  });
});

test('every failed commit has a cause of its own, and none is left unheard, which would end the process', async () => {
  const commits = new Commits(folder(), nodeDisk, async (work) => work());
  const failed = (reason: string) =>
    Object.assign(new Error('Commit failed'), { commitError: Promise.reject(new Error(reason)) });
  const found = await Promise.all(['no room', 'no room either'].map((reason) => commits.fail(failed(reason))));
  for (const problem of found) {
    expect(problem.problems[0]!.facts).toEqual([['reason', 'no room']]);
  }
});

test('the room of a folder that is still to be made is that of the disk it will lie on', () => {
  const missing = join(folder(), 'not', 'there');
  expect(nodeDisk.bytesLeft(missing)).toBeGreaterThan(0);
  expect(nodeDisk.bytesLeft(missing)).toBeLessThan(Number.POSITIVE_INFINITY);
});
