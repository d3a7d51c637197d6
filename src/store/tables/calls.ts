/** Bought replies and the ledger of permanent failures, by call key. */

import type { Database } from 'lmdb';
import { type Digest, digestText } from '../../core/digest.ts';
import { digestParts, piecesAre } from '../../core/pieces.ts';
import type { AskedCall, CallStore, StoredCall, StoredFailure } from '../../core/storage.ts';
import type { Environment } from '../lmdb/environment.ts';
import { tupleParts } from '../lmdb/message-pack.ts';
import { seal, unseal } from './checksummed.ts';

/**
 * A call as it lies in LMDB: the two long texts as they are, the rest as JSON, and the digest of all three. A tuple and
 * not a record: it is as small as one with shared structures, and no entry hangs on a row elsewhere.
 */
type CallTuple = readonly [request: string, raw: string, rest: string, check: Digest];
type Rest = Omit<StoredCall, 'request' | 'raw'>;

const checkOf = (request: string, raw: string, rest: string): Digest => digestText(request + rest + raw);

function encodeCall(call: StoredCall): CallTuple {
  const { request, raw, usage, model, identity, cost, boughtAt, node } = call;
  const rest = JSON.stringify({ usage, model, identity, cost, boughtAt, node } satisfies Rest);
  return [request, raw, rest, checkOf(request, raw, rest)];
}

/** The call, or undefined where it is not as it was written. */
export function decodeCall(value: unknown): StoredCall | undefined {
  if (!Array.isArray(value)) return undefined;
  const [request, raw, rest, check] = value as readonly unknown[];
  if (typeof request !== 'string' || typeof raw !== 'string' || typeof rest !== 'string') return undefined;
  if (checkOf(request, raw, rest) !== check) return undefined;
  return { request, raw, ...restOf(rest) };
}

function restOf(text: string): Rest {
  const { usage, model, identity, cost, boughtAt, node } = JSON.parse(text) as Rest;
  return { usage, model, identity, cost, boughtAt, node };
}

const TUPLE = 4;
type TupleBytes = [request: Buffer, raw: Buffer, rest: Buffer, check: Buffer];

/** An entry as a scan finds it; `value` is undefined where it is not what was written under that key. */
export interface Scanned<T> {
  readonly key: Digest;
  readonly value: T | undefined;
}

export class LmdbCalls implements CallStore {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The reply, or undefined where there is none or where it is not as it was written. */
  get(key: Digest): StoredCall | undefined {
    this.#environment.countRead();
    return this.#environment.look('calls', (table) => readCall(table, key));
  }

  /** The same as {@link get} and a comparison; what is long is compared and digested as it lies there, and not decoded. */
  find({ key, text, pieces }: AskedCall): StoredCall | undefined {
    this.#environment.countRead();
    const found = this.#environment.look('calls', (table) => table.getBinaryFast(key));
    if (found === undefined) return undefined;
    // Its length is not always that of the memory behind it.
    const bytes = Buffer.from(found.buffer, found.byteOffset, found.length);
    const parts = tupleParts(bytes);
    if (parts?.length !== TUPLE) return undefined;
    const [request, raw, rest, check] = parts.map(({ start, end }) => bytes.subarray(start, end)) as TupleBytes;
    if (!piecesAre(pieces, request) || digestParts([request, rest, raw]) !== check.toString('latin1')) return undefined;
    return { request: text, raw: raw.toString(), ...restOf(rest.toString()) };
  }

  async put(key: Digest, call: StoredCall): Promise<void> {
    await this.#environment.put('calls', key, encodeCall(call));
  }

  failure(key: Digest): StoredFailure | undefined {
    return unseal(this.#environment.look('failures', (table) => table.get(key)));
  }

  async putFailure(key: Digest, failure: StoredFailure): Promise<void> {
    await this.#environment.put('failures', key, seal(failure));
  }

  async removeFailure(key: Digest): Promise<void> {
    await this.#environment.remove('failures', [key]);
  }

  count(): number {
    return this.#environment.look('calls', (table) => (table.getStats() as { entryCount: number }).entryCount) ?? 0;
  }

  /** Every reply in the order of keys; also checks that each lies under the digest of its request. */
  *scan(): Generator<Scanned<StoredCall>> {
    for (const name of this.#environment.keys('calls')) {
      const key = name as Digest;
      const call = this.#environment.look('calls', (table) => readCall(table, key));
      yield { key, value: call !== undefined && digestText(call.request) === key ? call : undefined };
    }
  }

  *scanFailures(): Generator<Scanned<StoredFailure>> {
    for (const { key, value } of this.#environment.entries('failures')) {
      const failure = unseal<StoredFailure>(value);
      yield { key: key as Digest, value: failure?.request !== undefined ? failure : undefined };
    }
  }
}

/** msgpack throws on bytes that it cannot read: to us that is one more value that is not as it was written. */
function readCall(table: Database<unknown, string>, key: Digest): StoredCall | undefined {
  let value: unknown;
  try {
    value = table.get(key);
  } catch (error) {
    if (isStorageError(error)) throw error;
    return undefined;
  }
  return decodeCall(value);
}

/** LMDB's own errors carry a numeric code; the decoder's do not. */
function isStorageError(error: unknown): boolean {
  return typeof (error as { code?: unknown } | null)?.code === 'number';
}
