/** One writer builds at a time: a row in LMDB, taken by compare-and-set in one transaction. Readers never look at it. */

import type { Database } from 'lmdb';
import type { BuildLock, LockHolder } from '../../core/storage.ts';
import { writeProblem } from '../disk/disk.ts';
import { isGone, type Processes } from '../disk/processes.ts';
import type { Environment } from '../lmdb/environment.ts';
import { seal, unseal } from './checksummed.ts';

const ROW = 'build';

export interface LockParts {
  readonly environment: Environment;
  readonly processes: Processes;
  readonly now: () => number;
  /** Runs whenever the lock was taken: whatever another writer left half done is now nobody's. */
  readonly onTaken: () => void;
}

export class LmdbLock implements BuildLock {
  readonly #parts: LockParts;
  #held: LockHolder | undefined;

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  async acquire(command: string): ReturnType<BuildLock['acquire']> {
    const { environment, onTaken } = this.#parts;
    for (;;) {
      if (!environment.isCurrent()) await environment.reopen();
      const before = this.#take(command);
      if (!before.free) return { ok: false, holder: before.holder };
      // A holder that compacted the store and died left its row in a file that is no more: ask again in the new one.
      if (!environment.isCurrent()) {
        this.#held = undefined;
        continue;
      }
      if (before.holder !== undefined) this.#inspect();
      onTaken();
      return before.holder === undefined ? { ok: true } : { ok: true, tookOver: before.holder };
    }
  }

  /** Who ended without giving the lock back may have left anything behind; only now is nobody else at work. */
  #inspect(): void {
    try {
      this.#parts.environment.inspect();
    } catch (error) {
      // Nothing more is written to a broken file: the row stays, and is taken over like the one before it.
      this.#held = undefined;
      throw error;
    }
  }

  #take(command: string) {
    const { processes, now } = this.#parts;
    const candidate: LockHolder = {
      pid: processes.pid,
      processStart: processes.startOf(processes.pid) ?? '',
      bootId: processes.bootId(),
      host: processes.host,
      command,
      since: now(),
    };
    const before = this.#exclusively((table) => {
      const holder = unseal<LockHolder>(table.get(ROW));
      if (holder !== undefined && !isGone(holder, processes)) return { free: false, holder } as const;
      table.putSync(ROW, seal(candidate));
      return { free: true, holder } as const;
    });
    if (before.free) this.#held = candidate;
    return before;
  }

  /** Gives the lock back if it is still ours; otherwise does nothing. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    // Where nothing can be written any more the row stays, and is taken over when this process is gone.
    if (held === undefined || this.#parts.environment.failed) return;
    this.#exclusively((table) => {
      const holder = unseal<LockHolder>(table.get(ROW));
      if (holder !== undefined && sameHolder(holder, held)) table.removeSync(ROW);
    });
  }

  /**
   * Takes the lock away from a holder that cannot be asked: one on another machine, or one that is gone.
   *
   * @returns whose it was and whether it was taken away; undefined where nobody holds it.
   */
  break(): { readonly holder: LockHolder; readonly broken: boolean } | undefined {
    if (this.holder() === undefined) return undefined;
    const { processes } = this.#parts;
    return this.#exclusively((table) => {
      const holder = unseal<LockHolder>(table.get(ROW));
      if (holder === undefined) return undefined;
      const broken = holder.host !== processes.host || isGone(holder, processes);
      if (broken) table.removeSync(ROW);
      return { holder, broken };
    });
  }

  /** Who holds it, dead or alive. */
  holder(): LockHolder | undefined {
    return unseal(this.#parts.environment.look('lock', (table) => table.get(ROW)));
  }

  #exclusively<T>(action: (table: Database<unknown, string>) => T): T {
    const { environment } = this.#parts;
    const table = environment.writing('lock');
    try {
      return table.transactionSync(() => action(table));
    } catch (error) {
      throw writeProblem(environment.folder, error);
    }
  }
}

function sameHolder(a: LockHolder, b: LockHolder): boolean {
  return a.pid === b.pid && a.processStart === b.processStart && a.host === b.host && a.since === b.since;
}
