/** Errors of LMDB as the user's problems. Its errors carry numbers: the system's, or negative ones of its own. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import { nodeDisk } from '../disk/disk.ts';
import { writeProblem } from '../disk/write-problem.ts';
import { dataFileOf } from './place.ts';

/**
 * What LMDB says of a file whose pages contradict each other: page not found, corrupted, panic, version mismatch, invalid,
 * page full, cursor full, incompatible, bad transaction, bad size of a value, bad table.
 */
const DAMAGE: readonly unknown[] = [
  -30797, -30796, -30795, -30794, -30793, -30787, -30786, -30784, -30782, -30781, -30780,
];

/** What LMDB says of a write that ended short, as on a full disk. */
const SHORT_WRITE = 5;
/**
 * A disk with fewer bytes left is full. A commit takes some pages, and LMDB must not be the one to find no room: it prints
 * that on its own, and the message that it makes can be longer than the memory that it has for it.
 */
export const LEAST_ROOM = 4 << 20;

const SYSTEM_CODES: ReadonlyMap<unknown, string> = new Map([
  [1, 'EPERM'],
  [13, 'EACCES'],
  [28, 'ENOSPC'],
  [30, 'EROFS'],
]);

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

export const isDamage = (error: unknown): boolean => DAMAGE.includes(codeOf(error));

/** LMDB's own errors carry a numeric code; Node's have codes of letters. */
export const isLmdbError = (error: unknown): boolean => error instanceof Error && typeof codeOf(error) === 'number';

/** A failed write: exit 5 where LMDB finds its file damaged; otherwise as for any other file of the cache. */
export function databaseProblem(folder: string, error: unknown): ProblemError {
  if (isDamage(error)) return damagedFileProblem(dataFileOf(folder), reasonOf(error));
  const code = codeOf(error);
  const full = code === SHORT_WRITE && nodeDisk.bytesLeft(folder) < LEAST_ROOM;
  return writeProblem(folder, error, full ? 'ENOSPC' : SYSTEM_CODES.get(code));
}

/** That the disk is full, told before LMDB finds out. */
export const fullProblem = (folder: string): ProblemError => writeProblem(folder, undefined, 'ENOSPC');

/** A failed read: LMDB's reports of damage become the user's problem, and any other error is passed on. */
export const readProblem = (folder: string, error: unknown): unknown =>
  isDamage(error) ? databaseProblem(folder, error) : error;

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
