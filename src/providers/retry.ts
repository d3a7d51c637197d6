/** When to try again: exponential back-off with full jitter, never before the server asks for it. */

/** The first back-off's upper end, and the most that any grows to; milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_BACK_OFF = 30_000;
/** A server that asks for more than this is not waited for; milliseconds. */
export const LONGEST_ASKED_WAIT = 600_000;
/** Spreads those that were all told to come back at the same moment; milliseconds. */
const SPREAD = 250;

export type NextTry =
  | { readonly again: true; readonly waitMilliseconds: number }
  | { readonly again: false; readonly why: 'attempts' | 'asked wait too long' };

/**
 * @param tried how many tries were made, at least 1
 * @param attempts tries in all
 * @param asked milliseconds that the server asked to wait, if it did
 * @param random uniform on [0, 1)
 */
export function nextTry(tried: number, attempts: number, asked: number | undefined, random: () => number): NextTry {
  if (tried >= attempts) return { again: false, why: 'attempts' };
  if (asked !== undefined && asked > 0) {
    if (asked > LONGEST_ASKED_WAIT) return { again: false, why: 'asked wait too long' };
    return { again: true, waitMilliseconds: Math.ceil(asked + random() * SPREAD) };
  }
  const ceiling = Math.min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_BACK_OFF);
  return { again: true, waitMilliseconds: Math.ceil(random() * ceiling) };
}
