/** A reply as it lies in the database. */

import type { Digest } from '../../core/digest.ts';
import { measurePieces } from '../../core/pieces.ts';
import type { StoredCall } from '../../core/storage.ts';

/**
 * A call as it lies in LMDB: the two long texts as they are, the rest as JSON, and the digest of all three. It is a tuple
 * because a record in MessagePack would be larger, or need a structure that is stored in another entry.
 */
type CallTuple = readonly [request: string, raw: string, rest: string, check: Digest];
type Rest = Omit<StoredCall, 'request' | 'raw'>;

const checkOf = (request: string, raw: string, rest: string): Digest => measurePieces([request, rest, raw]).digest;

export function encodeCall(call: StoredCall): CallTuple {
  const { request, raw, ...kept } = call;
  const rest = restText(kept);
  return [request, raw, rest, checkOf(request, raw, rest)];
}

/** The call; undefined where it is not what was written. */
export function decodeCall(value: unknown): StoredCall | undefined {
  if (!Array.isArray(value)) return undefined;
  const [request, raw, rest, check] = value as readonly unknown[];
  if (typeof request !== 'string' || typeof raw !== 'string' || typeof rest !== 'string') return undefined;
  if (checkOf(request, raw, rest) !== check) return undefined;
  return { request, raw, ...restOf(rest) };
}

/** All but the two long texts: what is known of, in an order that is always the same, and without what is not there. */
export const restText = ({ usage, model, identity, cost, boughtAt, node, reserved, batch }: Rest): string =>
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
