/** What the commands on the cache share: they open the store beside pipeline.yaml, and need nothing of what is in it. */

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ProblemError } from '../../core/problem.ts';
import { withLock } from '../../engine/build/lock.ts';
import type { LocalStore } from '../../store/store.ts';
import { forget } from '../last-build.ts';
import { PipelineCommand } from '../pipeline-command.ts';

export const CATEGORY = 'The cache';

export abstract class CacheCommand extends PipelineCommand {
  /** The cache folder of the project. @throws ProblemError outside a project. */
  get cache(): string {
    const file = resolve(this.file);
    if (!existsSync(file)) {
      throw new ProblemError({
        id: 'CJE-NO-PIPELINE',
        headline: `there is no ${this.file} here, so there is no cache`,
        hint: "run this in the project's folder, or name its pipeline with --file",
      });
    }
    return join(dirname(file), '.cache');
  }

  /** Opens the store to look at it. */
  async reading<T>(work: (store: LocalStore) => T | Promise<T>): Promise<T> {
    return await this.#open(true, work);
  }

  /** Opens the store as its only writer. @throws ProblemError where a build is running (exit 4). */
  async writing<T>(work: (store: LocalStore) => Promise<T>): Promise<T> {
    return await this.#open(false, (store) =>
      withLock(store, this.commandLine, async () => {
        // What the fast path remembers may be about to change.
        forget(this.cache);
        return work(store);
      }),
    );
  }

  async #open<T>(readOnly: boolean, work: (store: LocalStore) => T | Promise<T>): Promise<T> {
    const { openStore } = await import('../../store/store.ts');
    const store = openStore(this.cache, { readOnly });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }
}
