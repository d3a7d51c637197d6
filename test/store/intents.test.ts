/** Tries in the store: what is open is there after a crash, and nothing else for good. */

import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import type { Intent, OpenIntent } from '../../src/core/storage.ts';
import { bookLeftBehind, unresolvedIntents } from '../../src/replies/intents.ts';
import { nodeDisk } from '../../src/store/disk/disk.ts';
import { type Database, openDatabase } from '../../src/store/lmdb/open.ts';
import { LmdbCalls } from '../../src/store/tables/calls.ts';
import { LmdbIntents } from '../../src/store/tables/intents.ts';
import { sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder } = workshop();
const opened: Database[] = [];
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

function storeIn(place = folder()) {
  const database = openDatabase(join(place, '.cache'), { readOnly: false, disk: nodeDisk });
  opened.push(database);
  return { place, database, intents: new LmdbIntents(database), calls: new LmdbCalls(database) };
}

const tryOf = (name: string, at = 1): OpenIntent => ({
  id: `${name}/${at}/0`,
  intent: { call: digestText(name), identity: 'http://lab', model: 'm', node: 'answers', dollars: 2, at },
});
const tries = ['a', 'b', 'c', 'd'].map((name) => tryOf(name));
const [a, b, c, d] = tries as [OpenIntent, OpenIntent, OpenIntent, OpenIntent];
const marked = ({ id, intent }: OpenIntent): { id: string; intent: Intent } => ({
  id,
  intent: { ...intent, unknown: true },
});

/** What a process finds that looks into the folder now, whatever this one remembers. */
const onDisk = ({ database }: ReturnType<typeof storeIn>) => [...new LmdbIntents(database).list()];

describe('tries that begin together', () => {
  it('are on disk when they have begun, in one record', async () => {
    const store = storeIn();
    await Promise.all(tries.map((each) => store.intents.open(each)));
    expect(onDisk(store)).toEqual(tries);
    expect(store.database.count('intents')).toBe(1);
  });

  it('leave nothing when the last of them has ended, however they ended', async () => {
    const store = storeIn();
    await Promise.all(tries.map((each) => store.intents.open(each)));
    await store.intents.close([b.id], { answered: true });
    await store.intents.close([a.id]);
    await store.intents.close([d.id, c.id], { answered: true });
    expect(store.database.count('intents')).toBe(0);
  });

  it('go from the record at once where no answer tells of their end', async () => {
    const store = storeIn();
    await Promise.all(tries.map((each) => store.intents.open(each)));
    await store.intents.close([a.id], { answered: true });
    expect(onDisk(store)).toEqual(tries);
    await Promise.all([store.intents.close([b.id]), store.intents.close([c.id])]);
    expect(onDisk(store)).toEqual([d]);
  });

  it('have ended by the time that the store is closed, though nobody waited for it', async () => {
    const first = storeIn();
    await Promise.all(tries.map((each) => first.intents.open(each)));
    void first.intents.close(tries.map(({ id }) => id));
    await Promise.resolve();
    await first.database.close();
    expect(storeIn(first.place).database.count('intents')).toBe(0);
  });

  it('that is marked apart while its record still holds it is one, and unknown', async () => {
    const { database, intents } = storeIn();
    await Promise.all([intents.open(a), intents.open(b)]);
    // As a process leaves it that ended between the two writes.
    await new LmdbIntents(database).mark([a]);
    const found = [...new LmdbIntents(database).list()];
    expect(found).toHaveLength(2);
    expect(found).toEqual(expect.arrayContaining([marked(a), b]));
  });

  it('that begin later have a record of their own', async () => {
    const store = storeIn();
    await store.intents.open(a);
    await store.intents.open(b);
    expect(store.database.count('intents')).toBe(2);
    await store.intents.close([a.id], { answered: true });
    expect(onDisk(store)).toEqual([b]);
  });
});

describe('a try whose outcome is unknown', () => {
  it('is told once, as unknown, and stays when the others have ended', async () => {
    const store = storeIn();
    await Promise.all(tries.map((each) => store.intents.open(each)));
    await store.intents.mark([b]);
    expect(onDisk(store)).toEqual([marked(b), a, c, d]);
    await store.intents.close([a.id, c.id, d.id], { answered: true });
    expect(onDisk(store)).toEqual([marked(b)]);
    await store.intents.close([b.id]);
    expect(store.database.count('intents')).toBe(0);
  });
});

describe('what a killed build leaves behind', () => {
  it('is booked where no answer came after it, and the rest is forgotten with its answer at hand', async () => {
    const killed = storeIn();
    const { key, call } = sampleCall(1);
    const answered: OpenIntent = { id: 'answered/1/0', intent: { ...a.intent, call: key, at: call.boughtAt } };
    await Promise.all([answered, a, b].map((each) => killed.intents.open(each)));
    await killed.calls.put(key, call);
    await killed.intents.close([answered.id], { answered: true });
    await killed.database.close();

    const next = storeIn(killed.place);
    expect(unresolvedIntents(next.intents, next.calls)).toEqual([a, b]);
    expect(await bookLeftBehind(next.intents, next.calls)).toEqual([a, b]);
    expect(await bookLeftBehind(next.intents, next.calls)).toEqual([]);
    // Its answer is asked for anew: the old try is no news.
    await next.calls.supersede(key);
    expect(onDisk(next)).toEqual([marked(a), marked(b)]);
    await next.database.close();
    const later = storeIn(killed.place);
    expect(unresolvedIntents(later.intents, later.calls)).toEqual([marked(a), marked(b)]);
  });
});
