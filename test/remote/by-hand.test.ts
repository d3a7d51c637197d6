/** A shared cache by hand: what goes by its age, to the millisecond; what of a store goes into it; what is remembered of it. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { open, seal } from '../../src/remote/envelope.ts';
import { Exchange } from '../../src/remote/exchange.ts';
import { KnownSegments } from '../../src/remote/known.ts';
import type { ObjectStore } from '../../src/remote/object-store.ts';
import { lookAround, pull } from '../../src/remote/pull.ts';
import { push, pushAnswers } from '../../src/remote/push.ts';
import { retain } from '../../src/remote/retention.ts';
import { LONGEST_INDEX, readIndex } from '../../src/remote/segment-index.ts';
import { sampleAction, sampleCall } from '../store/sample.ts';
import { fill, type Machine, NOW, newKey, team } from './support.ts';

const { folder, machine } = team();

/** A place in memory, whose clock the test moves. */
function shelf() {
  const objects = new Map<string, { readonly bytes: Buffer; modified: number }>();
  const state = { now: NOW };
  const place: ObjectStore = {
    place: 'a shelf',
    list: async (prefix) =>
      [...objects]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { bytes, modified }]) => ({ name, bytes: bytes.length, modified })),
    get: async (name) => objects.get(name)?.bytes,
    async putIfAbsent(name, bytes) {
      if (objects.has(name)) return 'there';
      objects.set(name, { bytes, modified: state.now });
      return 'stored';
    },
    remove: async (name) => void objects.delete(name),
    close: async () => {},
  };
  return { objects, place, state };
}

const folderOf = (name: string) => name.split('/')[0];

describe('retention', () => {
  test.each([
    [999, []],
    [1000, []],
    [1001, ['index', 'segments', 'segments', 'tmp', 'work']],
  ])('of what is older than a second removes after %i ms %j', async (age, gone) => {
    const { objects, place, state } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice, () => state.now);
    await one.store.calls.put(sampleCall(1).key, sampleCall(1).call);
    await push(one.store, one.remote, { all: false });
    // What others have not finished, and what was handed to a worker.
    for (const name of [`segments/${'b'.repeat(64)}.pack`, 'tmp/half', 'work/done']) {
      await place.putIfAbsent(name, Buffer.from('some bytes'));
    }
    const bytes = (prefix: string) =>
      [...objects].reduce((sum, [name, each]) => sum + (name.startsWith(prefix) ? each.bytes.length : 0), 0);
    const all = ['segments/', 'tmp/', 'work/'].reduce((sum, prefix) => sum + bytes(prefix), 0);
    state.now += age;
    const kept = await retain(one.remote, { olderThan: 1000, dryRun: false });
    expect(kept.removed.map(folderOf)).toEqual(gone);
    expect(kept).toMatchObject({ young: gone.length === 0 ? 1 : 0, bytes: gone.length === 0 ? 0 : all });
    expect(objects.size).toBe(5 - gone.length);
  });

  test('goes by when an index was written there as well as by what it says of itself', async () => {
    const { objects, place, state } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice, () => state.now);
    await one.store.calls.put(sampleCall(1).key, sampleCall(1).call);
    await push(one.store, one.remote, { all: false });
    state.now += 5000;
    // Copied from another place, it is as young as its copy.
    for (const [name, each] of objects) if (name.startsWith('index/')) each.modified = state.now;
    const options = { olderThan: 1000, dryRun: true };
    expect(await retain(one.remote, options)).toMatchObject({ young: 1, removed: [] });
    // And a clock that is behind ages nothing that says it is young.
    for (const each of objects.values()) each.modified = 0;
    const young = { ...one.remote, now: () => NOW + 500 };
    expect(await retain(young, options)).toMatchObject({ young: 1, removed: [] });
  });
});

