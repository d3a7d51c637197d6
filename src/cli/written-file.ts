/** Files that a command writes where it was told to. */

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ProblemError } from '../core/problem.ts';

/** Before anything is paid for: whether the file can be written. It keeps what is in it. @throws ProblemError */
export function checkWritable(file: string, what: string): void {
  orProblem(file, what, () => {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, '');
  });
}

/** Makes the folder where there is none. @throws ProblemError */
export function writeText(file: string, text: string, what: string, flag: 'w' | 'wx' | 'a' = 'w'): void {
  orProblem(file, what, () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag });
  });
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
