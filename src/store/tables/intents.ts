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
  /** By id. */
  readonly open: Map<string, Intent>;
  /** Those of them that were answered: they are in the record until it is written anew, and their answers tell of them. */
  readonly answered: Set<string>;
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
      const page = answered ? this.#pages.get(id) : this.#leave(id);
      if (answered) page?.answered.add(id);
      if (page === undefined) alone.push(id);
      else if (!answered || isOver(page)) changed.add(page);
    }
    // One whose answer could not be kept must stay: only what no answer tells of is closed on a disk that is full.
    const last = !answered;
    const writes = Array.from(changed, (page) => this.#rewrite(page, last));
    if (alone.length > 0) writes.push(this.#database.remove('intents', alone, { last }));
    if (writes.length > 0) await Promise.all(writes);
  }

  async mark(intents: Iterable<OpenIntent>): Promise<void> {
    const all = [...intents];
    const marks = all.map(({ id, intent }) => {
      const text = addChecksum({ ...intent, unknown: true } satisfies Intent);
      return this.#database.put('intents', id, text, { last: true });
    });
    await Promise.all(marks);
    const changed = new Set<Page>();
    for (const { id } of all) {
      const page = this.#leave(id);
      if (page !== undefined) changed.add(page);
    }
    await Promise.all(Array.from(changed, (page) => this.#rewrite(page, true)));
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
    const page = emptyPage(key);
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
    page?.answered.delete(id);
    return page;
  }

  /** A page that another build left behind: what is closed of it is to go from its record. */
  #know(key: string, intents: readonly OpenIntent[]): void {
    if (intents.some(({ id }) => this.#pages.has(id))) return;
    const page = emptyPage(key);
    for (const { id, intent } of intents) {
      page.open.set(id, intent);
      this.#pages.set(id, page);
    }
  }

  /** One write after the other, each with what is open when its turn comes. */
  #rewrite(page: Page, last: boolean): Promise<void> {
    const write = async () => {
      const gone = [...page.answered];
      await (isOver(page)
        ? this.#database.remove('intents', [page.key], { last })
        : this.#database.put('intents', page.key, () => textOf(page), { last }));
      for (const id of gone) if (page.answered.has(id)) this.#leave(id);
    };
    // One that found no room may be the first of several.
    page.written = page.written.then(write, write);
    return page.written;
  }
}

const isPage = (found: Intent | readonly OpenIntent[]): found is readonly OpenIntent[] => Array.isArray(found);

const emptyPage = (key: string): Page => ({ key, open: new Map(), answered: new Set(), written: Promise.resolve() });

/** Whether nothing on the page is open any more. */
const isOver = ({ open, answered }: Page): boolean => open.size === answered.size;

function textOf({ open, answered }: Page): string {
  const left: OpenIntent[] = [];
  for (const [id, intent] of open) if (!answered.has(id)) left.push({ id, intent });
  return addChecksum(left);
}
