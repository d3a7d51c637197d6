/** Batches that are out, and the calls in them: on disk before anything is sent, and until their results are. */

import type { BatchedBytes, BatchedCall, BatchStore, Submission } from '../../core/batch.ts';
import type { Digest } from '../../core/digest.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

export class LmdbBatches implements BatchStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The submission comes last: whoever finds it finds its calls. */
  async open(submission: Submission, calls: readonly (readonly [key: Digest, call: BatchedCall])[]): Promise<void> {
    const keys = calls.map(([key]) => key);
    for (let from = 0; from < calls.length; from += WRITES) {
      const some = calls.slice(from, from + WRITES);
      await this.#database.change(some.map(([key, call]) => ['batched', key, encode(call)]));
    }
    for (let part = 0; part * KEYS_A_PART < keys.length; part++) {
      const some = keys.slice(part * KEYS_A_PART, (part + 1) * KEYS_A_PART);
      await this.#database.put('batches', partOf(submission.id, part), some.join('\n'));
    }
    await this.put(submission);
  }

  async put(submission: Submission): Promise<void> {
    await this.#database.put('batches', submission.id, addChecksum(submission));
  }

  list(): Submission[] {
    const found: Submission[] = [];
    for (const { key, value } of this.#database.scan('batches')) {
      if (key.includes(KEYS)) continue;
      const submission = readChecksummed<Submission>(value);
      if (submission !== undefined) found.push(submission);
    }
    return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  keys(id: Digest): readonly Digest[] {
    const keys: Digest[] = [];
    for (let part = 0; ; part++) {
      const some = this.#database.get('batches', partOf(id, part));
      if (typeof some !== 'string') return keys;
      for (const key of some.split('\n')) keys.push(key as Digest);
    }
  }

  call(key: Digest): BatchedCall | undefined {
    return decode(this.#database.get('batched', key));
  }

  bytes(key: Digest): BatchedBytes | undefined {
    const found = this.#database.bytes('batched', key);
    const end = found?.indexOf(NEWLINE) ?? -1;
    if (found === undefined || end === -1) return undefined;
    const rest = readChecksummed<Omit<BatchedCall, 'request'>>(found.toString('utf8', 0, end));
    return rest === undefined ? undefined : { ...rest, request: found.subarray(end + 1) };
  }

  /** The submission goes first: calls without one are not out, whatever a kill leaves of them. */
  async close(id: Digest): Promise<void> {
    const keys = this.keys(id);
    await this.#database.remove('batches', [id]);
    // Sorted, so that each part of them empties pages of its own.
    const sorted = keys.toSorted();
    for (let from = 0; from < sorted.length; from += WRITES) {
      await this.#database.change(sorted.slice(from, from + WRITES).map((key) => ['batched', key, undefined]));
    }
    const parts = Math.ceil(keys.length / KEYS_A_PART);
    await this.#database.remove(
      'batches',
      Array.from({ length: parts }, (_, part) => partOf(id, part)),
    );
  }

  async sweep(): Promise<void> {
    if (this.#database.count('batched') === 0) return;
    const alive = new Set(this.list().map(({ id }) => id));
    const dead: string[] = [];
    for (const { key, value } of this.#database.scan('batched')) {
      const call = decode(value);
      if (call === undefined || !alive.has(call.submission)) dead.push(key);
    }
    await this.#database.remove('batched', dead);
  }
}

/** Writes of one commit. */
const WRITES = 4096;

const NEWLINE = 10;

/** A line of JSON, and the request as it is: it is long, and a key's look-up compares it in the end. */
const encode = ({ request, ...rest }: BatchedCall): string => `${addChecksum(rest)}\n${request}`;

function decode(value: unknown): BatchedCall | undefined {
  if (typeof value !== 'string') return undefined;
  const end = value.indexOf('\n');
  const rest = readChecksummed<Omit<BatchedCall, 'request'>>(value.slice(0, end));
  return rest === undefined ? undefined : { ...rest, request: value.slice(end + 1) };
}

const KEYS = '/keys';
/** Keys are listed in parts: a value of many megabytes is a burden to LMDB. */
const KEYS_A_PART = 10_000;
const partOf = (id: Digest, part: number): string => `${id}${KEYS}/${part}`;
