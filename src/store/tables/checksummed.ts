/** Values as JSON text behind its own digest, so that a changed byte is noticed. LMDB itself checks nothing. */

import { digestText } from '../../core/digest.ts';

const DIGITS = 32;

export function seal(value: unknown): string {
  const text = JSON.stringify(value);
  return digestText(text) + text;
}

/** The value that was sealed, or undefined when the text is not as it was written. */
export function unseal<T>(sealed: unknown): T | undefined {
  if (typeof sealed !== 'string' || sealed.length <= DIGITS) return undefined;
  const text = sealed.slice(DIGITS);
  if (digestText(text) !== sealed.slice(0, DIGITS)) return undefined;
  return JSON.parse(text) as T;
}
