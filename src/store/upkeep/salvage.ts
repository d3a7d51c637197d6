/**
 * Saves what can be read out of a data file whose tree is broken: every entry that still has its digest goes into a new
 * file; the damaged one goes to the quarantine.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestText } from '../../core/digest.ts';
import type { Action, BuildRecord, LockHolder, StoredCall, StoredFailure } from '../../core/storage.ts';
import { quarantineFile } from '../blobs/quarantine.ts';
import { type Disk, flushFolder, writeProblem } from '../disk/disk.ts';
import { inspectDataFile, inspectPages } from '../lmdb/data-file.ts';
import { DATA_FILE, Environment } from '../lmdb/environment.ts';
import { readTuple } from '../lmdb/message-pack.ts';
import { salvage } from '../lmdb/pages.ts';
import { LmdbActions } from '../tables/actions.ts';
import { LmdbBuilds } from '../tables/builds.ts';
import { decodeCall, LmdbCalls } from '../tables/calls.ts';
import { unseal } from '../tables/checksummed.ts';

/** What is wrong with the data file of this cache; undefined: nothing that would mislead LMDB. */
export function dataFileFault(disk: Disk, cache: string): string | undefined {
  const path = join(cache, 'lmdb', DATA_FILE);
  const found = inspectDataFile(disk, path);
  switch (found.state) {
    case 'absent':
      return undefined;
    case 'damaged':
      return found.reason;
    case 'sound': {
      const looked = inspectPages(disk, path);
      return looked.state === 'damaged' ? looked.reason : undefined;
    }
  }
}

export interface Saved {
  readonly replies: number;
  readonly failures: number;
  readonly actions: number;
  readonly builds: number;
}

/** The last builds that may still hold the lock, as far as the damaged file tells. */
export function lockHolders(disk: Disk, cache: string): LockHolder[] {
  const holders: LockHolder[] = [];
  for (const { key, value } of salvage(disk, join(cache, 'lmdb', DATA_FILE))) {
    if (key !== 'build') continue;
    const holder = unseal<LockHolder>(value.toString('utf8'));
    if (typeof holder?.pid === 'number') holders.push(holder);
  }
  return holders;
}

/** Nobody else may have the cache open. */
export async function salvageDataFile(disk: Disk, cache: string): Promise<Saved> {
  const workshop = join(cache, 'salvage');
  rmSync(workshop, { recursive: true, force: true });
  const environment = new Environment(workshop, { readOnly: false, disk });
  const calls = new LmdbCalls(environment);
  const actions = new LmdbActions(environment);
  const builds = new LmdbBuilds(environment);
  const saved = { replies: 0, failures: 0, actions: 0, builds: 0 };
  let waiting: Promise<void>[] = [];
  const put = async (commit: Promise<void>) => {
    if (waiting.push(commit) < BATCH) return;
    await Promise.all(waiting);
    waiting = [];
  };
  try {
    for (const { key, value } of salvage(disk, join(cache, 'lmdb', DATA_FILE))) {
      const entry = recognise(key, value);
      switch (entry?.table) {
        case 'calls':
          await put(calls.put(key as Digest, entry.value));
          break;
        case 'failures':
          await put(calls.putFailure(key as Digest, entry.value));
          break;
        case 'actions': {
          // Pages that are no longer in use may hold what a record was before it was replaced.
          await Promise.all(waiting);
          if ((actions.get(entry.value.key)?.finishedAt ?? -1) < entry.value.finishedAt)
            await put(actions.put(entry.value));
          break;
        }
        case 'builds':
          await put(builds.put(entry.value));
          break;
        case undefined:
          break;
      }
    }
    await Promise.all(waiting);
    environment.writing('calls');
    const count = (table: 'calls' | 'failures' | 'actions' | 'builds') =>
      (environment.reading(table)?.getStats() as { entryCount: number } | undefined)?.entryCount ?? 0;
    saved.replies = count('calls');
    saved.failures = count('failures');
    saved.actions = count('actions');
    saved.builds = count('builds');
  } finally {
    await environment.close();
  }
  try {
    const old = join(cache, 'lmdb.old');
    rmSync(old, { recursive: true, force: true });
    disk.renameSync(join(cache, 'lmdb'), old);
    disk.renameSync(join(workshop, 'lmdb'), join(cache, 'lmdb'));
    await flushFolder(disk, cache);
    quarantineFile(disk, cache, old, 'lmdb');
    rmSync(workshop, { recursive: true, force: true });
  } catch (error) {
    throw writeProblem(cache, error);
  }
  return saved;
}

const BATCH = 1000;

type Entry =
  | { readonly table: 'calls'; readonly value: StoredCall }
  | { readonly table: 'failures'; readonly value: StoredFailure }
  | { readonly table: 'actions'; readonly value: Action }
  | { readonly table: 'builds'; readonly value: BuildRecord };

/** Which table an entry was of, told by its content; undefined where it is damaged, or only a memory. */
function recognise(key: string, bytes: Buffer): Entry | undefined {
  const tuple = readTuple(bytes);
  if (tuple !== undefined) {
    const value = decodeCall(tuple);
    return value !== undefined && digestText(value.request) === key ? { table: 'calls', value } : undefined;
  }
  const value = unseal<Record<string, unknown>>(bytes.toString('utf8'));
  if (typeof value !== 'object' || value === null) return undefined;
  if ('failure' in value && typeof value.request === 'string' && digestText(value.request) === key) {
    return { table: 'failures', value: value as unknown as StoredFailure };
  }
  if (value.key === key && 'outputs' in value) return { table: 'actions', value: value as unknown as Action };
  if (value.id === key && 'nodes' in value) return { table: 'builds', value: value as unknown as BuildRecord };
  return undefined;
}