describe('what is given', () => {
  test('of the answers that are named is those, failures too, and nothing else', async () => {
    const { place } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    await fill(one.store);
    const keys = [1, 2, 5000, 77].map((index) => sampleCall(index).key);
    await pushAnswers(one.store, one.remote, keys);
    const two = machine(place, [alice]);
    expect(await pull(two.store, two.remote)).toMatchObject({
      segments: 1,
      added: { replies: 2, failures: 1, blobs: 0 },
    });
    expect(two.store.calls.get(sampleCall(2).key)).toEqual(sampleCall(2).call);
    // Given is given: a push of everything brings the others alone.
    expect(await push(one.store, one.remote, { all: false })).toMatchObject({ replies: 19, failures: 0 });
    await pushAnswers(one.store, one.remote, []);
    expect((await lookAround(one.remote)).segments).toHaveLength(2);
  });

  test('is the reply of a call that failed before, and an output of two nodes once', async () => {
    const { place } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    const { key, call } = sampleCall(1);
    const failure = { class: 'permanent', reason: 'rejected', message: 'no' } as const;
    await one.store.calls.put(key, call);
    await one.store.calls.putFailure(key, { request: call.request, failure, failedAt: 1, node: 'n' });
    const rows = await one.store.blobs.put('{"row":1}\n');
    for (const name of ['a', 'b']) {
      await one.store.actions.put({ ...sampleAction(name), outputs: { 'rows.jsonl': rows } });
    }
    const counts = { replies: 1, failures: 0, actions: 2, blobs: 1 };
    expect(await push(one.store, one.remote, { all: false })).toMatchObject({ segments: 1, ...counts });
    const [index] = (await lookAround(one.remote)).segments;
    // Eight bytes name an entry.
    expect([index?.answers, index?.actions, index?.blobs].map((set) => set!.bytes.length / 8)).toEqual([1, 2, 1]);
  });

  test('is no node whose output is not here, and no output that is not here', async () => {
    const { place } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    await one.store.actions.put(sampleAction('gone'));
    expect(await push(one.store, one.remote, { all: false })).toMatchObject({ segments: 0, actions: 0, blobs: 0 });
  });
});

test('what failed elsewhere is nothing to one who has a reply, or the failure', async () => {
  const { place } = shelf();
  const alice = newKey();
  const one = machine(place, [alice], alice);
  const failure = { class: 'permanent', reason: 'rejected', message: 'no' } as const;
  const failed = (index: number, failedAt: number) => {
    const { key, call } = sampleCall(index);
    return [key, { request: call.request, failure, failedAt, node: 'n' }] as const;
  };
  for (const index of [1, 2, 3]) await one.store.calls.putFailure(...failed(index, 5));
  await push(one.store, one.remote, { all: false });
  const two = machine(place, [alice]);
  await two.store.calls.put(sampleCall(1).key, sampleCall(1).call);
  await two.store.calls.putFailure(...failed(2, 9));
  expect(await pull(two.store, two.remote)).toMatchObject({ added: { replies: 0, failures: 1 } });
  const found = [1, 2, 3].map((index) => two.store.calls.failure(sampleCall(index).key)?.failedAt);
  expect(found).toEqual([undefined, 9, 5]);
});

test('what is merged stays known, also to the next command', () => {
  const place = folder();
  const known = new KnownSegments(place);
  known.markMerged(['b']);
  known.markMerged([]);
  known.markMerged(['a', 'b']);
  known.markHeld(['a'], 7);
  expect(known.holder(() => 0.5)).toBe('80000000');
  const next = new KnownSegments(place);
  expect(['a', 'b', 'c'].map((segment) => next.isMerged(segment))).toEqual([true, true, false]);
  expect([next.held, next.holder(() => 0.1)]).toEqual([{ segments: ['a'], at: 7 }, '80000000']);
});

test('an index that is not as it was written is passed over, and is read anew', async () => {
  const { objects, place } = shelf();
  const alice = newKey();
  const one = machine(place, [alice], alice);
  await one.store.calls.put(sampleCall(1).key, sampleCall(1).call);
  await push(one.store, one.remote, { all: false });
  const [name] = [...objects.keys()].filter((each) => each.startsWith('index/'));
  const home = folder();
  mkdirSync(join(home, 'index'));
  for (const [file, bytes] of [
    [name!.slice('index/'.length), Buffer.from('half of it')],
    ['notes.txt', objects.get(name!)!.bytes],
  ] as const) {
    writeFileSync(join(home, 'index', file), bytes);
  }
  const known = new KnownSegments(home);
  expect([...known.indexes().keys()]).toEqual([]);
  expect((await lookAround({ ...one.remote, known })).segments).toHaveLength(1);
  expect([...new KnownSegments(home).indexes().keys()]).toEqual([name]);
});

