/**
 * Maps the data file anew when the process holds too much memory. LMDB never unmaps pages, so every page that was read
 * counts as this process's memory until the file is closed.
 */

import type { Resident } from './resident.ts';

/** Bytes that the process may hold before the file is mapped anew. */
const RESIDENT_AT_MOST = 500 << 20;
/** With fewer mapped bytes than this, mapping anew does not help: the program itself is mapped too. */
const MAPPED_AT_LEAST = 160 << 20;
/** Bytes that are read or written between two looks at the memory. */
const LOOK_EVERY = 4 << 20;
/** Bytes of the pages that lead to a value, and of the rest of its own. */
const PAGES = 8 << 10;

interface RemappingOptions {
  readonly resident: () => Resident;
  /** Closes the file; the next use opens it again. */
  readonly reopen: () => Promise<void>;
  /** True when the file must not be opened again: the database is closed, or a commit has failed. */
  readonly ended: () => boolean;
}

/** Counts what needs the file to stay open: writes under way, and scans that have not reached their end. */
export class Remapping {
  readonly #options: RemappingOptions;
  #bytes = 0;
  #writes = 0;
  #scans = 0;
  /** Set while new writes wait for the file to be mapped anew. */
  #pause: Promise<void> | undefined;

  constructor(options: RemappingOptions) {
    this.#options = options;
  }

  /** To be called for each value that is read or written, with its bytes. */
  count(bytes: number): void {
    this.#bytes += PAGES + bytes;
    if (this.#bytes < LOOK_EVERY) return;
    this.#bytes = 0;
    if (this.#pause !== undefined) return;
    const { all, mapped } = this.#options.resident();
    if (all <= RESIDENT_AT_MOST || mapped < MAPPED_AT_LEAST) return;
    this.#pause = this.#mapAnew().finally(() => {
      this.#pause = undefined;
    });
  }

  /** Runs a write, which needs the file to stay open over turns of the event loop. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    while (this.#pause !== undefined) await this.#pause;
    this.#writes++;
    try {
      return await work();
    } finally {
      this.#writes--;
    }
  }

  /** Keeps the file open until the scan ends. */
  *scan<T>(entries: () => Iterable<T>): Generator<T> {
    this.#scans++;
    try {
      yield* entries();
    } finally {
      this.#scans--;
    }
  }

  /** Waits for the writes under way, lets no other begin, then closes the file. */
  async #mapAnew(): Promise<void> {
    for (;;) {
      // In a turn of its own: closing takes several steps, and no reader may open the file in between.
      await new Promise<void>((resume) => setImmediate(resume));
      // A scan may wait for a write before it ends, so waiting for the scan here could block both.
      if (this.#options.ended() || this.#scans > 0) return;
      if (this.#writes === 0) return this.#options.reopen();
    }
  }
}
