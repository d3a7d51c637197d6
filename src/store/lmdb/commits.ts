/** Waits for commits, and remembers the first that failed: what LMDB holds in memory is no longer sound after it. */

import type { ProblemError } from '../../core/problem.ts';
import { databaseProblem } from './errors.ts';

/** Milliseconds that LMDB has to say why a commit failed. */
const CAUSE_WAIT = 100;

export class Commits {
  readonly #folder: string;
  #failure: ProblemError | undefined;
  #cause: Promise<ProblemError> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Set once a commit has failed: LMDB must not be asked to write again. */
  get failure(): ProblemError | undefined {
    return this.#failure;
  }

  /** @throws ProblemError with the cause, once a commit has failed. */
  async check(): Promise<void> {
    if (this.#cause !== undefined) throw await this.#cause;
  }

  /** Waits until the write is committed. @throws ProblemError where it is not. */
  async wait(write: PromiseLike<boolean>): Promise<void> {
    try {
      await write;
    } catch (error) {
      throw await this.fail(error);
    }
  }

  /** Writes that fail later fail for the same cause, so they get the same message. */
  fail(error: unknown): Promise<ProblemError> {
    this.#failure ??= databaseProblem(this.#folder, error);
    this.#cause ??= commitCause(error).then((cause) => {
      this.#failure = databaseProblem(this.#folder, cause);
      return this.#failure;
    });
    return this.#cause;
  }
}

/** LMDB rejects with a stand-in whose `commitError` promise holds the cause. */
async function commitCause(error: unknown): Promise<unknown> {
  const cause = (error as { commitError?: unknown } | null)?.commitError;
  if (!(cause instanceof Promise)) return error;
  const told = cause.then(
    () => error,
    (reason: unknown) => reason,
  );
  // LMDB does not always settle it, and the failure is known without it.
  return Promise.race([told, new Promise((resolve) => setTimeout(resolve, CAUSE_WAIT, error))]);
}
