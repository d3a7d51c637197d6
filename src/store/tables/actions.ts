/** Records of finished nodes, by node key. */

import type { Digest } from '../../core/digest.ts';
import type { Action, ActionStore } from '../../core/storage.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';
import type { Scanned } from './scanned.ts';

export class LmdbActions implements ActionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The record; undefined where there is none, or where it is not what was written. */
  get(key: Digest): Action | undefined {
    return decode(key, this.#database.get('actions', key));
  }

  async put(action: Action): Promise<void> {
    await this.#database.put('actions', action.key, addChecksum(action));
  }

  *scan(): Generator<Scanned<Action>> {
    for (const { key, value } of this.#database.scan('actions')) {
      yield { key: key as Digest, value: decode(key as Digest, value) };
    }
  }
}

function decode(key: Digest, value: unknown): Action | undefined {
  const action = readChecksummed<Action>(value);
  return action?.key === key ? action : undefined;
}
