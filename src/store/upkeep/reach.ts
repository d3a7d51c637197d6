/** What a build depends on: its records of finished nodes, their blobs, and the calls behind them. */

import type { Digest } from '../../core/digest.ts';
import { isJsonObject } from '../../core/json.ts';
import { type Action, type BuildRecord, blobsOf, DamageError, type OutputRef } from '../../core/storage.ts';
import type { LocalStore } from '../store.ts';
import { callKeys } from '../tables/call-keys.ts';

export class Reach {
  readonly actions = new Map<Digest, Action>();
  readonly blobs = new Map<Digest, OutputRef>();
  readonly calls = new Set<Digest>();
  /** Digests of source files, as the keys of nodes hold them: the sha256 of fetched ones among them. */
  readonly sources = new Set<string>();
  /** Keys of nodes whose list of calls cannot be read: any reply may belong to them. */
  readonly unlisted = new Set<Digest>();
  readonly #store: LocalStore;

  constructor(store: LocalStore) {
    this.#store = store;
  }

  /** Everything that the build made, as far as it is still there. */
  build(record: BuildRecord): void {
    for (const { key, outputs } of Object.values(record.nodes)) {
      for (const ref of Object.values(outputs)) this.blobs.set(ref.digest, ref);
      const action = key === null ? undefined : this.#store.actions.get(key);
      if (action !== undefined) this.action(action);
    }
  }

  action(action: Action): void {
    if (this.actions.has(action.key)) return;
    this.actions.set(action.key, action);
    for (const ref of blobsOf(action)) this.blobs.set(ref.digest, ref);
    const sources = isJsonObject(action.parts) ? action.parts.sources : undefined;
    if (isJsonObject(sources)) for (const digest of Object.values(sources)) this.sources.add(String(digest));
    if (action.calls === undefined) {
      if (action.summary.calls.length > 0) this.unlisted.add(action.key);
      return;
    }
    try {
      for (const key of callKeys(this.#store.blobs, action.calls)) this.calls.add(key);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      this.unlisted.add(action.key);
    }
  }
}
