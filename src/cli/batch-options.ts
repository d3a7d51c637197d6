/** `--lane` and `--until`, as they are written. */

import { LANES, type Lane } from '../core/batch.ts';
import type { Provider } from '../core/graph.ts';
import { badOption } from '../core/problem.ts';
import type { BatchOptions } from '../engine/ports.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * @param now milliseconds since the epoch
 * @throws ProblemError on a value that is none
 */
export function batchOptions(
  lane: string | undefined,
  until: string | undefined,
  now: number,
): { readonly lane: Lane | undefined; readonly manner: BatchOptions['manner'] } {
  const asked = laneOption(lane);
  if (until !== undefined) return { lane: asked, manner: { type: 'stay', until: momentOf(until, now) } };
  return { lane: asked, manner: { type: asked === 'online' ? 'take-over' : 'leave' } };
}

/**
 * Who asks for batches counts on their price, so that a build which could make none would cost twice what is expected.
 *
 * @throws ProblemError where batches are asked for and no provider makes any
 */
export function checkLane(
  lane: Lane | undefined,
  { providers }: { readonly providers: readonly Pick<Provider, 'name' | 'batch'>[] },
): void {
  if (lane !== 'batch' || providers.some(({ batch }) => batch !== undefined)) return;
  const named = providers.map(({ name }) => `"${name}"`).join(', ');
  throw badOption(
    `--lane batch finds no provider that makes batches (${named})`,
    'say `batch:` in the provider file, as docs/batch.md has it',
  );
}

/** @throws ProblemError on a value that is none */
function laneOption(lane: string | undefined): Lane | undefined {
  const known = LANES.find((name) => name === lane);
  if (lane !== undefined && known === undefined) {
    throw badOption(`--lane takes ${LANES.join(' or ')}, not ${JSON.stringify(lane)}`);
  }
  return known;
}

/** The next time that a clock on the wall shows it, a moment with a date, or so long from now. */
function momentOf(written: string, now: number): number {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(written);
  if (clock !== null) {
    const moment = new Date(now);
    moment.setHours(Number(clock[1]), Number(clock[2]), 0, 0);
    if (moment.getTime() <= now) moment.setDate(moment.getDate() + 1);
    return moment.getTime();
  }
  const span = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(written);
  if (span !== null) return now + Number(span[1]) * UNITS[span[2]!]!;
  const date = /^\d{4}-\d\d-\d\dT/.test(written) ? Date.parse(written) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  throw badOption(
    `--until takes a time of day such as 06:00, a span such as 8h or 90m, or a date and time, not ${JSON.stringify(written)}`,
  );
}
