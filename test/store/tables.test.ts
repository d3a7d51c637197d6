import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { open } from 'lmdb';
import { describe, expect, test } from 'vitest';
import { buildIdAfter } from '../../src/core/build-id.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import { anyText } from '../helpers/any-text.ts';
import { sampleAction, sampleBuild, sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open: openStore } = workshop();

const problemOf = async (action: () => unknown): Promise<ProblemError> => {
  try {
    await action();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('calls', () => {
  test('come back as they were put, also after closing', async () => {
    const place = folder();
    const store = openStore(place);
    const samples = Array.from({ length: 50 }, (_, index) => sampleCall(index));
    await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
    expect(store.calls.count()).toBe(50);
    await store.close();
    const again = openStore(place, { readOnly: true });
    expect(again.calls.count()).toBe(50);
    for (const { key, call } of samples) expect(again.calls.get(key)).toEqual(call);
    expect(again.calls.get(digestText('never asked'))).toBeUndefined();
  });

  test('lie the same, put alone or in a group', async () => {
    const [alone, together] = [openStore(folder()), openStore(folder())];
    const { call } = sampleCall(1);
    const group = together.calls.group();
    const raws = [0, 31, 32, 255, 256, 65_535, 65_536].flatMap((length) => [
      'x'.repeat(length),
      'é'.repeat(length / 2),
    ]);
    const keyed = raws.map((raw, index) => ({ key: digestText(`${index}`), raw }));
    await Promise.all(keyed.map(({ key, raw }) => alone.calls.put(key, { ...call, raw })));
    for (const { key, raw } of keyed) group.add(key, Buffer.from(call.request), { ...call, raw });
    expect(together.calls.count()).toBe(0);
    await group.commit();
    expect(group).toMatchObject({ size: 0, bytes: 0 });
    for (const { key, raw } of keyed) {
      expect(together.database.bytes('calls', key)).toEqual(alone.database.bytes('calls', key));
      expect(together.calls.get(key)).toEqual({ ...call, raw });
    }
  });

  test('of a group that is larger than its buffer are all there', async () => {
    const store = openStore(folder());
    const samples = Array.from({ length: 12 }, (_, index) => sampleCall(index));
    const raw = 'y'.repeat(1_000_000);
    const group = store.calls.group();
    for (const { key, call } of samples) group.add(key, call.request, { ...call, raw });
    expect(group.bytes).toBeGreaterThan(12_000_000);
    await group.commit();
    for (const { key, call } of samples) expect(store.calls.get(key)).toEqual({ ...call, raw });
  });

  test('are there as soon as the put has resolved, also for a second store of the folder', async () => {
    const place = folder();
    const writer = openStore(place);
    const reader = openStore(place, { readOnly: true });
    const { key, call } = sampleCall(1);
    expect(reader.calls.get(key)).toBeUndefined();
    await writer.calls.put(key, call);
    expect(writer.calls.get(key)).toEqual(call);
    expect(reader.calls.get(key)).toEqual(call);
  });

  test('hold any text', async () => {
    const store = openStore(folder());
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), anyText(), async (request, raw) => {
        const key = digestText(request);
        const call = { ...sampleCall(0).call, request, raw };
        await store.calls.put(key, call);
        expect(store.calls.get(key)).toEqual(call);
      }),
      { numRuns: 60 },
    );
  });

  test('failures are kept apart, and give way to history', async () => {
    const store = openStore(folder());
    const { key, call } = sampleCall(3);
    const failure = {
      request: call.request,
      failure: { class: 'permanent', reason: 'filtered', message: 'no' },
      failedAt: 5,
      node: 'oracle',
    } as const;
    await store.calls.putFailure(key, failure);
    expect(store.calls.failure(key)).toEqual(failure);
    expect(store.calls.get(key)).toBeUndefined();
    expect(store.calls.count()).toBe(0);
    expect([...store.calls.scanFailures()]).toEqual([{ key, value: failure }]);
    const { call: reply } = sampleCall(3);
    await Promise.all([store.calls.supersede(key), store.calls.put(key, reply)]);
    expect(store.calls.failure(key)).toBeUndefined();
    expect(store.calls.get(key)).toEqual(reply);
    const late = { ...failure, failedAt: 9 };
    await Promise.all([store.calls.supersede(key), store.calls.putFailure(key, late)]);
    expect(store.calls.get(key)).toBeUndefined();
    expect(store.calls.failure(key)).toEqual(late);
    const history = [
      { type: 'failure', ...failure },
      { type: 'reply', ...reply },
    ];
    expect(store.calls.superseded(key)).toEqual(history);
    expect([...store.calls.scanSuperseded()].map(({ value }) => value)).toEqual(history);
  });

  test('that are not as they were written count as absent, and a scan names them', async () => {
    const place = folder();
    const store = openStore(place);
    const samples = [0, 1, 2, 3].map(sampleCall);
    await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
    await store.close();
    // Behind the store's back: a changed character, bytes that no decoder reads, a good value under a wrong key.
    const root = open({ path: join(place, '.cache', 'lmdb'), overlappingSync: false });
    const table = root.openDB<unknown, string>('calls', { encoding: 'msgpack' });
    const tuple = table.get(samples[0]!.key) as string[];
    table.putSync(samples[0]!.key, [tuple[0], tuple[1]!.replace('Antwort', 'Antwert'), tuple[2], tuple[3]]);
    const moved = digestText('somewhere else');
    table.putSync(moved, tuple);
    const binary = root.openDB<Buffer, string>('calls', { encoding: 'binary' });
    binary.putSync(samples[1]!.key, Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff, 1]));
    table.putSync(samples[2]!.key, { request: 'not a tuple' });
    await root.close();

    const again = openStore(place);
    for (const index of [0, 1, 2]) expect(again.calls.get(samples[index]!.key)).toBeUndefined();
    expect(again.calls.get(samples[3]!.key)).toEqual(samples[3]!.call);
    const scanned = new Map([...again.calls.scan()].map(({ key, value }) => [key, value !== undefined]));
    const expected: [Digest, boolean][] = samples.map(({ key }, index) => [key, index === 3]);
    expect(scanned).toEqual(new Map([...expected, [moved, false]]));
    // Buying again mends the entry.
    await again.calls.put(samples[0]!.key, samples[0]!.call);
    expect(again.calls.get(samples[0]!.key)).toEqual(samples[0]!.call);
  });
});

