/** The store of one cache folder: replies, failures, actions, builds, digests of files and the lock in LMDB, and blobs. */

import { resolve } from 'node:path';
import type { Store } from '../core/storage.ts';
import { FileBlobs } from './blobs/blobs.ts';
import { type Disk, nodeDisk } from './disk/disk.ts';
import { type Processes, systemProcesses } from './disk/processes.ts';
import { Environment } from './lmdb/environment.ts';
import { LmdbActions } from './tables/actions.ts';
import { LmdbBuilds } from './tables/builds.ts';
import { LmdbCalls } from './tables/calls.ts';
import { RememberedFiles } from './tables/files.ts';
import { LmdbLock } from './tables/lock.ts';

export interface StoreOptions {
  /** Nothing is created or changed; a folder without a cache is an empty one. */
  readonly readOnly?: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly disk?: Disk;
  readonly processes?: Processes;
}

/** A {@link Store} whose parts can also be scanned from end to end, for statistics, verification and collection. */
export interface LocalStore extends Store {
  readonly calls: LmdbCalls;
  readonly actions: LmdbActions;
  readonly blobs: FileBlobs;
  readonly builds: LmdbBuilds;
  readonly lock: LmdbLock;
  /** The absolute path of the cache folder. */
  readonly folder: string;
  readonly environment: Environment;
}

/**
 * Opens the cache folder, usually `.cache` beside pipeline.yaml. Nothing is touched before the first use; the folder is
 * created by the first write.
 *
 * Its parts throw a ProblemError where the folder cannot be written (exit 2), is of a newer version (2), or where the
 * data file is not one any more (5).
 */
export function openStore(folder: string, options: StoreOptions = {}): LocalStore {
  const { readOnly = false, now = Date.now, disk = nodeDisk, processes = systemProcesses } = options;
  const path = resolve(folder);
  const environment = new Environment(path, { readOnly, disk });
  const blobs = new FileBlobs(path, { readOnly, disk });
  return {
    folder: path,
    environment,
    calls: new LmdbCalls(environment),
    actions: new LmdbActions(environment),
    blobs,
    builds: new LmdbBuilds(environment),
    files: new RememberedFiles(environment, now),
    lock: new LmdbLock({ environment, processes, now, onTaken: () => blobs.removeTorn() }),
    close: () => environment.close(),
  };
}
