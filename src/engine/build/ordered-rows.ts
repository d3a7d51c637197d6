/** Writes a node's rows in the order of its items, whatever order they are made in. */

import type { KeyedCall } from '../../core/call.ts';
import { canonicalJson, type JsonObject } from '../../core/json.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { BlobStore, BlobWriter, Known, OutputRef } from '../../core/storage.ts';
import type { Summary } from '../../core/summary.ts';
import { type PricedUsage, Tally } from '../tally.ts';

/** A call behind a row, and what it was answered; `raw` is the reply's body, parsed. */
export interface AnsweredCall {
  readonly call: KeyedCall;
  readonly known: Known;
  readonly raw: unknown;
}

interface MadeRow {
  readonly row: JsonObject;
  readonly calls: readonly AnsweredCall[];
}

export interface WrittenRows {
  readonly rows: OutputRef;
  readonly summary: Summary;
  readonly calls: number;
  /** What came in batches of them. */
  readonly batched: readonly PricedUsage[];
  /** The keys of what was asked, one a line. */
  readonly keys: OutputRef;
}

/** Rows that may wait for one before them. One that is dropped can be made again from the store. */
const MOST_AHEAD = 256;

export class OrderedRows {
  readonly #blobs: BlobStore;
  readonly #tally: Tally;
  readonly #writer: BlobWriter;
  readonly #ahead = new Map<number, MadeRow>();
  #next = 0;

  constructor(blobs: BlobStore, protocols: Protocols) {
    this.#blobs = blobs;
    this.#tally = new Tally(protocols);
    this.#writer = blobs.writer();
  }

  /** The index of the first item whose row is not written. */
  get next(): number {
    return this.#next;
  }

  /** How the rows that are written ended. */
  get statuses(): Readonly<Record<string, number>> {
    return this.#tally.summary().statuses;
  }

  /** Takes an item's row, writes what is in order by now, and drops it where too many wait. */
  put(index: number, made: MadeRow): void {
    if (index !== this.#next) {
      if (this.#ahead.size < MOST_AHEAD) this.#ahead.set(index, made);
      return;
    }
    for (let each: MadeRow | undefined = made; each !== undefined; each = this.#ahead.get(this.#next)) {
      this.#ahead.delete(this.#next);
      for (const { call, known, raw } of each.calls) this.#tally.call(call, known, raw);
      this.#tally.row(each.row);
      this.#writer.write(`${canonicalJson(each.row)}\n`);
      this.#next++;
    }
  }

  /** To be called when each item has its row. */
  async finish(): Promise<WrittenRows> {
    const rows = await this.#writer.finish();
    const { calls, batched } = this.#tally;
    return { rows, summary: this.#tally.summary(), calls, batched, keys: await this.#writeKeys() };
  }

  async #writeKeys(): Promise<OutputRef> {
    const writer = this.#blobs.writer();
    try {
      for (const key of this.#tally.keys()) writer.write(`${key}\n`);
      return await writer.finish();
    } catch (error) {
      writer.abandon();
      throw error;
    }
  }

  /** Forgets what was written, unless it is finished. */
  abandon(): void {
    this.#writer.abandon();
  }
}
