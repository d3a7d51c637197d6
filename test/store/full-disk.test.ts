/** A disk without room: found before LMDB meets it, whose own way to say so can end the process. */

import { describe, expect, test } from 'vitest';
import { type Disk, nodeDisk } from '../../src/store/disk/disk.ts';
import { Commits } from '../../src/store/lmdb/commits.ts';
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
const [first, second] = [sampleCall(1), sampleCall(2)];

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
    await store.lock.release();
    expect(store.lock.holder()).toMatchObject({ command: 'build' });
    await store.close();

    const later = open(place);
    expect(later.calls.get(first.key)).toEqual(first.call);
    expect(later.calls.get(second.key)).toBeUndefined();
    await later.calls.put(second.key, second.call);
    expect(later.calls.get(second.key)).toEqual(second.call);
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

test('every failed commit has a cause of its own, and none is left unheard, which would end the process', async () => {
  const commits = new Commits(folder(), nodeDisk, async (work) => work());
  const failed = (reason: string) =>
    Object.assign(new Error('Commit failed'), { commitError: Promise.reject(new Error(reason)) });
  const found = await Promise.all(['no room', 'no room either'].map((reason) => commits.fail(failed(reason))));
  for (const problem of found) {
    expect(problem.problems[0]!.facts).toEqual([['reason', 'no room']]);
  }
});
