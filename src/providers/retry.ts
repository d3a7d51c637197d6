/**
 * When to try again: exponential back-off with full jitter, never before the server asks for it. Being asked to wait
 * uses up time, not tries.
 */

/**
 * The first back-off's upper end; of a server in trouble, which may be starting anew, half a minute for six tries on average;
 * milliseconds.
 */
const FIRST_WAIT = 500;
const FIRST_WAIT_IN_TROUBLE = 2_000;
/** The most that any grows to, milliseconds. */
const LONGEST_BACK_OFF = 30_000;
/** One that is gone is looked for at least so often, milliseconds. */
const LONGEST_GONE_GAP = 10_000;
/** A server that asks for more than this, or refuses everything or is gone for as long, is not waited for; milliseconds. */
export const LONGEST_WAIT = 600_000;
/** Spreads those that were all told to come back at the same moment; milliseconds. */
const SPREAD = 250;

export type NextTry =
  | { readonly again: true; readonly waitMilliseconds: number }
  | { readonly again: false; readonly why: 'attempts' | Impatience };

/** Why a server is no longer waited for. */
type Impatience = 'asked wait too long' | 'refused too long' | 'gone too long';

/**
 * @param tried how many tries were made, at least 1
 * @param attempts tries in all
 * @param asked milliseconds that the server asked to wait, if it did
 * @param random uniform on [0, 1)
 * @param isInTrouble whether the server has too much to do, or has failed everybody lately
 * @param patience milliseconds that a server is waited for
 */
export function nextTry(
  tried: number,
  attempts: number,
  asked: number | undefined,
  random: () => number,
  isInTrouble = false,
  patience = LONGEST_WAIT,
): NextTry {
  if (tried >= attempts) return { again: false, why: 'attempts' };
  if (asked !== undefined && asked > 0) {
    if (asked > patience) return { again: false, why: 'asked wait too long' };
    return { again: true, waitMilliseconds: Math.ceil(asked + random() * SPREAD) };
  }
  const first = isInTrouble ? FIRST_WAIT_IN_TROUBLE : FIRST_WAIT;
  return { again: true, waitMilliseconds: backOff(first, tried, LONGEST_BACK_OFF, random) };
}

/**
 * When to try again after a refusal by rate, or after a failure that names a time to come back.
 *
 * @param asked milliseconds that the server asked to wait, if it did
 * @param refusedFor milliseconds since which it has refused everything
 * @param random uniform on [0, 1)
 */
export function afterRefusal(
  asked: number | undefined,
  refusedFor: number,
  random: () => number,
  patience = LONGEST_WAIT,
): NextTry {
  const wait = asked ?? 0;
  if (wait > patience) return { again: false, why: 'asked wait too long' };
  if (refusedFor + wait > patience) return { again: false, why: 'refused too long' };
  return { again: true, waitMilliseconds: wait > 0 ? Math.ceil(wait + random() * SPREAD) : 0 };
}

/**
 * When to try again where nobody was there, and somebody had been.
 *
 * @param tried how many tries found nobody, at least 1
 * @param goneFor milliseconds since which nobody has been there
 * @param random uniform on [0, 1)
 */
export function whileGone(tried: number, goneFor: number, random: () => number, patience = LONGEST_WAIT): NextTry {
  if (goneFor > patience) return { again: false, why: 'gone too long' };
  return { again: true, waitMilliseconds: backOff(FIRST_WAIT, tried, LONGEST_GONE_GAP, random) };
}

/** Exponential, with full jitter. */
const backOff = (first: number, tried: number, longest: number, random: () => number): number =>
  Math.ceil(random() * Math.min(first * 2 ** (tried - 1), longest));

const UNITS: readonly (readonly [string, number])[] = [
  ['year', 365.25 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** So many whole ones of the largest unit that fits, such as `31 years`. */
export function durationText(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, each]) => milliseconds >= each) ?? UNITS.at(-1)!;
  const count = Math.floor(milliseconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What a message adds when a server is no longer waited for. */
export function waitedEnough(why: Impatience, asked: number | undefined, patience = LONGEST_WAIT): string {
  if (why === 'gone too long') return `has not been reachable for ${durationText(patience)}; build again later`;
  if (why === 'refused too long') return `has refused every call for ${durationText(patience)}; build again later`;
  return `asks to wait ${durationText(asked ?? 0)}; build again then`;
}
