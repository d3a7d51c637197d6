/** The log of builds. Ids sort by time, so the table's order is the log's. */

import type { BuildLog, BuildRecord } from '../../core/storage.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';
import type { Scanned } from './scanned.ts';

export class LmdbBuilds implements BuildLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async put(record: BuildRecord): Promise<void> {
    await this.#database.put('builds', record.id, addChecksum(record), { last: true });
  }

  get(id: string): BuildRecord | undefined {
    // People type ids, and LMDB takes no empty key and none longer than its limit.
    if (id === '' || id.length > 200) return undefined;
    return readChecksummed(this.#database.get('builds', id));
  }

  /** Every record in the order of ids. */
  *scan(): Generator<Scanned<BuildRecord, string>> {
    for (const { key, value } of this.#database.scan('builds')) {
      const record = readChecksummed<BuildRecord>(value);
      yield { key, value: record?.id === key ? record : undefined };
    }
  }

  /** Newest first, without the records that are not what was written. */
  *list(limit: number = Number.POSITIVE_INFINITY): Generator<BuildRecord> {
    let listed = 0;
    for (const { value } of this.#database.scan('builds', { reverse: true })) {
      if (listed >= limit) return;
      const record = readChecksummed<BuildRecord>(value);
      if (record === undefined) continue;
      listed++;
      yield record;
    }
  }
}
