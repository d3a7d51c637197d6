/** Fetches what a look-up misses, where an index says that it is there: a segment at a time, and each once. */

import type { Digest } from '../core/digest.ts';
import type { LocalStore } from '../store/store.ts';
import { mergeSegments, newestFirst } from './pull.ts';
import type { Remote } from './remote.ts';
import { EntrySet, type SegmentIndex } from './segment-index.ts';

/** Only for the holder of the build lock. */
export class SharedAnswers {
  readonly #store: LocalStore;
  readonly #remote: Remote;
  readonly #indexes: readonly SegmentIndex[];
  /** All that the indexes say is there. */
  readonly #there: EntrySet;
  readonly #tried = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: LocalStore, remote: Remote) {
    const { known, trusted } = remote;
    this.#store = store;
    this.#remote = remote;
    this.#indexes = newestFirst([...known.indexes().values()].filter(({ writer }) => trusted.has(writer)));
    this.#there = EntrySet.union(this.#indexes.map(({ answers }) => answers));
  }

  /** True where something was merged that may hold the answer; undefined where it is known not to be there. */
  bring(call: Digest): Promise<boolean> | undefined {
    if (!this.#there.hasKey(call)) return undefined;
    // One at a time: many calls miss at once, and one segment has the answers to most of them.
    const step = this.#last.then(() => this.#fetch(call));
    this.#last = step.catch(() => {});
    return step;
  }

  async #fetch(call: Digest): Promise<boolean> {
    const { note } = this.#remote;
    const wanted = this.#indexes.filter(({ segment, answers }) => !this.#tried.has(segment) && answers.hasKey(call));
    for (const { segment } of wanted) this.#tried.add(segment);
    // What was tried may have been merged a moment ago, for another call.
    if (wanted.length === 0) return true;
    const { segments, refused } = await mergeSegments(this.#store, this.#remote, wanted, []);
    for (const { name, reason } of refused) note(`shared cache: ${name} was refused: ${reason}`);
    return segments > 0;
  }
}
