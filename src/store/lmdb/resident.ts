/** LMDB never unmaps pages, so resident memory grows; this measures it. */

import { readFileSync } from 'node:fs';

export interface Resident {
  /** Bytes in all. */
  readonly all: number;
  /** Bytes of mapped files. */
  readonly mapped: number;
}

/** Zeros on systems without `/proc`: there the file is never mapped anew. */
export function residentMemory(): Resident {
  try {
    // The first three fields are size, resident and shared, in pages; the shared ones are those of mapped files.
    const [, all, mapped] = readFileSync('/proc/self/statm', 'latin1').split(' ').map(Number);
    return { all: (all ?? 0) * PAGE, mapped: (mapped ?? 0) * PAGE };
  } catch {
    return { all: 0, mapped: 0 };
  }
}

/** Bytes, assumed: where the system's pages are larger, the measure is too low and the file is mapped anew later. */
const PAGE = 4096;
