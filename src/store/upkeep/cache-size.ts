/** How much of the disk the cache takes. */

import { join } from 'node:path';
import { QUARANTINE } from '../blobs/quarantine.ts';
import { bytesOnDisk, filesIn } from '../disk/folder-size.ts';
import type { LocalStore } from '../store.ts';

/** Headers, the list of tables, and the pages that the last commits have freed. */
const DATA_FILE_OVERHEAD = 1 << 15;

export const DOWNLOADS = 'downloads';

/** Bytes of the data file, and what it would take without free pages. */
export function dataFileSize(store: LocalStore): { readonly file: number; readonly used: number } {
  const { file, tables } = store.database.usage();
  const entries = [...tables.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { file, used: Math.min(file, entries + DATA_FILE_OVERHEAD) };
}

/** Files of one folder of the cache. */
export function folderSize(store: LocalStore, name: string): { readonly files: number; readonly bytes: number } {
  const files = filesIn(store.disk, join(store.folder, name));
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + bytesOnDisk(size), 0) };
}

/** Bytes of the whole cache; `used` counts only those pages of the data file that hold entries. */
export function cacheBytes(store: LocalStore, data: 'file' | 'used'): number {
  let bytes = dataFileSize(store)[data];
  for (const { size } of store.blobs.scan()) bytes += bytesOnDisk(size);
  for (const name of [DOWNLOADS, QUARANTINE]) bytes += folderSize(store, name).bytes;
  return bytes;
}
