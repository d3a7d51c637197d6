/** An entry as a scan finds it. */

import type { Digest } from '../../core/digest.ts';

export interface Scanned<T, K = Digest> {
  readonly key: K;
  /** Undefined where it is not what was written under that key. */
  readonly value: T | undefined;
}
