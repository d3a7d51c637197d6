import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { folderStore } from '../../src/remote/folder.ts';
import { holdKept } from '../../src/remote/holds.ts';
import { lookAround, pull } from '../../src/remote/pull.ts';
import { push } from '../../src/remote/push.ts';
import { retain } from '../../src/remote/retention.ts';
import { SharedAnswers } from '../../src/remote/shared-answers.ts';
import { verifyStore } from '../../src/store/upkeep/verify.ts';
import { sampleCall } from '../store/sample.ts';
import { DAY, fill, NOW, newKey, team } from './support.ts';

const { folder, machine } = team();

describe('a shared cache', () => {
  test('carries what one machine has to another, and nothing twice', async () => {
    const place = folder();
    const alice = newKey();
    const first = machine(place, [alice], alice);
    const action = await fill(first.store);
    const counts = { replies: 21, failures: 1, superseded: 1, actions: 1, blobs: 2 };
    expect(await push(first.store, first.remote, { all: false })).toMatchObject({ segments: 1, ...counts });
    expect(await push(first.store, first.remote, { all: false })).toMatchObject({ segments: 0 });

    const second = machine(place, [alice]);
    expect(await pull(second.store, second.remote)).toMatchObject({
      segments: 1,
      added: counts,
      different: 0,
      refused: [],
    });
    expect(second.store.actions.get(action.key)).toEqual(first.store.actions.get(action.key));
    for (const index of [0, 19, 6000]) {
      const { key, call } = sampleCall(index);
      expect(second.store.calls.get(key)).toEqual(call);
      expect(second.store.calls.superseded(key)).toEqual(first.store.calls.superseded(key));
    }
    expect(second.store.calls.superseded(sampleCall(6000).key)).toHaveLength(1);
    expect(second.store.calls.failure(sampleCall(5000).key)).toMatchObject({ failedAt: 4 });
    expect([...second.store.builds.list()]).toEqual([]);
    expect((await verifyStore(second.store)).damaged).toEqual([]);
    expect(await pull(second.store, second.remote)).toMatchObject({ segments: 0 });
    // Nothing half-written stays behind.
    expect(readdirSync(`${place}/tmp`)).toEqual([]);
    for (const { remote } of [first, second]) {
      expect(readdirSync(remote.known.folder).sort()).toEqual(['index', 'memory.json']);
    }
  });

  test('is written to by several, who give only what the others lack', async () => {
    const place = folder();
    const [alice, bob] = [newKey(), newKey()];
    const one = machine(place, [alice, bob], alice);
    const two = machine(place, [alice, bob], bob);
    await fill(one.store, 0);
    await push(one.store, one.remote, { all: false });
    await fill(two.store, 0);
    await fill(two.store, 100);
    expect(await push(two.store, two.remote, { all: false })).toMatchObject({ segments: 1, replies: 21, actions: 1 });
    expect(await pull(one.store, one.remote)).toMatchObject({ segments: 1, added: { replies: 21, actions: 1 } });
    expect(one.store.calls.count()).toBe(42);
  });

  test('keeps what is here where answers differ, and brings a new machine the newest of them', async () => {
    const place = folder();
    const alice = newKey();
    let now = NOW;
    const one = machine(place, [alice], alice, () => now);
    const { key, call } = sampleCall(3);
    await one.store.calls.put(key, call);
    await push(one.store, one.remote, { all: false });
    const two = machine(place, [alice], undefined);
    await pull(two.store, two.remote);

    const newer = { ...call, raw: '{"again":1}', boughtAt: call.boughtAt + 1 };
    await Promise.all([one.store.calls.supersede(key), one.store.calls.put(key, newer)]);
    now += DAY;
    expect(await push(one.store, one.remote, { all: false })).toMatchObject({ replies: 1, superseded: 1 });
    expect(await pull(two.store, two.remote)).toMatchObject({ different: 1, added: { replies: 0, superseded: 0 } });
    expect(two.store.calls.get(key)?.raw).toBe(call.raw);

    const three = machine(place, [alice], undefined);
    expect(await pull(three.store, three.remote)).toMatchObject({ segments: 2, different: 0, added: { replies: 1 } });
    expect(three.store.calls.get(key)?.raw).toBe(newer.raw);
    expect(three.store.calls.superseded(key)).toMatchObject([{ raw: call.raw }]);
  });

  test('is read newest first, in whatever order its names stand', async () => {
    const place = folder();
    const alice = newKey();
    const days = [2, 5, 1, 4, 3];
    for (const day of days) {
      const { store, remote } = machine(place, [alice], alice, () => NOW + day * DAY);
      const { key, call } = sampleCall(day);
      await store.calls.put(key, call);
      await push(store, remote, { all: false });
    }
    const seen = await lookAround(machine(place, [alice]).remote);
    expect(seen.segments.map(({ createdAt }) => (createdAt - NOW) / DAY)).toEqual([5, 4, 3, 2, 1]);
    const named = await folderStore(place).list('index/');
    const inOrderOfNames = named.map(({ name }) => seen.segments.findIndex(({ segment }) => name.includes(segment)));
    expect(inOrderOfNames).not.toEqual([0, 1, 2, 3, 4]);
  });

  test('is written to by nobody who has no key, or whose key is not trusted', async () => {
    const place = folder();
    const [alice, mallory] = [newKey(), newKey()];
    const reader = machine(place, [alice]);
    await fill(reader.store);
    await expect(push(reader.store, reader.remote, { all: false })).rejects.toThrow(/no key to sign with/);
    const stranger = machine(place, [alice], mallory);
    await fill(stranger.store);
    await expect(push(stranger.store, stranger.remote, { all: false })).rejects.toThrow(/not trusted/);
    expect(readdirSync(place)).toEqual([]);
  });

  test('that is not there is told as such, and never as an empty one', async () => {
    const alice = newKey();
    const { store, remote } = machine(`${folder()}/unmounted`, [alice], alice);
    await fill(store);
    await expect(pull(store, remote)).rejects.toThrow(/cannot be reached/);
    await expect(push(store, remote, { all: false })).rejects.toThrow(/cannot be reached/);
  });

  test('gives one segment at a time what a look-up misses, also what was removed here', async () => {
    const place = folder();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    await fill(one.store, 0);
    await push(one.store, one.remote, { all: false });
    await fill(one.store, 100);
    await push(one.store, one.remote, { all: false });
    const two = machine(place, [alice]);
    await pull(two.store, two.remote);
    await two.store.database.remove(
      'calls',
      [1, 2, 101].map((index) => sampleCall(index).key),
    );
    const answers = new SharedAnswers(two.store, two.remote);
    expect(answers.bring(sampleCall(700).key)).toBeUndefined();
    expect(await Promise.all([answers.bring(sampleCall(1).key), answers.bring(sampleCall(2).key)])).toEqual([
      true,
      true,
    ]);
    expect(two.store.calls.get(sampleCall(2).key)).toEqual(sampleCall(2).call);
    expect(two.store.calls.get(sampleCall(101).key)).toBeUndefined();
  });
});

