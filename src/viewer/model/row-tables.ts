/** The tables that were read lately, and what was searched for in them. */

import type { Kind } from '../../core/kind.ts';
import type { BlobStore, OutputRef } from '../../core/storage.ts';
import { Recent } from './recent.ts';
import { RowTable } from './row-table.ts';

/** Numbers in memory over all tables, about 10 bytes each: some 25 nodes of 100,000 rows. */
const NUMBERS = 24_000_000;
/** Row numbers in memory over all searches. */
const FOUND = 2_000_000;

export class RowTables {
  readonly #blobs: BlobStore;
  readonly #tables = new Recent<RowTable>(NUMBERS, ({ weight }) => weight);
  readonly #searches = new Recent<readonly number[]>(FOUND, ({ length }) => length + 1);

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** @param kind whose rows they are: it says what they are called. */
  get(ref: OutputRef, kind: Kind | undefined): RowTable {
    return this.#tables.get(`${ref.digest} ${kind?.name}`, () => new RowTable(ref, this.#blobs, kind));
  }

  search(table: RowTable, text: string): readonly number[] {
    const wanted = text.toLowerCase();
    return this.#searches.get(`${table.ref.digest} ${wanted}`, () => table.search(wanted));
  }
}
