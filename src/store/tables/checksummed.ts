/** Values as JSON text behind its own digest, so that a changed byte is noticed: LMDB itself checks nothing. */

import { digestText } from '../../core/digest.ts';

const DIGITS = 32;

export function addChecksum(value: unknown): string {
  const text = JSON.stringify(value);
  return digestText(text) + text;
}

/** The value; undefined where the text is not what was written. */
export function readChecksummed<T>(stored: unknown): T | undefined {
  if (typeof stored !== 'string' || stored.length <= DIGITS) return undefined;
  const text = stored.slice(DIGITS);
  if (digestText(text) !== stored.slice(0, DIGITS)) return undefined;
  return JSON.parse(text) as T;
}
