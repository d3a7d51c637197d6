/** The file system as the store uses it, as one object, so that tests can make any step fail. */

import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

export interface Disk
  extends Pick<
    typeof fs,
    | 'closeSync'
    | 'existsSync'
    | 'fstatSync'
    | 'mkdirSync'
    | 'openSync'
    | 'readSync'
    | 'readdirSync'
    | 'renameSync'
    | 'statSync'
    | 'unlinkSync'
    | 'writeSync'
  > {
  /** Resolves when the file's bytes are on the disk. */
  flush(descriptor: number): Promise<void>;
  /** Bytes that may still be written to the disk of a folder, which need not be there yet; infinite where the system does not say. */
  bytesLeft(folder: string): number;
  /** How long a file may become that this process writes (`ulimit -f`); infinite where there is no limit. */
  longestFile(): number;
}

export const nodeDisk: Disk = {
  closeSync: fs.closeSync,
  existsSync: fs.existsSync,
  fstatSync: fs.fstatSync,
  mkdirSync: fs.mkdirSync,
  openSync: fs.openSync,
  readSync: fs.readSync,
  readdirSync: fs.readdirSync,
  renameSync: fs.renameSync,
  statSync: statOf as typeof fs.statSync,
  unlinkSync: fs.unlinkSync,
  writeSync: fs.writeSync,
  flush: promisify(fs.fsync),
  bytesLeft(folder) {
    try {
      const { bavail, bsize } = fs.statfsSync(folder);
      return bavail * bsize;
    } catch (error) {
      // A folder that is still to be made will lie on the disk of the one above it.
      const above = dirname(resolve(folder));
      return isMissing(error) && above !== resolve(folder) ? nodeDisk.bytesLeft(above) : Number.POSITIVE_INFINITY;
    }
  },
  longestFile() {
    longest ??= fileLimit();
    return longest;
  },
};

/** As Node's, but that a path through a file leads to nothing, like one through a folder that is not there. */
function statOf(path: fs.PathLike, options?: fs.StatSyncOptions): ReturnType<typeof fs.statSync> {
  try {
    return fs.statSync(path, options);
  } catch (error) {
    if (options?.throwIfNoEntry === false && isMissing(error)) return undefined;
    throw error;
  }
}

/** The limit of this process, which it never changes. */
let longest: number | undefined;

/** Only Linux says it; elsewhere the write that fails does. */
function fileLimit(): number {
  try {
    const [, soft] = /^Max file size\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The `code` of a system error, such as `ENOENT`; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Whether nothing is there: a folder on the way may be missing too, or be a file. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');

/** Flushes a folder's list of files. Systems that cannot open folders (Windows) need no such flush. */
export async function flushFolder(disk: Disk, folder: string): Promise<void> {
  let descriptor: number;
  try {
    descriptor = disk.openSync(folder, 'r');
  } catch (error) {
    if (['EISDIR', 'EPERM', 'EACCES'].includes(errorCode(error) ?? '')) return;
    throw error;
  }
  try {
    await disk.flush(descriptor);
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    disk.closeSync(descriptor);
  }
}
