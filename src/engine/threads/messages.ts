/** What a build and the threads that run its heavy transforms say to each other: values, never functions. */

import { EXIT, type ExitCode, type Problem, ProblemError } from '../../core/problem.ts';
import { DamageError, type OutputRef } from '../../core/storage.ts';
import type { TransformResult, TransformTask } from '../executor.ts';

export interface ThreadOptions {
  /** The cache folder whose blobs hold inputs and outputs. */
  readonly cache: string;
}

export type ToThread = TransformTask;

export type FromThread = { readonly type: 'made'; readonly result: TransformResult } | ThrownInThread;

/** An error as it crosses: what the engine tells apart stays told apart. */
type ThrownInThread =
  | { readonly type: 'problem'; readonly problems: readonly Problem[]; readonly exit: ExitCode }
  | { readonly type: 'damage'; readonly what: string; readonly message: string; readonly ref: OutputRef | undefined }
  | { readonly type: 'bug'; readonly message: string; readonly stack: string | undefined };

export function packError(error: unknown): ThrownInThread {
  if (error instanceof ProblemError) return { type: 'problem', problems: error.problems, exit: error.exit };
  if (error instanceof DamageError) {
    return { type: 'damage', what: error.what, message: error.message, ref: error.ref };
  }
  if (error instanceof Error) return { type: 'bug', message: error.message, stack: error.stack };
  return { type: 'bug', message: String(error), stack: undefined };
}

export function unpackError(thrown: ThrownInThread): Error {
  switch (thrown.type) {
    case 'problem':
      return new ProblemError(thrown.problems, thrown.exit);
    case 'damage':
      return new DamageError(thrown.what, thrown.message, thrown.ref);
    case 'bug': {
      const error = new Error(thrown.message);
      if (thrown.stack !== undefined) error.stack = thrown.stack;
      return error;
    }
  }
}

/** A thread that ended without an answer: out of memory, most likely. */
export function threadDied(node: string, cause: string): ProblemError {
  return new ProblemError(
    {
      id: 'CJE-THREAD-ENDED',
      headline: `the thread that made ${node} ended before it was done`,
      facts: [['cause', cause]],
      hint: 'what other nodes made is kept; if memory ran out, build with fewer rows or on a larger machine',
    },
    EXIT.failed,
  );
}
