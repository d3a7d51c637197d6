/** The files of a folder, and the space that they take. */

import { join } from 'node:path';
import { type Disk, isMissing } from './disk.ts';

interface FoundFile {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** All files below a folder; none where there is no such folder. */
export function filesIn(disk: Disk, folder: string): FoundFile[] {
  const found: FoundFile[] = [];
  const walk = (prefix: string) => {
    for (const name of listed(disk, join(folder, prefix))) {
      const path = join(prefix, name);
      const stat = disk.statSync(join(folder, path), { throwIfNoEntry: false });
      if (stat?.isDirectory()) walk(path);
      else if (stat?.isFile()) found.push({ name: path, size: stat.size, modified: stat.mtimeMs });
    }
  };
  walk('');
  return found;
}

function listed(disk: Disk, folder: string): string[] {
  try {
    return disk.readdirSync(folder).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const BLOCK = 4096;

/** The space that a file of so many bytes takes: whole blocks. */
export const bytesOnDisk = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;
