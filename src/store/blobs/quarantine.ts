/**
 * `.cache/quarantine/`: damaged things, kept as they were found. cje never reads them; people may, because a damaged reply
 * can still be worth money. `cje cache gc` removes them.
 */

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { writeProblem } from '../disk/write-problem.ts';

export const QUARANTINE = 'quarantine';

/** A free path in the quarantine: an entry can be damaged more than once. */
function freePlace(disk: Disk, cache: string, name: string): string {
  const folder = join(cache, QUARANTINE);
  disk.mkdirSync(folder, { recursive: true });
  for (let number = 1; ; number++) {
    const place = join(folder, number === 1 ? name : `${name}.${number}`);
    if (!disk.existsSync(place)) return place;
  }
}

/** Moves a file to the quarantine. @returns its new path. */
export function quarantineFile(disk: Disk, cache: string, path: string, name: string): string {
  try {
    const place = freePlace(disk, cache, name);
    disk.renameSync(path, place);
    return place;
  } catch (error) {
    throw writeProblem(cache, error);
  }
}

/** Copies the bytes of a table's entry to the quarantine. @returns the copy's path. */
export function quarantineBytes(disk: Disk, cache: string, bytes: Uint8Array, name: string): string {
  try {
    const place = freePlace(disk, cache, name);
    const descriptor = disk.openSync(place, 'wx');
    try {
      let written = 0;
      while (written < bytes.length) written += disk.writeSync(descriptor, bytes, written, bytes.length - written);
    } finally {
      disk.closeSync(descriptor);
    }
    return place;
  } catch (error) {
    throw writeProblem(cache, error);
  }
}
