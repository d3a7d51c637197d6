/** A failed write in the cache folder as the user's problem. */

import { EXIT, ProblemError } from '../../core/problem.ts';
import { type FullCode, isFull } from '../../core/system-problem.ts';
import { errorCode } from './disk.ts';

const FULL: Readonly<Record<FullCode, readonly [headline: string, hint: string]>> = {
  ENOSPC: ['no space left for the cache folder', 'Free some space, 4 MB at the very least'],
  EDQUOT: ['the quota of the disk is used up for the cache folder', 'Free some space or have the quota raised'],
  EFBIG: [
    'a file may become no longer in the cache folder',
    'Raise the limit on the length of files (`ulimit -f`; its data file alone needs 4 MB more at the very least)',
  ],
};

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
  const kept = 'and build again; everything that was reported as bought is kept.';
  if (isFull(code)) {
    const [headline, hint] = FULL[code];
    // A build that fills its disk finds out in several places: what they have in common is said once.
    return new ProblemError(
      { id: 'CJE-CACHE-FULL', headline: `${headline}: ${folder}`, hint: `${hint}, ${kept}` },
      EXIT.failed,
    );
  }
  return new ProblemError(
    {
      id: 'CJE-CACHE-UNWRITABLE',
      headline: `cannot write to the cache folder: ${folder}`,
      facts: [['reason', reason]],
      hint: `Check the disk and the room on it, ${kept}`,
    },
    EXIT.failed,
  );
}
