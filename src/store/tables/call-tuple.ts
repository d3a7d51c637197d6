/**
 * A reply as it lies in the database: request and reply as they are, the rest as JSON, and the digest of all three. It is
 * a list of texts because a record in MessagePack would be larger, or need a structure that is stored in another entry.
 */

import { digestParts, measurePieces } from '../../core/pieces.ts';
import type { StoredCall } from '../../core/storage.ts';
import type { TupleBuffer } from '../lmdb/open.ts';

type Rest = Omit<StoredCall, 'request' | 'raw'>;

/**
 * The bytes of a call, brought into a buffer.
 *
 * @param request its text, or the UTF-8 bytes of it
 */
export function addCall(
  buffer: TupleBuffer,
  request: string | Uint8Array,
  { raw, ...rest }: Omit<StoredCall, 'request'>,
): Buffer {
  const texts = [request, raw, restText(rest)];
  return buffer.add(texts, ([asked, said, known]) => digestParts([asked!, known!, said!]));
}

/** The call; undefined where it is not what was written. */
export function decodeCall(value: unknown): StoredCall | undefined {
  if (!Array.isArray(value)) return undefined;
  const [request, raw, rest, check] = value as readonly unknown[];
  if (typeof request !== 'string' || typeof raw !== 'string' || typeof rest !== 'string') return undefined;
  if (measurePieces([request, rest, raw]).digest !== check) return undefined;
  return { request, raw, ...restOf(rest) };
}

/** All but the two long texts: what is known of, in an order that is always the same, and without what is not there. */
const restText = ({ usage, model, identity, cost, boughtAt, node, reserved, batch }: Rest): string =>
  JSON.stringify({ usage, model, identity, cost, boughtAt, node, reserved, batch });

export const restOf = (text: string): Rest => restIn(JSON.parse(text) as Rest);

/** What is known of, in an order that is always the same. */
const restIn = ({ usage, model, identity, cost, boughtAt, node, reserved, batch }: Rest): Rest => ({
  usage,
  model,
  identity,
  cost,
  boughtAt,
  node,
  ...(reserved === undefined ? {} : { reserved }),
  ...(batch === undefined ? {} : { batch }),
});
