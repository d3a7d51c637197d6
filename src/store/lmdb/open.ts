/** The door of this folder: everything that the rest of the store uses of LMDB. */

import { resolve } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { inspectDataFile, inspectPages } from './data-file.ts';
import type { Database, StoredValue } from './database.ts';
import { LmdbDatabase } from './lmdb-database.ts';
import { dataFileOf } from './place.ts';
import { type Resident, residentMemory } from './resident.ts';
import { entriesOfPages } from './what-is-left.ts';

export type { Change, Database, StoredValue, TableName, TransactionTable } from './database.ts';
export { tupleParts } from './message-pack.ts';
export { databaseFolder, dataFileOf, replacedFolder } from './place.ts';
export { TupleBuffer } from './tuple-buffer.ts';

/** @param folder the cache folder; nothing is touched before the database is used. */
export function openDatabase(
  folder: string,
  options: { readonly readOnly: boolean; readonly disk: Disk; readonly resident?: () => Resident },
): Database {
  return new LmdbDatabase(resolve(folder), { resident: residentMemory, ...options });
}

/** What is wrong with the data file of a cache folder; undefined: nothing that would mislead LMDB. */
export function dataFileDamage(disk: Disk, folder: string): string | undefined {
  const path = dataFileOf(folder);
  let found = inspectDataFile(disk, path);
  if (found.state === 'sound') found = inspectPages(disk, path);
  return found.state === 'damaged' ? found.reason : undefined;
}

/**
 * For repair: every entry that can still be read from the data file of a cache folder, of any table. A value may be
 * damaged or outdated: the caller must check its digest.
 */
export function readWhatIsLeft(
  disk: Disk,
  folder: string,
): Iterable<{ readonly key: string; readonly value: StoredValue }> {
  return entriesOfPages(disk, dataFileOf(folder));
}
