/** Bought replies and the ledger of permanent failures, by call key. */

import { type Digest, digestText } from '../../core/digest.ts';
import { digestParts, piecesAre } from '../../core/pieces.ts';
import type { AskedCall, CallGroup, CallStore, StoredCall, StoredFailure, Superseded } from '../../core/storage.ts';
import { type Database, TupleBuffer, tupleParts } from '../lmdb/open.ts';
import { LmdbCallGroup } from './call-group.ts';
import { addCall, decodeCall, restOf } from './call-tuple.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';
import type { Scanned } from './scanned.ts';

/** Bytes that hold some hundred replies on their way to the disk. */
const ROOM = 1 << 18;

const TUPLE = 4;
type TupleBytes = [request: Buffer, raw: Buffer, rest: Buffer, check: Buffer];

export class LmdbCalls implements CallStore {
  readonly #database: Database;
  readonly #buffer = new TupleBuffer(ROOM);

  constructor(database: Database) {
    this.#database = database;
  }

  /** The reply; undefined where there is none, or where it is not what was written. */
  get(key: Digest): StoredCall | undefined {
    return decodeCall(this.#database.get('calls', key));
  }

  /** Like {@link get} with a comparison, but compares and digests the long texts as bytes, without decoding them. */
  find({ key, text, pieces }: AskedCall): StoredCall | undefined {
    const bytes = this.#database.bytes('calls', key);
    if (bytes === undefined) return undefined;
    const parts = tupleParts(bytes);
    if (parts?.length !== TUPLE) return undefined;
    const [request, raw, rest, check] = parts.map(({ start, end }) => bytes.subarray(start, end)) as TupleBytes;
    if (!piecesAre(pieces, request) || digestParts([request, rest, raw]) !== check.toString('latin1')) return undefined;
    return { request: text, raw: raw.toString(), ...restOf(rest.toString()) };
  }

  async put(key: Digest, { request, ...reply }: StoredCall): Promise<void> {
    await this.#database.put('calls', key, addCall(this.#buffer, request, reply));
  }

  group(): CallGroup {
    return new LmdbCallGroup(this.#database);
  }

  failure(key: Digest): StoredFailure | undefined {
    return readChecksummed(this.#database.get('failures', key));
  }

  async putFailure(key: Digest, failure: StoredFailure): Promise<void> {
    await this.#database.put('failures', key, addChecksum(failure));
  }

  async supersede(key: Digest): Promise<void> {
    const reply = this.get(key);
    const failure = this.failure(key);
    const moved: Promise<void>[] = [];
    let index = this.superseded(key).length;
    const keep = (entry: Superseded) =>
      void moved.push(this.#database.put('superseded', historyKey(key, index++), addChecksum(entry)));
    if (failure !== undefined) {
      keep({ type: 'failure', ...failure });
      moved.push(this.#database.remove('failures', [key]));
    }
    if (reply !== undefined) {
      keep({ type: 'reply', ...reply });
      moved.push(this.#database.remove('calls', [key]));
    }
    await Promise.all(moved);
  }

  superseded(key: Digest): Superseded[] {
    const found: Superseded[] = [];
    for (;;) {
      const entry = readChecksummed<Superseded>(this.#database.get('superseded', historyKey(key, found.length)));
      if (entry === undefined) return found;
      found.push(entry);
    }
  }

  /** Writes down answers that were superseded elsewhere, for a call that has none yet. */
  async putSuperseded(key: Digest, answers: readonly Superseded[]): Promise<void> {
    const puts = answers.map((answer, index) =>
      this.#database.put('superseded', historyKey(key, index), addChecksum(answer)),
    );
    await Promise.all(puts);
  }

  /** Every superseded answer, in the order of keys. */
  *scanSuperseded(): Generator<Scanned<Superseded>> {
    for (const { key, value } of this.#database.scan('superseded')) {
      const entry = readChecksummed<Superseded>(value);
      yield { key: key as Digest, value: entry?.request !== undefined ? entry : undefined };
    }
  }

  count(): number {
    return this.#database.count('calls');
  }

  /** Every reply in the order of keys; one that does not lie under the digest of its request counts as damaged. */
  *scan(): Generator<Scanned<StoredCall>> {
    for (const { key, value } of this.#database.scan('calls')) {
      const call = decodeCall(value);
      yield { key: key as Digest, value: call !== undefined && digestText(call.request) === key ? call : undefined };
    }
  }

  *scanFailures(): Generator<Scanned<StoredFailure>> {
    for (const { key, value } of this.#database.scan('failures')) {
      const failure = readChecksummed<StoredFailure>(value);
      yield { key: key as Digest, value: failure?.request !== undefined ? failure : undefined };
    }
  }
}

/** Where the answers to a call lie that were superseded, numbered from the oldest. */
export const historyKey = (key: Digest, index: number): string => `${key}/${index}`;
