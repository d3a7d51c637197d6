/**
 * `.cache/quarantine/`: what was found damaged, moved out of the way as it was. Nothing reads it but people; it is kept
 * because a damaged reply may still be worth a look, and `cje cache gc` removes it.
 */

import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { writeProblem } from '../disk/write-problem.ts';

export const QUARANTINE = 'quarantine';

/** A name in the quarantine that is still free: the same entry may be damaged twice. */
function freePlace(disk: Disk, cache: string, name: string): string {
  const folder = join(cache, QUARANTINE);
  disk.mkdirSync(folder, { recursive: true });
  for (let number = 1; ; number++) {
    const place = join(folder, number === 1 ? name : `${name}.${number}`);
    if (!disk.existsSync(place)) return place;
  }
}

/** Moves a file there. @returns its new path. */
export function quarantineFile(disk: Disk, cache: string, path: string, name: string): string {
  try {
    const place = freePlace(disk, cache, name);
    disk.renameSync(path, place);
    return place;
  } catch (error) {
    throw writeProblem(cache, error);
  }
}

/** Keeps a copy of a table's entry there, as its bytes lay in the table. @returns its path. */
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
