/**
 * Tries that were begun and whose outcome is not in any book yet.
 *
 * Those that are begun at about the same time share one record, a page: a page is written once and removed once, where
 * each intent by itself would cost two writes. One whose outcome is unknown has a record of its own, since it stays.
 */

import type { CloseOptions, Intent, IntentStore, OpenIntent } from '../../core/storage.ts';
import type { Database } from '../lmdb/open.ts';
import { addChecksum, readChecksummed } from './checksummed.ts';

interface Page {
  readonly key: string;
  /** By id. What was answered may still be in the record: its answer tells that it is over. */
  readonly open: Map<string, Intent>;
  /** The last write of the page that was asked for. */
  written: Promise<void>;
}

export class LmdbIntents implements IntentStore {
  readonly #database: Database;
  /** The page that takes more, since its record is not written yet. */
  #next: Page | undefined;
  /** The pages of the intents that are open, by their ids. */
  readonly #pages = new Map<string, Page>();

  constructor(database: Database) {
    this.#database = database;
  }

  open({ id, intent }: OpenIntent): Promise<void> {
    this.#next ??= this.#begin(`page/${id}`);
    const { open, written } = this.#next;
    open.set(id, intent);
    this.#pages.set(id, this.#next);
    return written;
  }

  async close(ids: Iterable<string>, { answered = false }: CloseOptions = {}): Promise<void> {
    const alone: string[] = [];
    const changed = new Set<Page>();
    for (const id of ids) {
      const page = this.#leave(id);
      if (page === undefined) alone.push(id);
      else if (!answered || page.open.size === 0) changed.add(page);
    }
    const writes = Array.from(changed, (page) => this.#rewrite(page));
    if (alone.length > 0) writes.push(this.#database.remove('intents', alone));
    if (writes.length > 0) await Promise.all(writes);
  }

  async mark(intents: Iterable<OpenIntent>): Promise<void> {
    const marked: Promise<void>[] = [];
    const changed = new Set<Page>();
    for (const { id, intent } of intents) {
      marked.push(this.#database.put('intents', id, addChecksum({ ...intent, unknown: true } satisfies Intent)));
      const page = this.#leave(id);
      if (page !== undefined) changed.add(page);
    }
    await Promise.all(marked);
    await Promise.all(Array.from(changed, (page) => this.#rewrite(page)));
  }

  *list(): Generator<OpenIntent> {
    const alone = new Set<string>();
    const paged = new Map<string, Intent>();
    for (const { key, value } of this.#database.scan('intents')) {
      const found = readChecksummed<Intent | readonly OpenIntent[]>(value);
      if (found === undefined) continue;
      if (isPage(found)) {
        this.#know(key, found);
        for (const { id, intent } of found) paged.set(id, intent);
      } else {
        alone.add(key);
        yield { id: key, intent: found };
      }
    }
    // A record of its own is the younger one: the page is written anew after it.
    for (const [id, intent] of paged) if (!alone.has(id)) yield { id, intent };
  }

  #begin(key: string): Page {
    const page: Page = { key, open: new Map(), written: Promise.resolve() };
    page.written = this.#database.put('intents', key, () => {
      if (this.#next === page) this.#next = undefined;
      return textOf(page);
    });
    return page;
  }

  /** The page that the intent was on; undefined for one that has a record of its own. */
  #leave(id: string): Page | undefined {
    const page = this.#pages.get(id);
    this.#pages.delete(id);
    page?.open.delete(id);
    return page;
  }

  /** A page that another build left behind: what is closed of it is to go from its record. */
  #know(key: string, intents: readonly OpenIntent[]): void {
    if (intents.some(({ id }) => this.#pages.has(id))) return;
    const page: Page = { key, open: new Map(), written: Promise.resolve() };
    for (const { id, intent } of intents) {
      page.open.set(id, intent);
      this.#pages.set(id, page);
    }
  }

  /** One write after the other, each with what is open when its turn comes. */
  #rewrite(page: Page): Promise<void> {
    page.written = page.written.then(() =>
      page.open.size === 0
        ? this.#database.remove('intents', [page.key])
        : this.#database.put('intents', page.key, () => textOf(page)),
    );
    return page.written;
  }
}

const isPage = (found: Intent | readonly OpenIntent[]): found is readonly OpenIntent[] => Array.isArray(found);

const textOf = ({ open }: Page): string =>
  addChecksum(Array.from(open, ([id, intent]): OpenIntent => ({ id, intent })));
