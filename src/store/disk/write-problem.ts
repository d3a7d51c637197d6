/** A failed write in the cache folder as the user's problem. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import { errorCode } from './disk.ts';

const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'];

/**
 * Exit 2 where the folder does not let us write, 1 where the disk failed or is full. A problem is returned as it is.
 *
 * @param code the system's code for the error.
 */
export function writeProblem(folder: string, error: unknown, code = errorCode(error)): ProblemError {
  if (error instanceof ProblemError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (code !== undefined && NOT_ALLOWED.includes(code)) {
    return new ProblemError({
      id: 'CJE-CACHE-UNWRITABLE',
      headline: `the cache folder is not writable: ${folder}`,
      facts: [['reason', reason]],
      hint: 'Give yourself write permission on it, or run from a copy of the project that you may write to.',
    });
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new ProblemError(
    {
      id: full ? 'CJE-CACHE-FULL' : 'CJE-CACHE-UNWRITABLE',
      headline: full ? `no space left for the cache folder: ${folder}` : `cannot write to the cache folder: ${folder}`,
      // A build that fills its disk finds out in several places: what they have in common is said once.
      ...(full ? {} : { facts: [['reason', reason] as const] }),
      hint: full
        ? 'Free some space, 4 MB at the very least, and build again; everything that was reported as bought is kept.'
        : 'Check the disk and the room on it, and build again; everything that was reported as bought is kept.',
    },
    EXIT.failed,
  );
}
