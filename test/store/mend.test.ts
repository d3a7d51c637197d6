import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { Action } from '../../src/core/storage.ts';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { dataFileDamage, lockHolders, salvageDataFile } from '../../src/store/upkeep/salvage.ts';
import { verifyStore } from '../../src/store/upkeep/verify.ts';
import { seeded } from '../helpers/crashing.ts';
import { sampleAction, sampleBuild, sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

const BUILD = '20260101-000000-000-aaaa';
const dataFile = (place: string) => join(place, '.cache', 'lmdb', 'data.mdb');
const quarantined = (place: string) => readdirSync(join(place, '.cache', 'quarantine')).sort();

/** A store with so many replies, and two finished nodes that depend on the first and the last ten of them. */
async function filled(place: string, replies: number): Promise<{ store: LocalStore; first: Action; last: Action }> {
  const store = open(place);
  const samples = Array.from({ length: replies }, (_, index) => sampleCall(index));
  // Long replies lie on pages of their own, short ones share a page.
  const long = 'y'.repeat(9000);
  await Promise.all(
    samples.map(({ key, call }, index) =>
      store.calls.put(key, index % 3 === 0 ? { ...call, raw: call.raw + long } : call),
    ),
  );
  const node = async (name: string, keys: readonly Digest[]): Promise<Action> => {
    const rows = await store.blobs.put(`{"node":"${name}"}\n`.repeat(50));
    const calls = await store.blobs.put(keys.map((key) => `${key}\n`).join(''));
    const action = { ...sampleAction(name), outputs: { 'rows.jsonl': rows }, calls };
    await store.actions.put(action);
    return action;
  };
  const first = await node(
    'first',
    samples.slice(0, 10).map(({ key }) => key),
  );
  const last = await node(
    'last',
    samples.slice(-10).map(({ key }) => key),
  );
  await store.builds.put(sampleBuild(BUILD));
  return { store, first, last };
}

/** Flips a bit of every copy of the text. */
function flip(path: string, text: string, shift = 0): void {
  const bytes = readFileSync(path);
  const first = bytes.indexOf(text);
  expect(first).toBeGreaterThan(0);
  // Pages that LMDB has given up still hold what they held: how many commits there were decides which copy counts.
  for (let at = first; at !== -1; at = bytes.indexOf(text, at + text.length)) {
    bytes[at + shift] = bytes[at + shift]! ^ 0x01;
  }
  writeFileSync(path, bytes);
}

describe('verification', () => {
  test('finds nothing in what is whole, and counts it', async () => {
    const { store } = await filled(folder(), 50);
    const replies = [...store.calls.scan()].reduce(
      (sum, { value }) => sum + value!.request.length + value!.raw.length,
      0,
    );
    const blobs = [...store.blobs.scan()].reduce((sum, { size }) => sum + size, 0);
    expect(await verifyStore(store)).toMatchObject({
      bytes: replies + blobs,
      checked: { replies: 50, failures: 0, actions: 2, builds: 1, blobs: 4, downloads: 0 },
      damaged: [],
    });
  });

  test.each(['a byte is flipped', 'it is cut short'])(
    'takes out a blob when %s, and the record that names it',
    async (how) => {
      const place = folder();
      const { store, first, last } = await filled(place, 20);
      const ref = first.outputs['rows.jsonl']!;
      const path = store.blobs.locate(ref)!;
      if (how === 'it is cut short') truncateSync(path, ref.size - 1);
      else flip(path, 'first', 2);
      const { damaged } = await verifyStore(store);
      expect(damaged.map(({ kind, name }) => [kind, name])).toEqual([
        ['blob', ref.digest],
        ['action', first.key],
      ]);
      expect(store.blobs.locate(ref)).toBeUndefined();
      expect(store.actions.get(first.key)).toBeUndefined();
      expect(store.actions.get(last.key)).toEqual(last);
      expect(quarantined(place)).toEqual([`actions-${first.key}`, `blob-${ref.digest}`]);
      expect((await verifyStore(store)).damaged).toEqual([]);
    },
  );

  test('takes out a reply with a flipped byte, and the record that depends on it, so that both come back', async () => {
    const place = folder();
    const { store, first } = await filled(place, 40);
    await store.close();
    flip(dataFile(place), 'Antwort 4');
    expect(dataFileDamage(nodeDisk, join(place, '.cache'))).toBeUndefined();
    const again = open(place);
    const { key, call } = sampleCall(4);
    const { damaged } = await verifyStore(again);
    expect(damaged.map(({ kind, name }) => [kind, name])).toEqual([
      ['reply', key],
      ['action', first.key],
    ]);
    expect(damaged[1]!.reason).toContain(key);
    expect(again.calls.count()).toBe(39);
    expect(quarantined(place)).toContain(`calls-${key}`);
    await again.calls.put(key, call);
    expect((await verifyStore(again)).damaged).toEqual([]);
  });

  test('names a record whose blob is gone, a build record and a fetched file that are not as they were', async () => {
    const place = folder();
    const { store, last } = await filled(place, 20);
    rmSync(store.blobs.locate(last.calls!)!);
    await store.close();
    flip(dataFile(place), '"profile":"sim"', 12);
    const download = digestText('x').padEnd(64, '0');
    const downloads = join(place, '.cache', 'downloads');
    nodeDisk.mkdirSync(downloads);
    writeFileSync(join(downloads, download), 'not that');
    const again = open(place);
    expect((await verifyStore(again)).damaged).toMatchObject([
      { kind: 'action', name: last.key, reason: `its blob ${last.calls!.digest} is missing` },
      { kind: 'build record', name: BUILD },
      { kind: 'download', name: download },
    ]);
    expect(readdirSync(downloads)).toEqual([]);
    expect((await verifyStore(again)).damaged).toEqual([]);
  });
});

describe('a blob set aside', () => {
  test('is gone when it is damaged, and stays when it is whole', async () => {
    const place = folder();
    const store = open(place);
    const ref = await store.blobs.put('some rows\n');
    store.blobs.setAside(ref);
    const path = store.blobs.locate(ref)!;
    flip(path, 'rows');
    store.blobs.setAside(ref);
    store.blobs.setAside(ref);
    expect(store.blobs.locate(ref)).toBeUndefined();
    expect(quarantined(place)).toEqual([`blob-${ref.digest}`]);
    expect(await store.blobs.put('some rows\n')).toEqual(ref);
    expect(store.blobs.locate(ref)).toBe(path);
  });
});

describe('a data file whose tree is broken', () => {
  const cacheOf = (place: string) => join(place, '.cache');

  test('is told from a sound one: what is let pass can be read by LMDB, damaged entries and all', async () => {
    const place = folder();
    const { store } = await filled(place, 40);
    await store.close();
    const sound = readFileSync(dataFile(place));
    expect(dataFileDamage(nodeDisk, cacheOf(place))).toBeUndefined();
    const random = seeded(7);
    let faults = 0;
    for (let trial = 0; trial < 80; trial++) {
      const page = 4096 * Math.floor((random() * sound.length) / 4096);
      // Mostly where a page says what it is and where its entries begin.
      const at = page + Math.floor(random() * (trial % 4 === 0 ? 4096 : 60));
      const bytes = Buffer.from(sound);
      bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
      writeFileSync(dataFile(place), bytes);
      if (dataFileDamage(nodeDisk, cacheOf(place)) !== undefined) {
        faults++;
        continue;
      }
      const reader = open(place, { readOnly: true });
      const whole = [...reader.calls.scan()].filter(({ value }) => value !== undefined);
      expect(whole.length).toBeGreaterThanOrEqual(39);
      expect([...reader.actions.scan(), ...reader.builds.scan()]).toHaveLength(3);
      await reader.close();
    }
    expect(faults).toBeGreaterThan(0);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['its headers are gone', (bytes) => Buffer.concat([Buffer.alloc(8192), bytes.subarray(8192)])],
    ['it was cut short', (bytes) => bytes.subarray(0, Math.floor(bytes.length / 8192) * 4096)],
    ['a branch page is zeros', (bytes) => zeroPages(bytes, 0x01)],
  ])('gives back what can be read when %s', async (_, damage) => {
    const place = folder();
    const { store, first } = await filled(place, 300);
    const spent = { bought: 2, cost: 0.25, unknown: 0.5 };
    for (const of of [['a/1/2'], ['b/1/2']]) await store.database.change(store.removed.adding({ bill: spent, of }));
    await store.close();
    writeFileSync(dataFile(place), damage(readFileSync(dataFile(place))));
    expect(dataFileDamage(nodeDisk, cacheOf(place))).toBeDefined();
    const saved = await salvageDataFile(nodeDisk, cacheOf(place));
    expect(dataFileDamage(nodeDisk, cacheOf(place))).toBeUndefined();
    const again = open(place);
    expect(again.calls.count()).toBe(saved.replies);
    expect(saved.replies).toBeGreaterThan(100);
    for (const { key, value } of again.calls.scan()) expect(value && digestText(value.request)).toBe(key);
    if (_ !== 'it was cut short') {
      expect(saved).toEqual({ replies: 300, failures: 0, actions: 2, builds: 1 });
      expect(again.actions.get(first.key)).toEqual(first);
      expect(again.removed.read()).toEqual({
        bill: { bought: 4, cost: 0.5, unknown: 1 },
        of: new Set(['a/1/2', 'b/1/2']),
      });
    }
    expect(quarantined(place)).toContain('lmdb');
  });

  test('of two bills for what was removed takes the later one, whichever it finds first', async () => {
    const { store } = await filled(folder(), 1);
    const earlier = { bought: 3, cost: 0.25, unknown: 0 };
    const later = { bought: 3, cost: 0.5, unknown: 0 };
    for (const bill of [earlier, later, earlier]) await store.removed.restore('unrecorded', bill);
    expect(store.removed.read().bill).toEqual(later);
  });

  test.each([
    [{ bought: 2, cost: 1, unknown: 1 }, false],
    [{ bought: 3, cost: 0.75, unknown: 1 }, false],
    [{ bought: 3, cost: 1, unknown: 0.75 }, false],
    [{ bought: 3, cost: 1, unknown: 1.5 }, true],
    [{ bought: 4, cost: 1, unknown: 1 }, true],
  ])('takes %j in place of 3, $1 and $1: %s', async (bill, isLater) => {
    const { store } = await filled(folder(), 1);
    const known = { bought: 3, cost: 1, unknown: 1 };
    for (const each of [known, bill]) await store.removed.restore('unrecorded', each);
    expect(store.removed.read().bill).toEqual(isLater ? bill : known);
  });

  test('still tells who held the lock', async () => {
    const place = folder();
    const store = open(place);
    await store.lock.acquire('cje build ablations');
    await store.close();
    expect(lockHolders(nodeDisk, cacheOf(place))).toMatchObject([{ pid: process.pid, command: 'cje build ablations' }]);
  });
});

function zeroPages(bytes: Buffer, flags: number): Buffer {
  const damaged = Buffer.from(bytes);
  for (let at = 8192; at < damaged.length; at += 4096) {
    if (damaged.readUInt16LE(at + 18) === flags) damaged.fill(0, at, at + 4096);
  }
  return damaged;
}
