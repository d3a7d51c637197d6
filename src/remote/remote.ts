/** A shared cache as one machine sees it: the place, whom it believes, and what it remembers of it. */

import { join } from 'node:path';
import { sha256 } from '../store/pack/inspect.ts';
import type { KnownSegments } from './known.ts';
import type { ObjectStore } from './object-store.ts';
import type { PublicKey, SigningKey } from './signing.ts';

export interface Remote {
  readonly objects: ObjectStore;
  readonly trusted: ReadonlySet<PublicKey>;
  /** Undefined for a machine that reads only. */
  readonly key: SigningKey | undefined;
  readonly known: KnownSegments;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told now and then, on what takes long. */
  readonly note: (text: string) => void;
}

/** An object that is not believed, and why; nothing of it was used. */
export interface RefusedObject {
  readonly name: string;
  readonly reason: string;
}

/** Where a cache folder remembers what it knows of one place. */
export const knownFolder = (cache: string, place: string): string =>
  join(cache, 'remote', sha256(Buffer.from(place)).slice(0, 16));

/** Runs the work on each, so many at once; the results keep their order. */
export async function eachOf<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const runner = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, runner));
  return results;
}
