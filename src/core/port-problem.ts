/** Why a server of ours cannot be reached under the port that was asked for, as the user's problem. */

import { ProblemError } from './problem.ts';

/** @param free how any port that is free is asked for */
export function portProblem(
  port: number,
  { code, message }: Pick<NodeJS.ErrnoException, 'code' | 'message'>,
  free: string,
): ProblemError {
  switch (code) {
    case 'EADDRINUSE':
      return new ProblemError({ id: 'CJE-PORT', headline: `port ${port} is in use`, hint: free });
    case 'EACCES':
      return new ProblemError({
        id: 'CJE-PORT',
        headline: `port ${port} needs rights that you do not have`,
        hint: 'take one above 1023',
      });
    default:
      return new ProblemError({
        id: 'CJE-PORT',
        headline: `cannot listen on port ${port}`,
        facts: [['reason', message]],
      });
  }
}
