/** The log of builds. Ids sort by time, so the table's order is the log's. */

import type { BuildLog, BuildRecord } from '../../core/storage.ts';
import type { Environment } from '../lmdb/environment.ts';
import { seal, unseal } from './checksummed.ts';

export class LmdbBuilds implements BuildLog {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  async put(record: BuildRecord): Promise<void> {
    await this.#environment.put('builds', record.id, seal(record));
  }

  get(id: string): BuildRecord | undefined {
    // LMDB takes no empty key, and none longer than its limit; ids are typed by hand.
    if (id === '' || id.length > 200) return undefined;
    return unseal(this.#environment.look('builds', (table) => table.get(id)));
  }

  /** Every record in the order of ids; undefined where one is not as it was written. */
  *scan(): Generator<{ readonly key: string; readonly value: BuildRecord | undefined }> {
    for (const { key, value } of this.#environment.entries('builds')) {
      const record = unseal<BuildRecord>(value);
      yield { key, value: record?.id === key ? record : undefined };
    }
  }

  /** Newest first; records that are not as they were written are left out. */
  *list(limit: number = Number.POSITIVE_INFINITY): Generator<BuildRecord> {
    let listed = 0;
    for (const { value } of this.#environment.entries('builds', { reverse: true })) {
      if (listed >= limit) return;
      const record = unseal<BuildRecord>(value);
      if (record === undefined) continue;
      listed++;
      yield record;
    }
  }
}
