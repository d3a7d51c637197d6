/** The store of one cache folder: replies, failures, actions, builds, digests of files and the lock in LMDB, and blobs. */

import { resolve } from 'node:path';
import type { Store } from '../core/storage.ts';
import { FileBlobs } from './blobs/blobs.ts';
import { type Disk, nodeDisk } from './disk/disk.ts';
import { type Processes, systemProcesses } from './disk/processes.ts';
import { type Database, openDatabase } from './lmdb/open.ts';
import { LmdbActions } from './tables/actions.ts';
import { LmdbBatches } from './tables/batches.ts';
import { LmdbBuilds } from './tables/builds.ts';
import { LmdbCalls } from './tables/calls.ts';
import { RememberedFiles } from './tables/files.ts';
import { LmdbIntents } from './tables/intents.ts';
import { LmdbLock } from './tables/lock.ts';
import { RemovedPurchases } from './tables/removed.ts';

interface StoreOptions {
  /** Nothing is created or changed; a folder without a cache is an empty one. */
  readonly readOnly?: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly disk?: Disk;
  readonly processes?: Processes;
}

/** A {@link Store} with what its upkeep needs: whole tables can be read, and entries removed. */
export interface LocalStore extends Store {
  readonly calls: LmdbCalls;
  readonly actions: LmdbActions;
  readonly blobs: FileBlobs;
  readonly builds: LmdbBuilds;
  readonly lock: LmdbLock;
  readonly removed: RemovedPurchases;
  /** The absolute path of the cache folder. */
  readonly folder: string;
  readonly database: Database;
  readonly disk: Disk;
}

/**
 * Opens the cache folder, usually `.cache` beside pipeline.yaml. Nothing is touched before the first use, and only a
 * write creates the folder.
 *
 * The parts of the store throw a ProblemError where the folder cannot be written or was written by a newer cje (exit 2),
 * and where the data file is damaged (5).
 */
export function openStore(folder: string, options: StoreOptions = {}): LocalStore {
  const { readOnly = false, now = Date.now, disk = nodeDisk, processes = systemProcesses } = options;
  const path = resolve(folder);
  const database = openDatabase(path, { readOnly, disk });
  const blobs = new FileBlobs(path, { readOnly, disk });
  return {
    folder: path,
    disk,
    database,
    calls: new LmdbCalls(database),
    intents: new LmdbIntents(database),
    batches: new LmdbBatches(database),
    actions: new LmdbActions(database),
    blobs,
    builds: new LmdbBuilds(database),
    removed: new RemovedPurchases(database),
    files: new RememberedFiles(database, now),
    lock: new LmdbLock({ database, processes, now, onTaken: () => blobs.removeTorn() }),
    close: () => database.close(),
  };
}
