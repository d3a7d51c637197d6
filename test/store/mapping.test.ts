/** The data file mapped anew while it is read and written: nothing is lost, nothing is read from what is closed. */

import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { run } from '../../src/core/pieces.ts';
import { type Disk, nodeDisk } from '../../src/store/disk/disk.ts';
import { type Database, openDatabase } from '../../src/store/lmdb/open.ts';
import { LmdbCalls } from '../../src/store/tables/calls.ts';
import { sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder } = workshop();
const opened: Database[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

/** A database of a process that always holds too much, how often it was asked, and how often the file was opened. */
function crowded(place: string, readOnly = false) {
  const looks = { count: 0 };
  const resident = () => {
    looks.count++;
    return { all: 2 ** 40, mapped: 2 ** 40 };
  };
  // The data file's header is read before each opening.
  const openings = { count: 0 };
  const disk: Disk = {
    ...nodeDisk,
    openSync: (...args) => {
      openings.count++;
      return nodeDisk.openSync(...args);
    },
  };
  const database = openDatabase(join(place, '.cache'), { readOnly, disk, resident });
  opened.push(database);
  return { database, calls: new LmdbCalls(database), looks, openings };
}

const turn = () => new Promise<void>((resume) => setImmediate(resume));
const samples = Array.from({ length: 1_000 }, (_, index) => sampleCall(index));

describe('a process that holds much', () => {
  test('reads what it writes meanwhile, by several tasks at once', async () => {
    const { calls, looks, openings } = crowded(folder());
    expect(calls.count()).toBe(0);
    const before = openings.count;
    const task = async (from: number) => {
      for (let index = from; index < samples.length; index += 4) {
        const { key, call } = samples[index]!;
        await calls.put(key, call);
        expect(calls.get(key)).toEqual(call);
        expect(calls.get(samples[from]!.key)).toEqual(samples[from]!.call);
        if (index % 16 === 0) await turn();
      }
    };
    await Promise.all([0, 1, 2, 3].map(task));
    expect(looks.count).toBeGreaterThan(5);
    expect(openings.count).toBeGreaterThan(before + 1);
    expect(calls.count()).toBe(samples.length);
  });

  test('keeps open what somebody is reading from one end to the other, who may write and look up', async () => {
    const { calls } = crowded(folder());
    await Promise.all(samples.map(({ key, call }) => calls.put(key, call)));
    let seen = 0;
    for (const { key, value } of calls.scan()) {
      expect(calls.get(key)).toEqual(value);
      if (seen % 100 === 0) await calls.put(key, value!);
      if (seen++ % 50 === 0) await turn();
    }
    expect(seen).toBe(samples.length);
  });

  test('also where it only reads', async () => {
    const place = folder();
    const writer = crowded(place);
    await Promise.all(samples.map(({ key, call }) => writer.calls.put(key, call)));
    await writer.database.close();
    const { calls, openings } = crowded(place, true);
    expect(calls.count()).toBe(samples.length);
    const before = openings.count;
    for (const { key, call } of samples) {
      expect(calls.get(key)).toEqual(call);
      await turn();
    }
    expect(openings.count).toBeGreaterThan(before);
  });
});

describe('a reply that is looked for', () => {
  const asked = (text: string) => ({ key: digestText(text), text, pieces: [run(text.slice(0, 9)), text.slice(9)] });

  test('is the one that was stored for this very request', async () => {
    const { calls } = crowded(folder());
    for (const { key, call } of samples.slice(0, 20)) await calls.put(key, call);
    const long = { ...samples[20]!.call, raw: JSON.stringify('ü'.repeat(300_000)) };
    await calls.put(samples[20]!.key, long);
    for (const { call } of samples.slice(0, 20)) expect(calls.find(asked(call.request))).toEqual(call);
    expect(calls.find(asked(long.request))).toEqual(long);
    expect(calls.find(asked(samples[30]!.call.request))).toBeUndefined();
  });

  test('is a miss where another request lies under its key, or where it is not as it was written', async () => {
    const { database, calls } = crowded(folder());
    const [first, second] = samples as [(typeof samples)[0], (typeof samples)[0]];
    await calls.put(first.key, second.call);
    expect(calls.find(asked(first.call.request))).toBeUndefined();
    for (const value of [['a'], [first.call.request, '{}', '{}', 'x'.repeat(32)]]) {
      await database.put('calls', first.key, value);
      expect(calls.find(asked(first.call.request))).toBeUndefined();
    }
  });
});
