/**
 * Replies that are written in one commit. Each is brought into the bytes that lie in the database as soon as it comes, so
 * that many of them are a few large buffers, not as many texts that the collector has to walk over.
 */

import type { Digest } from '../../core/digest.ts';
import type { CallGroup, StoredCall } from '../../core/storage.ts';
import { type Change, type Database, TupleBuffer } from '../lmdb/open.ts';
import { addCall } from './call-tuple.ts';

const ROOM = 1 << 22;

export class LmdbCallGroup implements CallGroup {
  readonly #database: Database;
  readonly #buffer = new TupleBuffer(ROOM);
  #changes: Change[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  get bytes(): number {
    return this.#buffer.bytes;
  }

  get size(): number {
    return this.#changes.length;
  }

  add(key: Digest, request: string | Uint8Array, reply: Omit<StoredCall, 'request'>): void {
    this.#changes.push(['calls', key, addCall(this.#buffer, request, reply)]);
  }

  async commit(): Promise<void> {
    await this.#database.change(this.#changes);
    this.#changes = [];
    this.#buffer.clear();
  }
}
