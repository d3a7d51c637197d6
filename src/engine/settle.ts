/** Makes one item's row, buying what it asks and the store lacks. */

import type { KeyedCall } from '../core/call.ts';
import type { JsonObject } from '../core/json.ts';
import type { RowGenerator } from '../core/kind.ts';
import type { Known } from '../core/storage.ts';
import type { Fetched } from '../replies/source.ts';
import { answerOf, drive, replyOf, type Seen } from './drive.ts';

type Missing = Extract<Fetched, { type: 'unavailable' | 'waiting' }>;

/**
 * The row, or why a reply could not be had.
 *
 * @param seen called for every call that was answered, in the order of asking.
 */
export async function settle(
  generator: RowGenerator,
  known: (call: KeyedCall) => Known | undefined,
  buy: (call: KeyedCall) => Promise<Fetched>,
  seen: Seen = () => {},
): Promise<{ readonly type: 'row'; readonly row: JsonObject } | Missing> {
  let end = drive(generator, undefined, known, seen);
  while (!end.done) {
    const fetched = await buy(end.missing);
    if (fetched.type === 'unavailable' || fetched.type === 'waiting') return fetched;
    const reply = replyOf(fetched);
    seen(end.missing, fetched, reply?.raw);
    end = drive(generator, answerOf(end.missing.request, fetched, reply), known, seen);
  }
  return { type: 'row', row: end.row };
}
