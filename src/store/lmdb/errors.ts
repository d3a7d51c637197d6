/** Errors of LMDB as the user's problems. Its errors carry numbers: the system's, or negative ones of its own. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import type { FullCode } from '../../core/system-problem.ts';
import { nodeDisk } from '../disk/disk.ts';
import { isOutOfRoom } from '../disk/room.ts';
import { writeProblem } from '../disk/write-problem.ts';
import { dataFileOf } from './place.ts';

/**
 * What LMDB says of a file whose pages contradict each other: page not found, corrupted, panic, version mismatch, invalid,
 * page full, cursor full, incompatible, bad size of a value, bad table.
 */
const DAMAGE: readonly unknown[] = [-30797, -30796, -30795, -30794, -30793, -30787, -30786, -30784, -30781, -30780];
/** A bad transaction: what a write says after another of its transaction has failed, for whatever reason. */
const BAD_TRANSACTION = -30782;

/** What LMDB says of a write that ended short, as on a full disk. */
const SHORT_WRITE = 5;

const SYSTEM_CODES: ReadonlyMap<unknown, string> = new Map([
  [1, 'EPERM'],
  [13, 'EACCES'],
  [27, 'EFBIG'],
  [28, 'ENOSPC'],
  [30, 'EROFS'],
  // Of Linux, and of macOS.
  [122, 'EDQUOT'],
  [69, 'EDQUOT'],
]);

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

export const isDamage = (error: unknown): boolean => DAMAGE.includes(codeOf(error));

/** LMDB's own errors carry a numeric code; Node's have codes of letters. */
export const isLmdbError = (error: unknown): boolean => error instanceof Error && typeof codeOf(error) === 'number';

/** A failed write: exit 5 where LMDB finds its file damaged; otherwise as for any other file of the cache. */
export function databaseProblem(folder: string, error: unknown): ProblemError {
  if (isDamage(error)) return damagedFileProblem(dataFileOf(folder), reasonOf(error));
  const code = codeOf(error);
  return writeProblem(folder, error, code === SHORT_WRITE ? shortened(folder) : SYSTEM_CODES.get(code));
}

/** What can have cut a write short; undefined where the disk itself seems to have failed. */
function shortened(folder: string): FullCode | undefined {
  if (isOutOfRoom(nodeDisk, folder)) return 'ENOSPC';
  return nodeDisk.longestFile() === Number.POSITIVE_INFINITY ? undefined : 'EFBIG';
}

/** That the disk is full, told before LMDB finds out. */
export const fullProblem = (folder: string, code: FullCode): ProblemError => writeProblem(folder, undefined, code);

/**
 * A failed read: LMDB's reports of damage become the user's problem, and any other error is passed on. A read has no
 * transaction to fail.
 */
export const readProblem = (folder: string, error: unknown): unknown =>
  isDamage(error) || codeOf(error) === BAD_TRANSACTION
    ? damagedFileProblem(dataFileOf(folder), reasonOf(error))
    : error;

/** The data file cannot be trusted, but single entries may still be readable. */
export function damagedFileProblem(file: string, reason: string): ProblemError {
  return new ProblemError(
    {
      id: 'CJE-CACHE-DAMAGED',
      headline: `the cache is damaged: ${file}`,
      facts: [['reason', reason]],
      hint: '`cje cache verify` saves every reply that can still be read and keeps a copy of the damaged file',
    },
    EXIT.damaged,
  );
}

export function unreadableProblem(folder: string, error: unknown): ProblemError {
  return new ProblemError({
    id: 'CJE-CACHE-UNREADABLE',
    headline: `the cache folder is not readable: ${folder}`,
    facts: [['reason', reasonOf(error)]],
    hint: 'Give yourself read and write permission on it; LMDB keeps a table of readers in it.',
  });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
