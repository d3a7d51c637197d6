/** The build lock: only one writer builds at a time. It is a row that one transaction compares and sets; readers ignore it. */

import type { BuildLock, LockHolder, PipelineSettings } from '../../core/storage.ts';
import { isGone, type Processes } from '../disk/processes.ts';
import type { Database, TransactionTable } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

const TABLE = 'lock';
const ROW = 'build';

interface LockParts {
  readonly database: Database;
  readonly processes: Processes;
  readonly now: () => number;
  /** Runs after the lock was taken; only then can what another writer left unfinished be removed. */
  readonly onTaken: () => void;
}

export class LmdbLock implements BuildLock {
  readonly #parts: LockParts;
  #held: LockHolder | undefined;

  constructor(parts: LockParts) {
    this.#parts = parts;
  }

  async acquire(command: string, settings?: PipelineSettings): ReturnType<BuildLock['acquire']> {
    const { database, onTaken } = this.#parts;
    for (;;) {
      if (!database.isCurrent()) await database.reopen();
      const before = this.#take(command, settings);
      if (!before.free) return { ok: false, holder: before.holder };
      // The holder may have compacted the store and died, which left its row in a file that is gone: ask in the new file.
      if (!database.isCurrent()) {
        this.#held = undefined;
        continue;
      }
      if (before.holder !== undefined) this.#inspect();
      onTaken();
      return before.holder === undefined ? { ok: true } : { ok: true, tookOver: before.holder };
    }
  }

  /** A holder that ended without releasing the lock may have left a damaged file; now nobody else is writing to it. */
  #inspect(): void {
    try {
      this.#parts.database.inspect();
    } catch (error) {
      // Nothing more may be written to a damaged file, so the row stays; the next process takes it over.
      this.#held = undefined;
      throw error;
    }
  }

  #take(command: string, settings: PipelineSettings | undefined) {
    const { database, processes, now } = this.#parts;
    const candidate: LockHolder = {
      pid: processes.pid,
      processStart: processes.startOf(processes.pid) ?? '',
      bootId: processes.bootId(),
      host: processes.host,
      command,
      since: now(),
      ...(settings === undefined ? {} : { settings }),
    };
    const before = database.transact(TABLE, (table) => {
      const holder = readChecksummed<LockHolder>(table.get(ROW));
      if (holder !== undefined && !isGone(holder, processes)) return { free: false, holder } as const;
      table.put(ROW, addChecksum(candidate));
      return { free: true, holder } as const;
    });
    if (before.free) this.#held = candidate;
    return before;
  }

  /** Releases the lock if it is still ours; otherwise does nothing. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    const { database } = this.#parts;
    // After a failed commit, or where there is no room at all, nothing can be written, so the row stays; the next process
    // takes it over once this one is gone.
    if (held === undefined || database.failed || database.full) return;
    const remove = (table: TransactionTable) => {
      const holder = readChecksummed<LockHolder>(table.get(ROW));
      if (holder !== undefined && sameHolder(holder, held)) table.remove(ROW);
    };
    database.transact(TABLE, remove, { last: true });
  }

  /**
   * Takes the lock from a holder that is gone, or that runs on another machine and so cannot be checked.
   *
   * @returns whose it was and whether it was taken away; undefined where nobody holds it.
   */
  break(): { readonly holder: LockHolder; readonly broken: boolean } | undefined {
    if (this.holder() === undefined) return undefined;
    const { database, processes } = this.#parts;
    return database.transact(TABLE, (table) => {
      const holder = readChecksummed<LockHolder>(table.get(ROW));
      if (holder === undefined) return undefined;
      const broken = holder.host !== processes.host || isGone(holder, processes);
      if (broken) table.remove(ROW);
      return { holder, broken };
    });
  }

  /** Who holds the lock, whether its process still runs or not. */
  holder(): LockHolder | undefined {
    return readChecksummed(this.#parts.database.get(TABLE, ROW));
  }
}

function sameHolder(a: LockHolder, b: LockHolder): boolean {
  return a.pid === b.pid && a.processStart === b.processStart && a.host === b.host && a.since === b.since;
}
