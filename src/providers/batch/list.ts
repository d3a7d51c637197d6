/** A provider's list of batches, page by page, as far back as a submission can be. */

import type { BatchStep } from '../../core/batch-port.ts';
import type { JsonObject } from '../../core/json.ts';
import { type BatchHttp, listOf, objectOf, textIn } from './http.ts';

const PAGE = 100;
/** Pages of nothing but what is too old that end a list: one alone may seem to be in order by chance. */
const OLD_PAGES = 3;
/** Milliseconds by which a batch may seem older than its submission where the server tells its time, and where not. */
const SLACK = 600_000;
const SLACK_UNTOLD = 86_400_000;

interface BatchList {
  readonly path: string;
  /** The parameter that names the last batch of the page before. */
  readonly cursor: string;
  /** When a batch was made, by the provider's clock; milliseconds. */
  readonly createdAt: (batch: JsonObject) => number;
}

/** @param since milliseconds, by our clock */
export async function batchesSince(
  http: Pick<BatchHttp, 'json' | 'clock'>,
  { path, cursor, createdAt }: BatchList,
  since: number,
): Promise<BatchStep<readonly JsonObject[]>> {
  const found: JsonObject[] = [];
  const seen = new Set<string>();
  let isNewestFirst = true;
  let before = Number.POSITIVE_INFINITY;
  let oldPages = 0;
  for (let after = ''; ; ) {
    const page = await http.json({ method: 'get', path: `${path}?limit=${PAGE}${after}` });
    if (!page.ok) return page;
    const { body, header } = page.value;
    const oldest = since + aheadBy(header('date'), http.clock.now());
    const known = seen.size;
    let isOld = true;
    const batches = listOf(body.data).map(objectOf);
    for (const batch of batches) {
      const made = createdAt(batch);
      if (made > before) isNewestFirst = false;
      if (made >= oldest) isOld = false;
      before = made;
      const id = textIn(batch.id);
      if (id === undefined || seen.has(id)) continue;
      seen.add(id);
      if (made >= oldest) found.push(batch);
    }
    const last = textIn(body.last_id) ?? textIn(batches.at(-1)?.id);
    // What is older than the submission is none of it, where the server keeps to an order.
    oldPages = isOld ? oldPages + 1 : 0;
    const isOver = isNewestFirst && oldPages >= OLD_PAGES;
    // The same page again: a server that does not know the parameter.
    const isStuck = seen.size === known;
    if (last === undefined || isOver || isStuck || body.has_more !== true) break;
    after = `&${cursor}=${encodeURIComponent(last)}`;
  }
  return { ok: true, value: found };
}

/** How far the provider's clock may be ahead of ours, at the least; milliseconds, less than 0 where it is behind. */
function aheadBy(told: string | null | undefined, now: number): number {
  const theirs = Date.parse(told ?? '');
  return Number.isNaN(theirs) ? -SLACK_UNTOLD : theirs - now - SLACK;
}
