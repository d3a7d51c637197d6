/**
 * Hands single outputs from machine to machine through a shared cache: each hand-over is a segment with its signed index,
 * as those of a push are, and the index's name is all that has to be told. It lies apart, so that nobody else pulls it, and
 * goes with age.
 */

import { rmSync } from 'node:fs';
import type { Action, OutputRef } from '../core/storage.ts';
import { blobsOf } from '../core/storage.ts';
import { PackMerge } from '../store/pack/merge.ts';
import type { LocalStore } from '../store/store.ts';
import { fetchSegment, lookAround } from './pull.ts';
import { newPiece, type Piece, putSegment, writerOf } from './push.ts';
import type { Remote } from './remote.ts';
import { actionEntry, blobEntry, EntrySet, indexName, isIndexName, LONGEST_INDEX, readIndex } from './segment-index.ts';

export type HandOver =
  | { readonly type: 'taken'; readonly records: readonly Action[] }
  | { readonly type: 'refused'; readonly reason: string };

/** Only for the holder of the build lock. Every method throws a ProblemError where the place cannot be reached. */
export class Exchange {
  readonly #store: LocalStore;
  readonly #remote: Remote;
  /** Names of indexes that are there and believed, and their outputs; read once, and added to. */
  #there: { readonly name: string; readonly blobs: EntrySet }[] | undefined;
  /** One hand-over at a time: many jobs have the same inputs. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: LocalStore, remote: Remote) {
    this.#store = store;
    this.#remote = remote;
  }

  /**
   * The names of indexes behind which these outputs are; what is not there is given.
   *
   * @throws ProblemError too where this machine may not write
   */
  giveOutputs(refs: readonly OutputRef[]): Promise<string[]> {
    return this.#inTurn(async () => {
      this.#there ??= (await lookAround(this.#remote)).segments.map(({ segment, writer, blobs }) => ({
        name: indexName(segment, writer),
        blobs,
      }));
      const names = new Set<string>();
      const piece = newPiece();
      for (const ref of refs) {
        const there = this.#there.find(({ blobs }) => blobs.has(blobEntry(ref.digest)));
        if (there === undefined) addBlob(piece, ref);
        else names.add(there.name);
      }
      if (piece.blobs.size > 0) {
        const name = await this.#give(piece);
        this.#there.push({ name, blobs: EntrySet.of(piece.entries.blobs) });
        names.add(name);
      }
      return [...names];
    });
  }

  /** Gives a record of finished work together with its outputs. Returns the name of its index. */
  giveRecord(record: Action): Promise<string> {
    return this.#inTurn(() => {
      const piece = newPiece();
      for (const ref of blobsOf(record)) addBlob(piece, ref);
      piece.actions.push(record);
      piece.entries.actions.push(actionEntry(record));
      return this.#give(piece);
    });
  }

  /** Brings what is behind these indexes into the store, records excepted: those are handed back, for whoever asked. */
  take(names: readonly string[]): Promise<HandOver> {
    return this.#inTurn(async () => {
      const records: Action[] = [];
      for (const name of names) {
        const taken = await this.#takeSegment(name);
        if (taken.type === 'refused') return taken;
        records.push(...taken.records);
      }
      return { type: 'taken', records };
    });
  }

  async #takeSegment(name: string): Promise<HandOver> {
    const { objects, known, trusted } = this.#remote;
    const refused = (reason: string): HandOver => ({ type: 'refused', reason: `${name}: ${reason}` });
    if (!isIndexName(name)) return { type: 'refused', reason: 'no index has such a name' };
    const bytes = await objects.get(name, LONGEST_INDEX);
    if (bytes === undefined) return refused('it is not there');
    if ('unreadable' in bytes) return refused(bytes.unreadable);
    const read = readIndex(name, bytes, (key) => trusted.has(key));
    if (!read.ok) return refused(read.reason);
    const { index } = read;
    const path = known.partial(index.segment);
    try {
      const fetched = await fetchSegment(this.#remote, index, path);
      if (fetched.type === 'gone') return refused('its segment is not there');
      if (fetched.type === 'refused') return refused(`its segment: ${fetched.reason}`);
      const merge = new PackMerge(this.#store);
      await merge.add(path, fetched.inspection);
      return { type: 'taken', records: merge.records };
    } finally {
      rmSync(path, { force: true });
    }
  }

  async #give(piece: Piece): Promise<string> {
    const { index } = await putSegment(this.#store, this.#remote, writerOf(this.#remote), piece, 'work');
    return indexName(index.segment, index.writer, 'work');
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

function addBlob(piece: Piece, ref: OutputRef): void {
  if (piece.blobs.has(ref.digest)) return;
  piece.blobs.set(ref.digest, ref);
  piece.entries.blobs.push(blobEntry(ref.digest));
}