describe('actions and builds', () => {
  test('actions come back, are replaced, and are scanned', async () => {
    const store = openStore(folder());
    const [a, b] = [sampleAction('a'), sampleAction('b')];
    await Promise.all([store.actions.put(a), store.actions.put(b)]);
    expect(store.actions.get(a.key)).toEqual(a);
    const better = { ...a, summary: { items: 3, statuses: { ok: 3 }, calls: [] } };
    await store.actions.put(better);
    expect(store.actions.get(a.key)).toEqual(better);
    expect([...store.actions.scan()].map(({ key }) => key).sort()).toEqual([a.key, b.key].sort());
  });

  test('a damaged action is no action', async () => {
    const place = folder();
    const store = openStore(place);
    const action = sampleAction('a');
    await store.actions.put(action);
    await store.close();
    const root = open({ path: join(place, '.cache', 'lmdb'), overlappingSync: false });
    const table = root.openDB<string, string>('actions', { encoding: 'string' });
    table.putSync(action.key, table.get(action.key)!.replace('"size":12', '"size":13'));
    await root.close();
    const again = openStore(place);
    expect(again.actions.get(action.key)).toBeUndefined();
    expect([...again.actions.scan()]).toEqual([{ key: action.key, value: undefined }]);
  });

  test('builds are listed newest first, by ids that sort by time', async () => {
    const store = openStore(folder());
    const start = Date.UTC(2026, 0, 9, 8, 30, 12, 7);
    const ids = [0, 1, 1000, 86_400_000].map((later, index) =>
      buildIdAfter(undefined, start + later, () => 0.9 - index / 10),
    );
    expect(ids[0]).toMatch(/^20260109-083012-007-[a-z2-9]{4}$/);
    expect([...ids].sort()).toEqual(ids);
    for (const id of [2, 0, 3, 1].map((index) => ids[index]!)) await store.builds.put(sampleBuild(id));
    expect([...store.builds.list()].map(({ id }) => id)).toEqual([...ids].reverse());
    expect([...store.builds.list(2)].map(({ id }) => id)).toEqual([ids[3], ids[2]]);
    expect(store.builds.get(ids[1]!)).toEqual(sampleBuild(ids[1]!));
    for (const unknown of ['', 'last', 'x'.repeat(5000)]) expect(store.builds.get(unknown)).toBeUndefined();
  });
});

