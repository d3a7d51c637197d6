/**
 * Repairs a cache whose data file is damaged: every entry that still has its digest goes into a new file, and the damaged
 * file goes to the quarantine.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestText } from '../../core/digest.ts';
import type { Action, BuildRecord, LockHolder, StoredCall, StoredFailure, Superseded } from '../../core/storage.ts';
import { quarantineFile } from '../blobs/quarantine.ts';
import { type Disk, flushFolder } from '../disk/disk.ts';
import { writeProblem } from '../disk/write-problem.ts';
import {
  type Database,
  databaseFolder,
  openDatabase,
  readWhatIsLeft,
  replacedFolder,
  type StoredValue,
} from '../lmdb/open.ts';
import { LmdbActions } from '../tables/actions.ts';
import { LmdbBuilds } from '../tables/builds.ts';
import { decodeCall } from '../tables/call-tuple.ts';
import { LmdbCalls } from '../tables/calls.ts';
import { addChecksum, readChecksummed } from '../tables/checksummed.ts';
import { isAction, isBuildRecord, isRemovedBill, isStoredFailure, isSuperseded } from '../tables/entry-shapes.ts';
import { isRemovedKey, type RemovedBill, RemovedPurchases } from '../tables/removed.ts';

export { dataFileDamage } from '../lmdb/open.ts';

export interface Saved {
  readonly replies: number;
  readonly failures: number;
  readonly actions: number;
  readonly builds: number;
}

/** The last builds that may still hold the lock, as far as the damaged file can be read. */
export function lockHolders(disk: Disk, cache: string): LockHolder[] {
  const holders: LockHolder[] = [];
  for (const { key, value } of readWhatIsLeft(disk, cache)) {
    if (key !== 'build') continue;
    const holder = readChecksummed<LockHolder>(value);
    if (typeof holder?.pid === 'number') holders.push(holder);
  }
  return holders;
}

/** Only while nobody else has the cache open. */
export async function salvageDataFile(disk: Disk, cache: string): Promise<Saved> {
  const workshop = join(cache, 'salvage');
  rmSync(workshop, { recursive: true, force: true });
  const database = openDatabase(workshop, { readOnly: false, disk });
  let saved: Saved;
  try {
    await copyEntries(disk, cache, database);
    database.create();
    saved = {
      replies: database.count('calls'),
      failures: database.count('failures'),
      actions: database.count('actions'),
      builds: database.count('builds'),
    };
  } finally {
    await database.close();
  }
  await replaceDatabase(disk, cache, workshop);
  return saved;
}

/** Puts that wait for one commit. */
const BATCH = 1000;

/** Copies every entry that is what was written from the damaged file of the cache. */
async function copyEntries(disk: Disk, cache: string, target: Database): Promise<void> {
  const calls = new LmdbCalls(target);
  const actions = new LmdbActions(target);
  const builds = new LmdbBuilds(target);
  const removed = new RemovedPurchases(target);
  let waiting: Promise<void>[] = [];
  const settle = async () => {
    await Promise.all(waiting);
    waiting = [];
  };
  for (const { key, value } of readWhatIsLeft(disk, cache)) {
    const entry = recognise(key, value);
    if (entry === undefined) continue;
    switch (entry.table) {
      case 'calls':
        waiting.push(calls.put(key as Digest, entry.value));
        break;
      case 'failures':
        waiting.push(calls.putFailure(key as Digest, entry.value));
        break;
      case 'superseded':
        waiting.push(target.put('superseded', key, addChecksum(entry.value)));
        break;
      case 'actions':
        // Pages that are no longer used may hold an older version of the same record.
        await settle();
        if ((actions.get(entry.value.key)?.finishedAt ?? -1) < entry.value.finishedAt)
          waiting.push(actions.put(entry.value));
        break;
      case 'builds':
        waiting.push(builds.put(entry.value));
        break;
      case 'removed':
        await removed.restore(key, entry.value);
        break;
    }
    if (waiting.length >= BATCH) await settle();
  }
  await settle();
}

/** Puts the new database in the place of the damaged one, which goes to the quarantine. */
async function replaceDatabase(disk: Disk, cache: string, workshop: string): Promise<void> {
  const place = databaseFolder(cache);
  const damaged = replacedFolder(cache);
  try {
    rmSync(damaged, { recursive: true, force: true });
    disk.renameSync(place, damaged);
    disk.renameSync(databaseFolder(workshop), place);
    await flushFolder(disk, cache);
    quarantineFile(disk, cache, damaged, 'lmdb');
    rmSync(workshop, { recursive: true, force: true });
  } catch (error) {
    throw writeProblem(cache, error);
  }
}

type Entry =
  | { readonly table: 'calls'; readonly value: StoredCall }
  | { readonly table: 'failures'; readonly value: StoredFailure }
  | { readonly table: 'superseded'; readonly value: Superseded }
  | { readonly table: 'actions'; readonly value: Action }
  | { readonly table: 'builds'; readonly value: BuildRecord }
  | { readonly table: 'removed'; readonly value: RemovedBill };

/** Which table an entry was in, judged by its content; undefined where it is damaged, or need not be saved. */
function recognise(key: string, stored: StoredValue): Entry | undefined {
  if (typeof stored !== 'string') {
    const value = decodeCall(stored);
    return value !== undefined && digestText(value.request) === key ? { table: 'calls', value } : undefined;
  }
  const value = readChecksummed<unknown>(stored);
  if (isSuperseded(value)) {
    return key.startsWith(`${digestText(value.request)}/`) ? { table: 'superseded', value } : undefined;
  }
  if (isStoredFailure(value)) return digestText(value.request) === key ? { table: 'failures', value } : undefined;
  if (isAction(value)) return value.key === key ? { table: 'actions', value } : undefined;
  if (isBuildRecord(value)) return value.id === key ? { table: 'builds', value } : undefined;
  if (isRemovedBill(value)) return isRemovedKey(key) ? { table: 'removed', value } : undefined;
  return undefined;
}
