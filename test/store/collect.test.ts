import { existsSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import type { BuildRecord } from '../../src/core/storage.ts';
import { addBills, unrecordedPurchases } from '../../src/core/unrecorded.ts';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { candidates, keptBuilds } from '../../src/store/upkeep/candidates.ts';
import { collect } from '../../src/store/upkeep/collect.ts';
import { statistics } from '../../src/store/upkeep/statistics.ts';
import { verifyStore } from '../../src/store/upkeep/verify.ts';
import { sampleAction, sampleBuild, sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

const DAY = 86_400_000;
const LONG = 'y'.repeat(6000);

/**
 * So many builds, a day apart: each buys twenty replies and depends on them and on half of those of the one before.
 */
async function history(
  store: LocalStore,
  builds: number,
  tags: Readonly<Record<number, string>> = {},
): Promise<BuildRecord[]> {
  const records: BuildRecord[] = [];
  for (let build = 0; build < builds; build++) {
    const time = build * DAY;
    const keys: Digest[] = [];
    const puts: Promise<void>[] = [];
    for (let index = build * 20 - (build === 0 ? 0 : 10); index < (build + 1) * 20; index++) {
      const { key, call } = sampleCall(index);
      keys.push(key);
      if (index >= build * 20) {
        puts.push(store.calls.put(key, { ...call, raw: LONG, boughtAt: time + 5, cost: 0.5, node: 'responses/p0' }));
      }
    }
    await Promise.all(puts);
    const rows = await store.blobs.put(`{"build":${build}}\n`.repeat(1000));
    const calls = await store.blobs.put(keys.map((key) => `${key}\n`).join(''));
    const action = {
      ...sampleAction(`node of ${build}`),
      outputs: { 'rows.jsonl': rows },
      calls,
      finishedAt: time + 10,
    };
    await store.actions.put(action);
    const record: BuildRecord = {
      ...sampleBuild(`2026010${build + 1}-000000-000-aaaa`),
      startedAt: time,
      finishedAt: time + 20,
      nodes: { 'responses/p0': { key: action.key, outcome: 'run', outputs: action.outputs, bought: 20, cost: 10 } },
      ...(tags[build] === undefined ? {} : { tags: [tags[build]!] }),
    };
    await store.builds.put(record);
    records.push(record);
  }
  return records;
}

/** A failure in the ledger. */
async function failed(store: LocalStore, index: number, failedAt: number) {
  const { key, call } = sampleCall(index);
  const failure = { class: 'permanent', reason: 'refused', message: 'no' } as const;
  await store.calls.putFailure(key, { request: call.request, failure, failedAt, node: 'responses/p0' });
  return { key };
}

/** How many replies of a build's own are there. */
const own = (store: LocalStore, build: number) =>
  Array.from({ length: 20 }, (_, index) => sampleCall(build * 20 + index).key).filter((key) => store.calls.get(key))
    .length;
const dataFile = (place: string) => join(place, '.cache', 'lmdb', 'data.mdb');

describe('collection', () => {
  test('keeps what the newest builds depend on, whole, and gives the room back to the disk', async () => {
    const place = folder();
    const store = open(place);
    await history(store, 5);
    const before = statSync(dataFile(place)).size;
    const done = await collect(store, { keepBuilds: 2, maxBytes: undefined, dryRun: false });
    expect(done.builds).toBe(2);
    expect(done.removed).toEqual({ replies: 50, failures: 0, actions: 3, blobs: 6, downloads: 0, quarantined: 0 });
    expect(done.dollars).toBe(25);
    // The second newest depends on half of what the one before it bought.
    expect([0, 1, 2, 3, 4].map((build) => own(store, build))).toEqual([0, 0, 10, 20, 20]);
    expect(statSync(dataFile(place)).size).toBeLessThan(before / 1.5);
    expect(done.bytesAfter).toBeLessThan(done.bytesBefore);
    expect([...store.builds.list()]).toHaveLength(5);
    expect((await verifyStore(store)).damaged).toEqual([]);
    expect((await collect(store, { keepBuilds: 2, maxBytes: undefined, dryRun: false })).removed.replies).toBe(0);
  });

  test('says the same beforehand, and touches nothing', async () => {
    const store = open(folder());
    await history(store, 5);
    const plan = await collect(store, { keepBuilds: 2, maxBytes: undefined, dryRun: true });
    expect(store.calls.count()).toBe(100);
    const done = await collect(store, { keepBuilds: 2, maxBytes: undefined, dryRun: false });
    expect(plan.removed).toEqual(done.removed);
    expect(plan.dollars).toBe(done.dollars);
    expect(Math.abs(plan.bytesAfter - done.bytesAfter)).toBeLessThan(0.3 * done.bytesAfter);
  });

  test('removes the oldest first, and no more than has to go', async () => {
    const store = open(folder());
    await history(store, 6);
    const { bytes } = statistics(store, 6 * DAY);
    const maxBytes = Math.floor(bytes * 0.7);
    const done = await collect(store, { keepBuilds: 1, maxBytes, dryRun: false });
    expect(done.fits).toBe(true);
    expect(done.bytesAfter).toBeLessThanOrEqual(maxBytes);
    const left = [0, 1, 2, 3, 4, 5].map((build) => own(store, build));
    expect(left[0]).toBe(0);
    expect(left.slice(4)).toEqual([20, 20]);
    expect([...left]).toEqual([...left].sort((a, b) => a - b));
    expect(store.calls.count()).toBeGreaterThan(60);
    expect((await verifyStore(store)).damaged).toEqual([]);
  });

  test.each([
    [0, 0],
    [1, 1],
    [4096, 1],
    [4097, 2],
  ])('of entries of one block each removes for %i bytes %i', async (bytes, blobs) => {
    const store = open(folder());
    await store.builds.put(sampleBuild('20260101-000000-000-aaaa'));
    // Nobody's.
    for (let index = 0; index < 4; index++) await store.blobs.put(`output ${index}`);
    const { bytesAfter: before } = await collect(store, { keepBuilds: 0, maxBytes: 1e9, dryRun: true });
    const options = { keepBuilds: 0, maxBytes: before - bytes };
    const bytesAfter = before - 4096 * blobs;
    expect(await collect(store, { ...options, dryRun: true })).toMatchObject({
      removed: { blobs },
      bytesAfter,
      fits: true,
    });
    expect(await collect(store, { ...options, dryRun: false })).toMatchObject({ removed: { blobs } });
    expect([...store.blobs.scan()]).toHaveLength(4 - blobs);
  });

  test('takes replies to be as large as their table, each by its share', async () => {
    const store = open(folder());
    const records = [sampleBuild('20260101-000000-000-aaaa')];
    for (const [index, length] of [200, 600].entries()) {
      const { key, call } = sampleCall(index);
      await store.calls.put(key, { ...call, raw: 'y'.repeat(length - call.request.length) });
    }
    const found = candidates(store, records, keptBuilds(store, records, 0)).filter(({ kind }) => kind === 'replies');
    const table = store.database.usage().tables.get('calls')!;
    expect(found.map(({ bytes }) => bytes)).toEqual([expect.closeTo(table / 4), expect.closeTo((3 * table) / 4)]);
  });

  test('keeps what was made, failed and was fetched in the very millisecond in which the oldest kept build began', async () => {
    const place = folder();
    const store = open(place);
    await history(store, 3);
    const since = 2 * DAY;
    const at = async (name: string, finishedAt: number) => {
      const rows = await store.blobs.put(`rows of ${name}`);
      const keys = await store.blobs.put('');
      await store.actions.put({ ...sampleAction(name), outputs: { 'rows.jsonl': rows }, calls: keys, finishedAt });
      mkdirSync(join(place, '.cache', 'downloads'), { recursive: true });
      const path = join(place, '.cache', 'downloads', name);
      writeFileSync(path, name);
      utimesSync(path, finishedAt / 1000, finishedAt / 1000);
      return () => [
        store.actions.get(sampleAction(name).key) !== undefined,
        store.blobs.locate(rows) !== undefined,
        existsSync(path),
      ];
    };
    const [before, then] = [await at('before', since - 1), await at('then', since)];
    await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: false });
    expect(before()).toEqual([false, false, false]);
    expect(then()).toEqual([true, true, true]);
  });

  test('keeps tagged builds, and what was bought after the oldest kept build began', async () => {
    const store = open(folder());
    await history(store, 4, { 0: 'v1' });
    // Bought by a build that was killed: no record knows of it.
    const { key, call } = sampleCall(999);
    await store.calls.put(key, { ...call, boughtAt: 3 * DAY + 500 });
    await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: false });
    expect([0, 1, 2, 3].map((build) => own(store, build))).toEqual([20, 0, 10, 20]);
    expect(store.calls.get(key)).toBeDefined();
  });

  test('removes no reply while a kept node cannot say which are its own', async () => {
    const store = open(folder());
    const records = await history(store, 3);
    const action = store.actions.get(records[2]!.nodes['responses/p0']!.key!)!;
    writeFileSync(store.blobs.locate(action.calls!)!, 'x'.repeat(action.calls!.size));
    const { key } = await failed(store, 900, 5);
    const done = await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: false });
    expect(done).toMatchObject({ unlisted: 1, removed: { replies: 0, failures: 0 } });
    expect(store.calls.count()).toBe(60);
    expect(store.calls.failure(key)).toBeDefined();
  });

  test('removes failures that no kept build depends on, but for those since the oldest of them began', async () => {
    const store = open(folder());
    await history(store, 3);
    const old = await failed(store, 900, 2 * DAY - 1);
    const fresh = await failed(store, 901, 2 * DAY);
    // Its row stands in the newest build, whenever it failed.
    const behind = await failed(store, 45, 5);
    const plan = await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: true });
    const done = await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: false });
    expect([plan.removed.failures, done.removed.failures]).toEqual([1, 1]);
    expect([old, fresh, behind].map(({ key }) => store.calls.failure(key) !== undefined)).toEqual([false, true, true]);
  });

  test('keeps the money in the books that only the removed answers told of', async () => {
    const store = open(folder());
    await history(store, 2);
    // What a killed build bought, between the two: one of it was asked anew, and one is no answer.
    const at = DAY / 2;
    const [reply, again, failed] = [100, 101, 102].map((index) => sampleCall(index));
    await store.calls.put(reply!.key, { ...reply!.call, boughtAt: at, cost: 3 });
    await store.calls.put(again!.key, { ...again!.call, boughtAt: at, cost: 5 });
    await store.calls.supersede(again!.key);
    await store.calls.put(again!.key, { ...again!.call, boughtAt: at, cost: null, reserved: 7 });
    const failure = { class: 'permanent', reason: 'filtered', message: 'no' } as const;
    await store.calls.putFailure(failed!.key, {
      request: failed!.call.request,
      failure,
      failedAt: at,
      node: 'a',
      cost: 11,
    });

    expect(store.removed.read().bill).toEqual({ bought: 0, cost: 0, unknown: 0 });
    await collect(store, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
    expect(store.calls.count()).toBe(0);
    expect(store.removed.read().bill).toEqual({ bought: 3, cost: 19, unknown: 7 });

    await store.calls.put(reply!.key, { ...reply!.call, boughtAt: at, cost: 1 });
    await collect(store, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
    expect(store.removed.read().bill).toEqual({ bought: 4, cost: 20, unknown: 7 });
  });

  test('books a purchase once that comes back and is removed again, and tells of it no more than once meanwhile', async () => {
    const store = open(folder());
    await history(store, 2);
    const { key, call } = sampleCall(100);
    const bought = { ...call, boughtAt: DAY / 2, cost: 3 };
    const failure = { class: 'permanent', reason: 'filtered', message: 'no' } as const;
    const failed = { request: call.request, failure, failedAt: DAY / 2, node: 'a', cost: 5 };
    const whole = { bought: 1, cost: 8, unknown: 0 };
    for (let round = 0; round < 2; round++) {
      // As a pack brings it, or a page of a damaged file.
      await store.calls.put(key, bought);
      await store.calls.putFailure(key, failed);
      const { bill, of } = store.removed.read();
      const found = {
        replies: store.calls.scan(),
        failures: store.calls.scanFailures(),
        superseded: [{ key: `${key}/0`, value: { type: 'reply' as const, ...bought } }],
        unresolved: [],
      };
      const kept = unrecordedPurchases([...store.builds.list()], found, of).bill;
      expect(addBills(bill, kept)).toEqual(whole);
      await collect(store, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
      expect(store.calls.count()).toBe(0);
      expect(store.removed.read().bill).toEqual(whole);
    }
  });

  test('books the history of a call once that failed here and was answered elsewhere', async () => {
    const store = open(folder());
    await history(store, 1);
    const { key, call } = sampleCall(100);
    const failure = { class: 'permanent', reason: 'filtered', message: 'no' } as const;
    await store.calls.put(key, { ...call, boughtAt: DAY, cost: 3 });
    await store.calls.supersede(key);
    await store.calls.putFailure(key, { request: call.request, failure, failedAt: DAY, node: 'a', cost: 5 });
    await store.calls.put(key, { ...call, boughtAt: DAY, cost: 7 });
    await collect(store, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
    expect(store.removed.read().bill).toEqual({ bought: 2, cost: 15, unknown: 0 });
  });

  test('writes the data file anew only where that gives room back', async () => {
    const place = folder();
    const store = open(place);
    await history(store, 2);
    const before = statSync(dataFile(place)).ino;
    await collect(store, { keepBuilds: 2, maxBytes: undefined, dryRun: false });
    expect(statSync(dataFile(place)).ino).toBe(before);
  });

  test('writes it anew for any room at all where the cache is too large', async () => {
    const place = folder();
    const store = open(place);
    await history(store, 2);
    const { bytes, dataFile: data } = statistics(store, 2 * DAY);
    expect(data.bytes).toBeGreaterThan(data.used);
    const inode = () => statSync(dataFile(place)).ino;
    const before = inode();
    await collect(store, { keepBuilds: 2, maxBytes: bytes, dryRun: false });
    expect(inode()).toBe(before);
    await collect(store, { keepBuilds: 2, maxBytes: bytes - 1, dryRun: false });
    expect(inode()).not.toBe(before);
  });

  test('counts on the room of what is in quarantine', async () => {
    const store = open(folder());
    await history(store, 2);
    const ref = await store.blobs.put('damaged');
    const left = async () => (await collect(store, { keepBuilds: 2, maxBytes: 1e9, dryRun: true })).bytesAfter;
    const before = await left();
    writeFileSync(store.blobs.locate(ref)!, 'dameged');
    store.blobs.setAside(ref);
    expect(await left()).toBe(before - 4096);
  });

  test('is not kept from replies by a kept node that asked nothing', async () => {
    const store = open(folder());
    const records = await history(store, 2);
    const action = { ...sampleAction('a report'), outputs: {} };
    await store.actions.put(action);
    const node = { key: action.key, outcome: 'run', outputs: {}, bought: 0, cost: 0 } as const;
    await store.builds.put({ ...records[1]!, nodes: { ...records[1]!.nodes, report: node } });
    expect(await collect(store, { keepBuilds: 1, maxBytes: undefined, dryRun: true })).toMatchObject({
      unlisted: 0,
      removed: { replies: 10 },
    });
  });

  test('says so when what is kept takes more than the limit', async () => {
    const store = open(folder());
    await history(store, 2);
    const done = await collect(store, { keepBuilds: 5, maxBytes: 1000, dryRun: false });
    expect(done).toMatchObject({ fits: false, removed: { replies: 0, blobs: 0 } });
  });
});

describe('a compacted data file', () => {
  test('is found again when the process died between the two renames', async () => {
    const place = folder();
    const store = open(place);
    await history(store, 1);
    await store.close();
    const lmdb = join(place, '.cache', 'lmdb');
    renameSync(lmdb, `${lmdb}.old`);
    const reader = open(place, { readOnly: true });
    expect(reader.calls.count()).toBe(20);
    await reader.close();
    expect(existsSync(lmdb)).toBe(false);
    const writer = open(place);
    await writer.calls.put(sampleCall(77).key, sampleCall(77).call);
    expect(writer.calls.count()).toBe(21);
    expect(readdirSync(join(place, '.cache')).sort()).toEqual(['blobs', 'lmdb', 'temporary']);
  });

  test('is noticed by whoever still has the old one open, before it builds', async () => {
    const place = folder();
    const waiting = open(place);
    await history(waiting, 3);
    // Another process collects and is gone; here, a second store with a pid of its own.
    const gone = { pid: 2 ** 30, host: 'lab', bootId: () => 'b', startOf: () => 'a' };
    const here = { pid: 1, host: 'lab', bootId: () => 'b', startOf: (pid: number) => (pid === 1 ? 'a' : undefined) };
    await waiting.close();
    const collecting = open(place, { processes: gone });
    await collecting.lock.acquire('cje cache gc');
    const builder = open(place, { processes: { ...here, startOf: () => 'a' } });
    expect(await builder.lock.acquire('cje build')).toMatchObject({ ok: false });
    await collect(collecting, { keepBuilds: 1, maxBytes: undefined, dryRun: false });
    await collecting.lock.release();
    expect(await builder.lock.acquire('cje build')).toEqual({ ok: true });
    expect(builder.calls.count()).toBe(30);
    await builder.calls.put(sampleCall(500).key, sampleCall(500).call);
    const reader = open(place);
    expect(reader.calls.get(sampleCall(500).key)).toBeDefined();
    expect(nodeDisk.existsSync(join(place, '.cache', 'lmdb.old'))).toBe(false);
  });
});

describe('statistics', () => {
  test('count by kind, node, model and age', async () => {
    const store = open(folder());
    await history(store, 2);
    const found = statistics(store, DAY + 100);
    expect(found.total).toMatchObject({ replies: 40, dollars: 20, oldest: 5, newest: DAY + 5 });
    expect([...found.byKind]).toMatchObject([['responses', { replies: 40 }]]);
    expect([...found.byNode.keys()]).toEqual(['responses/p0']);
    expect([...found.byModel]).toMatchObject([['llama4-scout', { replies: 40 }]]);
    expect([...found.byAge].map(([age, { replies }]) => [age, replies])).toEqual([
      ['last day', 20],
      ['last 7 days', 20],
      ['last 30 days', 0],
      ['last 90 days', 0],
      ['older', 0],
    ]);
    expect(found).toMatchObject({ actions: 2, builds: 2, blobs: { files: 4 }, damaged: 0 });
  });

  test.each([
    [DAY - 1, 'last day'],
    [DAY, 'last 7 days'],
    [7 * DAY, 'last 30 days'],
    [30 * DAY, 'last 90 days'],
    [90 * DAY - 1, 'last 90 days'],
    [90 * DAY, 'older'],
  ])('count what was bought %i ms ago under: %s', async (age, name) => {
    const store = open(folder());
    const { key, call } = sampleCall(1);
    await store.calls.put(key, { ...call, boughtAt: 100 * DAY - age });
    const { byAge, dataFile: data } = statistics(store, 100 * DAY);
    expect(data.used).toBeLessThanOrEqual(data.bytes);
    expect([...byAge].filter(([, { replies }]) => replies > 0).map(([each]) => each)).toEqual([name]);
  });

  test('count what was for nothing apart from what has no price', async () => {
    const store = open(folder());
    for (const [index, cost] of [0, 0, 2, null].entries()) {
      const { key, call } = sampleCall(index);
      await store.calls.put(key, { ...call, cost });
    }
    expect(statistics(store, 0).total).toMatchObject({ replies: 4, dollars: 2, unpriced: 1 });
  });
});
