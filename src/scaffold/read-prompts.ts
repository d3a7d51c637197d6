/** A file of prompts, looked at before an experiment is made of it. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SourceError } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { usablePrompts } from '../datasets/choose-prompts.ts';
import { readSourceRows } from '../datasets/prompt-source.ts';

/** Reads a prompt file far enough to know that it can be used. @throws ProblemError with the line that is wrong. */
export async function readPrompts(path: string, language: string | null) {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new ProblemError({
      id: 'CJE-FILE-UNREADABLE',
      headline: `cannot read ${path}`,
      hint: '--prompts takes a file of prompts',
    });
  }
  try {
    const { usable, notes } = usablePrompts(await readSourceRows({ bytes, label: path }), language);
    return { name: basename(path), bytes, rows: usable.length, notes };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    // No pipeline is there yet that could name a column.
    const hint = error.fileHint ?? error.hint;
    throw new ProblemError({
      id: 'CJE-BAD-DATA',
      headline: error.message,
      place: { file: path, ...(error.line === undefined ? {} : { line: error.line }) },
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