describe('the folder', () => {
  test('a reader of a folder without a cache finds nothing and creates nothing', async () => {
    const place = folder();
    for (const readOnly of [true, false]) {
      const store = openStore(place, { readOnly });
      expect(store.calls.get(sampleCall(0).key)).toBeUndefined();
      expect(store.calls.failure(sampleCall(0).key)).toBeUndefined();
      expect(store.calls.count()).toBe(0);
      expect([...store.calls.scan(), ...store.calls.scanFailures(), ...store.actions.scan()]).toEqual([]);
      expect(store.actions.get(sampleAction('a').key)).toBeUndefined();
      expect([...store.builds.list()]).toEqual([]);
      expect([...store.blobs.scan()]).toEqual([]);
      expect(store.blobs.locate({ digest: digestText('x'), size: 1 })).toBeUndefined();
      expect(store.lock.holder()).toBeUndefined();
      expect(existsSync(join(place, '.cache'))).toBe(false);
    }
  });

  test('writing to a read-only store is a bug', async () => {
    const store = openStore(folder(), { readOnly: true });
    const { key, call } = sampleCall(0);
    await expect(store.calls.put(key, call)).rejects.toThrow(/^Internal error: a read-only store/);
    await expect(store.lock.acquire('cje build')).rejects.toThrow(/^Internal error/);
    expect(() => store.blobs.writer()).toThrow(/^Internal error/);
  });

  test('a folder that cannot be made is a problem with exit 2 that names it', async () => {
    const place = folder();
    writeFileSync(join(place, '.cache'), 'a file where the folder should be');
    const store = openStore(place);
    const { key, call } = sampleCall(0);
    for (const write of [
      () => store.calls.put(key, call),
      () => store.lock.acquire('cje build'),
      () => store.blobs.put('x'),
    ]) {
      const problem = await problemOf(write);
      expect(problem.exit).toBe(2);
      expect(problem.problems[0]!.headline).toBe(`the cache folder is not writable: ${join(place, '.cache')}`);
      expect(problem.problems[0]!.hint).toMatch(/write permission/);
    }
  });

  test('a read-only file system is the same problem', async () => {
    const readOnlyDisk = () => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    };
    const store = openStore(folder(), { disk: { ...nodeDisk, mkdirSync: readOnlyDisk as never } });
    const { key, call } = sampleCall(0);
    for (const write of [() => store.calls.put(key, call), () => store.blobs.put('x')]) {
      const problem = await problemOf(write);
      expect(problem.exit).toBe(2);
      expect(problem.problems[0]!.headline).toMatch(/^the cache folder is not writable: /);
    }
  });

  test('a cache of a newer version is left alone', async () => {
    const place = folder();
    const store = openStore(place);
    await store.calls.put(sampleCall(0).key, sampleCall(0).call);
    await store.close();
    const root = open({ path: join(place, '.cache', 'lmdb'), overlappingSync: false });
    root.openDB<string, string>('schema', { encoding: 'string' }).putSync('version', '2');
    await root.close();
    for (const readOnly of [true, false]) {
      const problem = await problemOf(() => openStore(place, { readOnly }).calls.count());
      expect(problem.exit).toBe(2);
      expect(problem.problems[0]!.headline).toMatch(/^the cache was written by a newer cje: /);
      expect(problem.problems[0]!.facts).toEqual([
        ['its version', '2'],
        ['known here', '1'],
      ]);
    }
  });

  test.each([
    ['garbage', (file: string) => writeFileSync(file, Buffer.alloc(16384, 7)), /does not begin like/],
    ['a few bytes', (file: string) => writeFileSync(file, 'short'), /does not begin like/],
    ['cut in its headers', (file: string) => truncateSync(file, 4100), /second header/],
    ['cut short', (file: string) => truncateSync(file, 2 * 16384), /cut short/],
  ])('a data file that is %s is damage with exit 5, not the end of the process', async (_, harm, reason) => {
    const place = folder();
    const store = openStore(place);
    const samples = Array.from({ length: 300 }, (_, index) => sampleCall(index));
    await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
    await store.close();
    harm(join(place, '.cache', 'lmdb', 'data.mdb'));
    for (const readOnly of [true, false]) {
      const problem = await problemOf(() => openStore(place, { readOnly }).calls.count());
      expect(problem.exit).toBe(5);
      expect(problem.problems[0]!.facts![0]![1]).toMatch(reason);
      expect(problem.problems[0]!.hint).toMatch(/cje cache verify/);
    }
  });

  test('a data file that was created and never written is an empty cache', async () => {
    const place = folder();
    mkdirSync(join(place, '.cache', 'lmdb'), { recursive: true });
    writeFileSync(join(place, '.cache', 'lmdb', 'data.mdb'), '');
    expect(openStore(place, { readOnly: true }).calls.count()).toBe(0);
    const store = openStore(place);
    await store.calls.put(sampleCall(0).key, sampleCall(0).call);
    expect(store.calls.count()).toBe(1);
    expect(readFileSync(join(place, '.cache', 'lmdb', 'data.mdb')).length).toBeGreaterThan(0);
  });

  test('a store that was closed is not used again', async () => {
    const store = openStore(folder());
    await store.calls.put(sampleCall(0).key, sampleCall(0).call);
    await store.close();
    expect(() => store.calls.get(sampleCall(0).key)).toThrow(/after it was closed/);
  });
});
