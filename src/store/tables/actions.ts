/** Records of finished nodes, by node key. */

import type { Digest } from '../../core/digest.ts';
import type { Action, ActionStore } from '../../core/storage.ts';
import type { Environment } from '../lmdb/environment.ts';
import type { Scanned } from './calls.ts';
import { seal, unseal } from './checksummed.ts';

export class LmdbActions implements ActionStore {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The record, or undefined where there is none or where it is not as it was written. */
  get(key: Digest): Action | undefined {
    return decode(
      key,
      this.#environment.look('actions', (table) => table.get(key)),
    );
  }

  async put(action: Action): Promise<void> {
    await this.#environment.put('actions', action.key, seal(action));
  }

  *scan(): Generator<Scanned<Action>> {
    for (const { key, value } of this.#environment.entries('actions')) {
      yield { key: key as Digest, value: decode(key as Digest, value) };
    }
  }
}

function decode(key: Digest, value: unknown): Action | undefined {
  const action = unseal<Action>(value);
  return action?.key === key ? action : undefined;
}
