/** Where the data file lies in the cache folder. */

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';

const DATA_FILE = 'data.mdb';

/** The folder that LMDB works in. */
export const databaseFolder = (cache: string): string => join(cache, 'lmdb');

/** Where that folder is moved while another takes its place. */
export const replacedFolder = (cache: string): string => join(cache, 'lmdb.old');

export const fileIn = (folder: string): string => join(folder, DATA_FILE);

export const dataFileOf = (cache: string): string => fileIn(databaseFolder(cache));

/**
 * The folder that holds the data: the replaced one where a process died between moving it and moving another to its place; a
 * writer then moves it back.
 */
export function findPlace(disk: Disk, cache: string, readOnly: boolean): string {
  const place = databaseFolder(cache);
  const replaced = replacedFolder(cache);
  const holdsData = (folder: string) => disk.existsSync(fileIn(folder));
  if (holdsData(place) || !holdsData(replaced)) return place;
  if (readOnly) return replaced;
  try {
    disk.renameSync(replaced, place);
  } catch (error) {
    // Another process may have moved it meanwhile.
    if (!holdsData(place)) throw error;
  }
  return place;
}
