/**
 * Writes in groups, a commit for each, and remembers the first that failed: what LMDB holds in memory is no longer sound
 * after it.
 *
 * Left to itself the library begins a commit in each turn of the event loop, and those that wait for the one before them
 * hold a thread each. A commit costs the same for one write as for a hundred, so what comes while one is under way is
 * gathered for the next.
 */

import type { ProblemError } from '../../core/problem.ts';
import type { FullCode } from '../../core/system-problem.ts';
import type { Disk } from '../disk/disk.ts';
import { LAST_ROOM, LEAST_ROOM } from '../disk/room.ts';
import { databaseProblem, fullProblem } from './errors.ts';
import { dataFileOf } from './place.ts';

/** Milliseconds that LMDB has to say why a commit failed. */
const CAUSE_WAIT = 100;

/** A write that waits for its commit. */
interface Write {
  readonly apply: () => void;
  /** Bytes that the disk must have left. */
  readonly room: number;
  readonly written: () => void;
  readonly failed: (cause: ProblemError) => void;
}

export class Commits {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #transact: (work: () => void) => PromiseLike<unknown>;
  #failure: ProblemError | undefined;
  #mayPrint = false;
  #cause: Promise<ProblemError> | undefined;
  #state: 'idle' | 'gathering' | 'committing' = 'idle';
  /** Those of the group that is gathered. */
  #next: Write[] = [];
  /** Who waits until nothing is written. */
  #whenIdle: (() => void)[] = [];

  /** @param transact does the work within one transaction, and resolves when that is committed */
  constructor(folder: string, disk: Disk, transact: (work: () => void) => PromiseLike<unknown>) {
    this.#folder = folder;
    this.#disk = disk;
    this.#transact = transact;
  }

  /** Set once a commit has failed: LMDB must not be asked to write again. */
  get failure(): ProblemError | undefined {
    return this.#failure;
  }

  /** Whether LMDB may still print the error of a commit. */
  get mayPrint(): boolean {
    return this.#mayPrint;
  }

  /** Set while the disk has no room for a commit, or not even for what a build writes down as it ends. */
  lackOfRoom(room = LEAST_ROOM): ProblemError | undefined {
    const { bytes, code } = this.#left();
    return bytes < room ? fullProblem(this.#folder, code) : undefined;
  }

  /** The room on the disk, or in the data file where files may only become so long; and what a lack of it is called. */
  #left(): { readonly bytes: number; readonly code: FullCode } {
    const bytes = this.#disk.bytesLeft(this.#folder);
    const longest = this.#disk.longestFile();
    if (longest === Number.POSITIVE_INFINITY) return { bytes, code: 'ENOSPC' };
    const file = this.#disk.statSync(dataFileOf(this.#folder), { throwIfNoEntry: false })?.size ?? 0;
    return longest - file < bytes ? { bytes: longest - file, code: 'EFBIG' } : { bytes, code: 'ENOSPC' };
  }

  /** @throws ProblemError with the cause, once a commit has failed. */
  async check(): Promise<void> {
    if (this.#cause !== undefined) throw await this.#cause;
  }

  /**
   * Writes with whatever else comes at about this time, and waits for the commit.
   *
   * @param apply does the writing, at once, within the transaction; where it throws it has written nothing
   * @param last it is what a build writes down as it ends, for which some room is left when the disk is full
   * @throws ProblemError without a commit
   */
  write(apply: () => void, last = false): Promise<void> {
    return new Promise<void>((written, failed) => {
      this.#next.push({ apply, room: last ? LAST_ROOM : LEAST_ROOM, written, failed });
      if (this.#state === 'idle') this.#gather();
    });
  }

  /** Resolves when every write that was asked for has ended. */
  async idle(): Promise<void> {
    while (this.#state !== 'idle') await new Promise<void>((go) => this.#whenIdle.push(go));
  }

  #gather(): void {
    this.#state = 'gathering';
    setImmediate(() => {
      this.#state = 'committing';
      const group = this.#next;
      this.#next = [];
      void this.#commit(group).then(() => {
        this.#state = 'idle';
        if (this.#next.length > 0) this.#gather();
        else for (const go of this.#whenIdle.splice(0)) go();
      });
    });
  }

  async #commit(asked: readonly Write[]): Promise<void> {
    const group = this.#withRoom(asked);
    if (group.length === 0) return;
    const thrown = new Map<Write, unknown>();
    try {
      await this.check();
      await this.#transact(() => {
        for (const write of group) {
          try {
            write.apply();
          } catch (error) {
            thrown.set(write, error);
          }
        }
      });
    } catch (error) {
      // After a write that failed LMDB says of each next one, and of the commit, that the transaction is bad.
      const [first = error] = thrown.values();
      this.#mayPrint = true;
      const cause = await this.fail(first);
      for (const { failed } of group) failed(cause);
      return;
    }
    const [first] = thrown.values();
    const cause = thrown.size === 0 ? undefined : await this.fail(first);
    for (const write of group) {
      if (cause !== undefined && thrown.has(write)) write.failed(cause);
      else write.written();
    }
  }

  /** What there is room for; the others fail, and may be tried again: LMDB has not met them. */
  #withRoom(asked: readonly Write[]): readonly Write[] {
    const { bytes, code } = this.#left();
    const group = asked.filter(({ room }) => room <= bytes);
    if (group.length === asked.length) return asked;
    const lack = fullProblem(this.#folder, code);
    for (const { room, failed } of asked) if (room > bytes) failed(lack);
    return group;
  }

  /** Writes that fail later fail for the same cause, so they get the same message. */
  fail(error: unknown): Promise<ProblemError> {
    // Each failed commit has a cause of its own, and one that nobody listens to would end the process.
    commitError(error)?.catch(() => {});
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
  const cause = commitError(error);
  if (cause === undefined) return error;
  const told = cause.then(
    () => error,
    (reason: unknown) => reason,
  );
  // LMDB does not always settle it, and the failure is known without it.
  return Promise.race([told, new Promise((resolve) => setTimeout(resolve, CAUSE_WAIT, error))]);
}

function commitError(error: unknown): Promise<unknown> | undefined {
  const cause = (error as { commitError?: unknown } | null)?.commitError;
  return cause instanceof Promise ? cause : undefined;
}
