/** Tries that were begun and whose outcome is not in any book yet. */

import type { Intent, IntentStore, OpenIntent } from '../../core/storage.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

export class LmdbIntents implements IntentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async open({ id, intent }: OpenIntent): Promise<void> {
    await this.#database.put('intents', id, addChecksum(intent));
  }

  close(ids: Iterable<string>): Promise<void> {
    return this.#database.remove('intents', ids);
  }

  async mark(intents: Iterable<OpenIntent>): Promise<void> {
    const marked: Promise<void>[] = [];
    for (const { id, intent } of intents) {
      marked.push(this.#database.put('intents', id, addChecksum({ ...intent, unknown: true } satisfies Intent)));
    }
    await Promise.all(marked);
  }

  *list(): Generator<OpenIntent> {
    for (const { key, value } of this.#database.scan('intents')) {
      const intent = readChecksummed<Intent>(value);
      if (intent !== undefined) yield { id: key, intent };
    }
  }
}
