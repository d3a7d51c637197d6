/** What the machine would not do, as the user's problem: a full disk, too many open files, a folder that is closed to us. */

import { EXIT, ProblemError } from './problem.ts';

const HEADLINES: Readonly<Record<string, readonly [headline: string, hint: string]>> = {
  ENOSPC: ['no space left on the disk', 'free some space and build again; what was reported as bought is kept'],
  EDQUOT: ['the disk quota is used up', 'free some space and build again; what was reported as bought is kept'],
  EFBIG: ['a file may become no longer', 'raise `ulimit -f` and build again; what was reported as bought is kept'],
  EMFILE: ['too many open files', 'raise `ulimit -n` (1024 is enough) and build again; what was bought is kept'],
  ENFILE: ['too many open files on this machine', 'close other programs and build again; what was bought is kept'],
  EACCES: ['a file or folder may not be written or read', 'give yourself permission on it and build again'],
  EPERM: ['a file or folder may not be changed', 'give yourself permission on it and build again'],
  EROFS: ['the disk is read-only', 'build from a copy of the project that you may write to'],
  EIO: ['the disk failed', 'check the disk, then build again; what was reported as bought is kept'],
};

/** What the system says where nothing more can be written: of the disk, of the user's share, of a file's length. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'] as const;
export type FullCode = (typeof FULL)[number];

/** Whether it is a disk that takes nothing more, which a build meets in several places and tells once. */
export const isFull = (code: unknown): code is FullCode => FULL.some((each) => each === code);

/** The problem behind a system error; undefined for any other error, which is a mistake of ours. */
export function systemProblem(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(HEADLINES, code) ? HEADLINES[code] : undefined;
  if (known === undefined) return undefined;
  const [headline, hint] = known;
  const where = typeof path === 'string' ? `: ${path}` : '';
  const id = isFull(code) ? 'CJE-CACHE-FULL' : 'CJE-SYSTEM';
  return new ProblemError(
    { id, headline: `${headline}${where}`, facts: [['reason', error.message]], hint },
    EXIT.failed,
  );
}
