/** Names of builds: when it began, to the millisecond in UTC, and four letters against two that began together. */

const ID = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(\d{3})-/;
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * Such as `20260109-083012-123-k3f9`. Ids in order of their text are in order of time.
 *
 * @param startedAt milliseconds since the epoch.
 * @param random uniform in [0, 1).
 */
function buildId(startedAt: number, random: () => number): string {
  const [, year, month, day, hour, minute, second, millisecond] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/.exec(new Date(startedAt).toISOString())!;
  const suffix = Array.from({ length: 4 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('');
  return `${year}${month}${day}-${hour}${minute}${second}-${millisecond}-${suffix}`;
}

/**
 * An id that sorts after the last build's. A clock that was set back must not make the next build an older one, so time
 * then goes on from the last id.
 *
 * @param last the newest id so far; undefined for the first build.
 */
export function buildIdAfter(last: string | undefined, now: number, random: () => number): string {
  const match = last === undefined ? null : ID.exec(last);
  if (match === null) return buildId(now, random);
  const [, year, month, day, hour, minute, second, millisecond] = match;
  const before = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  return buildId(Number.isNaN(before) ? now : Math.max(now, before + 1), random);
}
