/** Writes one blob: under a temporary name first, then flushed and renamed to its digest. */

import { dirname } from 'node:path';
import { type Digest, digestStream } from '../../core/digest.ts';
import type { BlobWriter, OutputRef } from '../../core/storage.ts';
import { type Disk, errorCode, flushFolder } from '../disk/disk.ts';
import { isOutOfRoom } from '../disk/room.ts';
import { writeProblem } from '../disk/write-problem.ts';

const BUFFER = 1 << 20;
/** The most UTF-8 bytes that one UTF-16 unit needs. */
const BYTES_PER_UNIT = 3;

interface BlobPlaces {
  readonly disk: Disk;
  /** For messages. */
  readonly cacheFolder: string;
  readonly temporary: string;
  placeOf(digest: Digest): string;
  /** True when the blob is there and its bytes have its digest. */
  isWhole(ref: OutputRef): boolean;
}

export class BlobFile implements BlobWriter {
  readonly #places: BlobPlaces;
  readonly #digest = digestStream();
  #buffer: Buffer;
  #filled = 0;
  #size = 0;
  /** Undefined before the first bytes are written out. */
  #descriptor: number | undefined;
  #state: 'open' | 'finished' | 'abandoned' = 'open';

  constructor(places: BlobPlaces) {
    this.#places = places;
    this.#buffer = Buffer.allocUnsafe(16 << 10);
  }

  write(chunk: string | Uint8Array): void {
    if (this.#state !== 'open') throw new Error(`Internal error: a blob was written to after it was ${this.#state}`);
    if (typeof chunk === 'string') this.#writeText(chunk);
    else this.#writeBytes(chunk);
  }

  async finish(): Promise<OutputRef> {
    if (this.#state !== 'open') throw new Error(`Internal error: a blob was finished after it was ${this.#state}`);
    this.#state = 'finished';
    const { disk, cacheFolder, temporary } = this.#places;
    try {
      this.#writeOut();
      const descriptor = this.#open();
      await disk.flush(descriptor);
      this.#close();
      const ref: OutputRef = { digest: this.#digest.finish(), size: this.#size };
      await this.#place(ref);
      return ref;
    } catch (error) {
      this.#close();
      removeQuietly(disk, temporary);
      throw writeProblem(cacheFolder, error);
    }
  }

  abandon(): void {
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    if (this.#descriptor === undefined) return;
    this.#close();
    removeQuietly(this.#places.disk, this.#places.temporary);
  }

  /** Renames the file to its digest, unless the same bytes are there already; a damaged blob is replaced. */
  async #place(ref: OutputRef): Promise<void> {
    const { disk, temporary } = this.#places;
    const place = this.#places.placeOf(ref.digest);
    if (this.#places.isWhole(ref)) {
      removeQuietly(disk, temporary);
      return;
    }
    const created = disk.mkdirSync(dirname(place), { recursive: true });
    disk.renameSync(temporary, place);
    await flushFolder(disk, dirname(place));
    if (created !== undefined) await flushFolder(disk, dirname(dirname(place)));
  }

  #writeText(text: string): void {
    if (text.length * BYTES_PER_UNIT <= this.#room(text.length * BYTES_PER_UNIT)) {
      this.#filled += this.#buffer.write(text, this.#filled, 'utf8');
    } else {
      this.#writeBytes(Buffer.from(text, 'utf8'));
    }
  }

  #writeBytes(bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.length) {
      const length = Math.min(bytes.length - start, this.#room(bytes.length - start));
      this.#buffer.set(bytes.subarray(start, start + length), this.#filled);
      this.#filled += length;
      start += length;
    }
  }

  /** Makes room for `wanted` bytes, as far as the buffer may grow. @returns the free bytes, at least 1. */
  #room(wanted: number): number {
    if (this.#buffer.length - this.#filled >= wanted) return this.#buffer.length - this.#filled;
    if (this.#buffer.length < BUFFER) {
      // Most blobs are small, so the buffer starts small.
      const larger = Buffer.allocUnsafe(Math.min(BUFFER, Math.max(4 * this.#buffer.length, this.#filled + wanted)));
      this.#buffer.copy(larger, 0, 0, this.#filled);
      this.#buffer = larger;
      if (larger.length - this.#filled >= wanted) return larger.length - this.#filled;
    }
    try {
      this.#writeOut();
    } catch (error) {
      this.abandon();
      throw writeProblem(this.#places.cacheFolder, error);
    }
    return this.#buffer.length;
  }

  #writeOut(): void {
    const { disk, cacheFolder } = this.#places;
    // The last room on the disk is for what a build writes down as it ends.
    if (isOutOfRoom(disk, cacheFolder)) throw writeProblem(cacheFolder, undefined, 'ENOSPC');
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#digest.update(bytes);
    const descriptor = this.#open();
    let written = 0;
    while (written < bytes.length) {
      written += disk.writeSync(descriptor, bytes, written, bytes.length - written);
    }
    this.#size += this.#filled;
    this.#filled = 0;
  }

  #open(): number {
    if (this.#descriptor === undefined) {
      const { disk, temporary } = this.#places;
      disk.mkdirSync(dirname(temporary), { recursive: true });
      this.#descriptor = disk.openSync(temporary, 'wx');
    }
    return this.#descriptor;
  }

  #close(): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    this.#places.disk.closeSync(descriptor);
  }
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.unlinkSync(path);
  } catch (error) {
    // The next build removes it from `temporary/`.
    if (errorCode(error) === undefined) throw error;
  }
}
