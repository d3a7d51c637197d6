/** Files that a command writes where it was told to. */

import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProblemError } from '../core/problem.ts';

/** Before anything is paid for: whether the file can be written. It keeps what is in it. @throws ProblemError */
export function checkWritable(file: string, what: string): void {
  orProblem(file, what, () => {
    makeFolder(dirname(file));
    appendFileSync(file, '');
  });
}

/** Makes the folder where there is none. @throws ProblemError */
export function writeText(file: string, text: string, what: string, flag: 'w' | 'wx' | 'a' = 'w'): void {
  orProblem(file, what, () => {
    makeFolder(dirname(file));
    writeFileSync(file, text, { flag });
  });
}

/** Step by step: Node's own recursion never ends where a system folder takes no more, such as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

function orProblem(file: string, what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new ProblemError({
      id: 'CJE-CANNOT-WRITE',
      headline: `cannot write ${what} to ${file}`,
      facts: [['reason', error instanceof Error ? error.message : String(error)]],
    });
  }
}
