/** Batches that are out, and the calls in them: on disk before anything is sent, and until their results are. */

import type { BatchedCall, BatchStore, Submission } from '../../core/batch.ts';
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
    await Promise.all([
      ...calls.map(([key, call]) => this.#database.put('batched', key, addChecksum(call))),
      this.#database.put('batches', keysOf(submission.id), keys.join('\n')),
    ]);
    await this.put(submission);
  }

  async put(submission: Submission): Promise<void> {
    await this.#database.put('batches', submission.id, addChecksum(submission));
  }

  list(): Submission[] {
    const found: Submission[] = [];
    for (const { key, value } of this.#database.scan('batches')) {
      if (key.endsWith(KEYS)) continue;
      const submission = readChecksummed<Submission>(value);
      if (submission !== undefined) found.push(submission);
    }
    return found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  keys(id: Digest): readonly Digest[] {
    const keys = this.#database.get('batches', keysOf(id));
    return typeof keys === 'string' && keys !== '' ? (keys.split('\n') as Digest[]) : [];
  }

  call(key: Digest): BatchedCall | undefined {
    return readChecksummed<BatchedCall>(this.#database.get('batched', key));
  }

  /** The submission goes first: calls without one are not out, whatever a kill leaves of them. */
  async close(id: Digest): Promise<void> {
    const keys = this.keys(id);
    await this.#database.remove('batches', [id]);
    await this.#database.remove(
      'batched',
      keys.filter((key) => this.call(key)?.submission === id),
    );
    await this.#database.remove('batches', [keysOf(id)]);
  }

  async sweep(): Promise<void> {
    if (this.#database.count('batched') === 0) return;
    const alive = new Set(this.list().map(({ id }) => id));
    const dead: string[] = [];
    for (const { key, value } of this.#database.scan('batched')) {
      const call = readChecksummed<BatchedCall>(value);
      if (call === undefined || !alive.has(call.submission)) dead.push(key);
    }
    await this.#database.remove('batched', dead);
  }
}

const KEYS = '/keys';
const keysOf = (id: Digest): string => `${id}${KEYS}`;