describe('what is removed from a shared cache', () => {
  test('is old and needed by nobody, and goes only when that is asked for', async () => {
    const place = folder();
    const [alice, bob] = [newKey(), newKey()];
    let now = Date.now();
    const one = machine(place, [alice, bob], alice, () => now);
    await fill(one.store, 0);
    await push(one.store, one.remote, { all: false });
    // Bob needs what Alice made; she herself has let go of it.
    const two = machine(place, [alice, bob], bob, () => now);
    await pull(two.store, two.remote);
    await two.store.builds.put([...one.store.builds.list()][0]!);
    await holdKept(two.store, two.remote, () => 0.5);
    const three = machine(place, [alice, bob], alice, () => now);
    await three.store.calls.put(sampleCall(900).key, sampleCall(900).call);
    await push(three.store, three.remote, { all: false });

    expect(await retain(one.remote, { olderThan: DAY, dryRun: false })).toMatchObject({
      young: 1,
      held: 1,
      removed: [],
    });
    now += 40 * DAY;
    await fill(two.store, 300);
    await holdKept(two.store, two.remote, () => 0.5);
    expect(readdirSync(`${place}/holds`)).toHaveLength(1);
    const would = await retain(one.remote, { olderThan: 30 * DAY, dryRun: true });
    expect(would).toMatchObject({ young: 0, held: 1 });
    expect(would.removed.map((name) => name.split('/')[0])).toEqual(['index', 'segments']);
    expect(readdirSync(`${place}/segments`)).toHaveLength(2);
    expect(await retain(one.remote, { olderThan: 30 * DAY, dryRun: false })).toEqual(would);
    expect(readdirSync(`${place}/segments`)).toHaveLength(1);
    // It is not given again by those who still have it, unless they are told to.
    expect(await push(three.store, three.remote, { all: false })).toMatchObject({ segments: 0 });
    expect(await push(three.store, three.remote, { all: true })).toMatchObject({ replies: 1 });

    // Who has said nothing for the whole time needs nothing any more.
    now += 400 * DAY;
    const last = await retain(one.remote, { olderThan: 365 * DAY, dryRun: false });
    expect(last).toMatchObject({ young: 0, held: 0 });
    expect(last.removed.filter((name) => name.startsWith('holds/'))).toHaveLength(1);
    expect(readdirSync(`${place}/index`)).toEqual([]);
  });

  test('is never what a hold names, whoever signed that; a segment of a push that ended early goes', async () => {
    const place = folder();
    const [alice, stranger] = [newKey(), newKey()];
    let now = Date.now();
    const one = machine(place, [alice], alice, () => now);
    await fill(one.store, 0);
    await push(one.store, one.remote, { all: false });
    const other = machine(place, [alice, stranger], stranger, () => now);
    await pull(other.store, other.remote);
    await other.store.builds.put([...one.store.builds.list()][0]!);
    await folderStore(place).putIfAbsent(`segments/${'a'.repeat(64)}.pack`, Buffer.from('half of it'));
    // One that is being written has no index yet either.
    expect(await retain(one.remote, { olderThan: 30 * DAY, dryRun: false })).toMatchObject({ removed: [] });
    now += 90 * DAY;
    await holdKept(other.store, other.remote, () => 0.1);
    expect(await retain(one.remote, { olderThan: 30 * DAY, dryRun: false })).toMatchObject({
      held: 1,
      removed: [`segments/${'a'.repeat(64)}.pack`],
    });
  });
});
