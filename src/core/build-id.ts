/** Names of builds: when it began, to the millisecond in UTC, and four letters against two that began together. */

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * Such as `20260109-083012-123-k3f9`. Ids in order of their text are in order of time.
 *
 * @param startedAt milliseconds since the epoch.
 * @param random uniform in [0, 1).
 */
export function buildId(startedAt: number, random: () => number): string {
  const [, year, month, day, hour, minute, second, millisecond] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/.exec(new Date(startedAt).toISOString())!;
  const suffix = Array.from({ length: 4 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('');
  return `${year}${month}${day}-${hour}${minute}${second}-${millisecond}-${suffix}`;
}