describe('what is sealed', () => {
  const key = newKey();
  const sealed = seal('hold', Buffer.from('what it says'), key);
  const line = sealed.toString('latin1', 0, sealed.indexOf(0x0a));
  const opened = (text: string, content = 'what it says') =>
    open('hold', Buffer.from(`${text}\n${content}`), () => true);

  test('is opened as it was written', () => {
    expect(opened(line)).toEqual({ ok: true, writer: key.public, content: Buffer.from('what it says') });
    expect(open('index', sealed, () => true)).toMatchObject({ reason: 'it is not signed' });
    expect(open('hold', sealed, () => false)).toMatchObject({ reason: expect.stringContaining('not trusted') });
  });

  // The last of 86 letters has four bits that no byte of the signature needs.
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const alike = LETTERS[LETTERS.indexOf(line.at(-1)!) ^ 1]!;

  test.each([
    ['a signature that is written in another way', `${line.slice(0, -1)}${alike}`, undefined],
    ['a signature with more behind it', `${line}=`, undefined],
    ['other words', line, 'what it sayt'],
  ])('is refused with %s', (_, text, content) => {
    expect(opened(text, content)).toEqual({ ok: false, reason: 'its signature does not fit it' });
  });

  test('of a newer version says so', () => {
    expect(opened(line.replace(' 1 ', ' 2 '))).toMatchObject({ reason: expect.stringContaining('a newer cje') });
    expect(opened(line.replace(' 1 ', ' 0 '))).toMatchObject({ reason: 'it is not signed' });
  });
});

describe('an index', () => {
  test.each([
    [LONGEST_INDEX, 1],
    [LONGEST_INDEX + 1, 0],
  ])('that is said to have %i bytes is read by %i', async (bytes, read) => {
    const { place } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    await one.store.calls.put(sampleCall(1).key, sampleCall(1).call);
    await push(one.store, one.remote, { all: false });
    const list: ObjectStore['list'] = async (prefix) =>
      (await place.list(prefix)).map((each) => (prefix === 'index/' ? { ...each, bytes } : each));
    const seen = await lookAround(machine({ ...place, list }, [alice]).remote);
    expect([seen.segments.length, seen.refused.length]).toEqual([read, 1 - read]);
  });
});

describe('what goes between a build and its workers', () => {
  const outputOf = (on: Machine, text: string) => on.store.blobs.put(text);

  test('is given once, and is found where somebody has given it', async () => {
    const { objects, place } = shelf();
    const alice = newKey();
    const one = machine(place, [alice], alice);
    const rows = await outputOf(one, 'some rows');
    const more = await outputOf(one, 'other rows');
    const exchange = new Exchange(one.store, one.remote);
    const first = await exchange.giveOutputs([rows, rows]);
    expect(first).toHaveLength(1);
    expect(readIndex(first[0]!, objects.get(first[0]!)!.bytes, () => true)).toMatchObject({
      ok: true,
      index: { counts: { blobs: 1 }, blobs: { bytes: expect.objectContaining({ length: 8 }) } },
    });
    expect(await exchange.giveOutputs([rows])).toEqual(first);
    const both = await exchange.giveOutputs([rows, more]);
    expect([both.length, both[0]]).toEqual([2, first[0]]);
    const two = machine(place, [alice]);
    expect(await new Exchange(two.store, two.remote).take(both)).toEqual({ type: 'taken', records: [] });
    expect([rows, more].map((ref) => two.store.blobs.locate(ref) !== undefined)).toEqual([true, true]);
  });

  test('goes on after something that could not be given', async () => {
    const { place } = shelf();
    const alice = newKey();
    let isAway = true;
    const putIfAbsent: ObjectStore['putIfAbsent'] = async (...given) => {
      if (isAway) throw new Error('the place is away');
      return place.putIfAbsent(...given);
    };
    const one = machine({ ...place, putIfAbsent }, [alice], alice);
    const rows = await outputOf(one, 'some rows');
    const exchange = new Exchange(one.store, one.remote);
    await expect(exchange.giveOutputs([rows])).rejects.toThrow('the place is away');
    isAway = false;
    expect(await exchange.giveOutputs([rows])).toHaveLength(1);
  });
});
