/** How much memory the process holds, the pages of mapped files included: LMDB maps its file and lets go of none of them. */

import { readFileSync } from 'node:fs';

export interface Resident {
  /** Bytes in all. */
  readonly all: number;
  /** Bytes of pages that files are behind. */
  readonly mapped: number;
}

/** Nothing where the system does not tell. */
export function residentMemory(): Resident {
  try {
    // Size, resident and shared, in pages; what is shared is what files are behind.
    const [, all, mapped] = readFileSync('/proc/self/statm', 'latin1').split(' ').map(Number);
    return { all: (all ?? 0) * PAGE, mapped: (mapped ?? 0) * PAGE };
  } catch {
    return { all: 0, mapped: 0 };
  }
}

/** Where pages are larger, less is held. */
const PAGE = 4096;
