/** Counts with their nouns. */

import { count } from './numbers.ts';

/** A count with its noun: `1 call`, `2 calls`, `3 policies`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}
