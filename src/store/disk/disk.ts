/** The file system as the store uses it: one object, so that tests can make any step fail. */

import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EXIT, ProblemError } from '../../core/problem.ts';

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
  statSync: fs.statSync,
  unlinkSync: fs.unlinkSync,
  writeSync: fs.writeSync,
  flush: promisify(fs.fsync),
};

/** The `code` of a system error, such as `ENOENT`; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** LMDB reports the system's error numbers as they are. */
const LMDB_NOT_ALLOWED: readonly unknown[] = [1, 13, 30];
const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'];

/**
 * What LMDB says of a file whose pages contradict each other: page not found, corrupted, panic, version mismatch, invalid,
 * page full, cursor full, incompatible, bad transaction, bad size of a value, bad table.
 */
const LMDB_DAMAGE: readonly unknown[] = [
  -30797, -30796, -30795, -30794, -30793, -30787, -30786, -30784, -30782, -30781, -30780,
];

export const isLmdbDamage = (error: unknown): boolean =>
  LMDB_DAMAGE.includes((error as { code?: unknown } | null)?.code);

/** The data file cannot be trusted; what is in it may still be read entry by entry. */
export function damagedFileProblem(file: string, reason: string): ProblemError {
  return new ProblemError(
    {
      headline: `the cache is damaged: ${file}`,
      facts: [['reason', reason]],
      hint: '`cje cache verify` saves every reply that can still be read and keeps a copy of the damaged file',
    },
    EXIT.damaged,
  );
}

/**
 * A failed write in the cache folder as the user's problem: exit 2 where the folder does not let us write, 5 where
 * LMDB finds its file broken, 1 where the disk gave out. Problems pass through.
 */
export function writeProblem(folder: string, error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const reason = error instanceof Error ? error.message : String(error);
  if (LMDB_NOT_ALLOWED.includes(code) || NOT_ALLOWED.includes(code as string)) {
    return new ProblemError({
      headline: `the cache folder is not writable: ${folder}`,
      facts: [['reason', reason]],
      hint: 'Give yourself write permission on it, or run from a copy of the project that you may write to.',
    });
  }
  if (isLmdbDamage(error)) return damagedFileProblem(join(folder, 'lmdb', 'data.mdb'), reason);
  const full = code === 'ENOSPC' || code === 28 || code === 'EDQUOT';
  return new ProblemError(
    {
      headline: full ? `no space left for the cache folder: ${folder}` : `cannot write to the cache folder: ${folder}`,
      facts: [['reason', reason]],
      hint: full
        ? 'Free some space and build again; everything that was reported as bought is kept.'
        : 'Check the disk and the room on it, and build again; everything that was reported as bought is kept.',
    },
    EXIT.failed,
  );
}

/** Flushes a folder's entries. Systems that cannot open folders (Windows) keep them safe in other ways. */
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
