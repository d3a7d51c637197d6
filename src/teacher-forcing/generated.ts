/**
 * How many of the echoed tokens were generated after the text. What was asked for does not tell: servers generate one
 * where none was asked for, and none where one was. What the reply counts tells, and where it counts nothing, each
 * number that it could be is a reading of its own.
 */

import type { Echo, ReplyCounts } from './echo.ts';

export interface Guess {
  readonly generated: number;
  /** How the prompt's first token stands, if so many were generated. */
  readonly start: 'counted' | 'unshown' | 'unknown';
  /** True where the reply leaves no other number. */
  readonly exact: boolean;
}

/**
 * Every number that the reply allows.
 *
 * @param shown whether the list begins with the beginning-of-text token, or with an empty one in its place.
 * @param hasBos whether the model has such a token, which a server may leave out of the list.
 */
export function guessesOf(
  { tokens, tokenLogprobs }: Echo,
  { prompt, byIds = false, generated, separate }: ReplyCounts,
  { shown, hasBos, asked }: { readonly shown: boolean; readonly hasBos: boolean; readonly asked: number },
): Guess[] {
  const mayHide = hasBos && !shown;
  // Nothing precedes a text's first token, so one that has a value is not the first.
  const surelyHides = mayHide && typeof tokenLogprobs[0] === 'number';
  if (separate === true) {
    const start = prompt === undefined ? 'unknown' : prompt === tokens.length ? 'counted' : 'unshown';
    return [{ generated: 0, start: mayHide ? start : 'counted', exact: true }];
  }
  const most = Math.max(1, asked, generated ?? 0);
  const unknown = Array.from({ length: most + 1 }, (_, count): Guess => {
    return { generated: count, start: 'unknown', exact: false };
  });
  if (prompt === undefined) return unknown;
  const guesses: Guess[] = [];
  for (const unshown of mayHide ? (surelyHides ? [1] : [0, 1]) : [0]) {
    const count = tokens.length - prompt + unshown;
    if (count < 0 || count > most) continue;
    // A server's own count is believed only where both its numbers fit: some count no beginning-of-text token.
    if (!byIds && generated !== undefined && count !== generated && !(count === 0 && asked === 0)) continue;
    if (!byIds && generated === undefined) continue;
    guesses.push({ generated: count, start: unshown === 1 ? 'unshown' : 'counted', exact: true });
  }
  if (guesses.length === 0) return unknown;
  return guesses.length === 1 ? guesses : guesses.map((guess) => ({ ...guess, exact: false }));
}
