/** Outputs by the digest of their bytes: `blobs/ab/abcd…`. A blob gets its name only when all its bytes are on the disk. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, digestStream, isDigest } from '../../core/digest.ts';
import type { JsonObject } from '../../core/json.ts';
import { type BlobStore, type BlobWriter, DamageError, type OutputRef } from '../../core/storage.ts';
import { type Disk, errorCode, isMissing } from '../disk/disk.ts';
import { writeProblem } from '../disk/write-problem.ts';
import { BlobFile } from './blob-writer.ts';
import { readLines } from './lines.ts';
import { quarantineFile } from './quarantine.ts';

const CHUNK = 1 << 20;

export class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #readOnly: boolean;
  readonly #disk: Disk;

  /** @param folder the cache folder; blobs lie in its `blobs/`, unfinished ones in its `temporary/`. */
  constructor(folder: string, options: { readonly readOnly: boolean; readonly disk: Disk }) {
    this.#folder = folder;
    this.#readOnly = options.readOnly;
    this.#disk = options.disk;
  }

  writer(): BlobWriter {
    if (this.#readOnly) throw new Error('Internal error: a read-only store was written to');
    const temporary = join(this.#temporaryFolder, `${process.pid}-${randomBytes(6).toString('hex')}`);
    return new BlobFile({
      disk: this.#disk,
      cacheFolder: this.#folder,
      temporary,
      placeOf: (digest) => this.#placeOf(digest),
      isWhole: (ref) => this.#isWhole(ref),
    });
  }

  async put(content: string | Uint8Array): Promise<OutputRef> {
    const writer = this.writer();
    writer.write(content);
    return writer.finish();
  }

  locate(ref: OutputRef): string | undefined {
    if (!isDigest(ref.digest)) return undefined;
    const path = this.#placeOf(ref.digest);
    const stat = this.#disk.statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() && stat.size === ref.size ? path : undefined;
  }

  read(ref: OutputRef): Uint8Array {
    const bytes = Buffer.allocUnsafe(ref.size);
    let filled = 0;
    for (const chunk of this.chunks(ref)) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes;
  }

  *rows(ref: OutputRef): Generator<JsonObject> {
    // One row behind, so that the last row is handed out only after the digest was checked.
    let held: JsonObject | undefined;
    for (const line of readLines(this.chunks(ref))) {
      if (held !== undefined) yield held;
      held = this.#parse(ref, line);
    }
    if (held !== undefined) yield held;
  }

  /** Every blob in the order of names, with its size on the disk. Files with other names are left out. */
  *scan(): Generator<OutputRef> {
    for (const fan of this.#list(join(this.#folder, 'blobs'))) {
      if (!/^[0-9a-f]{2}$/.test(fan)) continue;
      for (const name of this.#list(join(this.#folder, 'blobs', fan))) {
        if (!isDigest(name) || !name.startsWith(fan)) continue;
        const stat = this.#disk.statSync(this.#placeOf(name), { throwIfNoEntry: false });
        if (stat?.isFile()) yield { digest: name, size: stat.size };
      }
    }
  }

  /** Moves a blob whose bytes do not have the digest that is its name to the quarantine. */
  setAside(ref: OutputRef): void {
    if (!isDigest(ref.digest)) return;
    const path = this.#placeOf(ref.digest);
    if (!this.#disk.existsSync(path) || this.#isWhole(ref)) return;
    quarantineFile(this.#disk, this.#folder, path, `blob-${ref.digest}`);
  }

  /** Only for the holder of the build lock. */
  remove(digest: Digest): void {
    try {
      this.#disk.unlinkSync(this.#placeOf(digest));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw writeProblem(this.#folder, error);
    }
  }

  /** Removes the unfinished files of writers that died. Only for the holder of the build lock. */
  removeTorn(): void {
    const own = `${process.pid}-`;
    for (const name of this.#list(this.#temporaryFolder)) {
      if (name.startsWith(own)) continue;
      try {
        this.#disk.unlinkSync(join(this.#temporaryFolder, name));
      } catch {
        // The next build tries again: such a file costs space, but never gives a wrong answer.
      }
    }
  }

  get #temporaryFolder(): string {
    return join(this.#folder, 'temporary');
  }

  #placeOf(digest: Digest): string {
    return join(this.#folder, 'blobs', digest.slice(0, 2), digest);
  }

  #list(folder: string): string[] {
    try {
      return this.#disk.readdirSync(folder).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #isWhole(ref: OutputRef): boolean {
    try {
      for (const _ of this.chunks(ref));
      return true;
    } catch (error) {
      if (error instanceof DamageError) return false;
      throw error;
    }
  }

  /**
   * The blob in pieces of at most 1 MB, each valid until the next is taken. The size is checked before the first piece, the
   * digest after the last.
   */
  *chunks(ref: OutputRef): Generator<Buffer> {
    const descriptor = this.#open(ref);
    try {
      const size = this.#disk.fstatSync(descriptor).size;
      if (size !== ref.size) throw damage(ref, `it has ${size} bytes instead of ${ref.size}`);
      const digest = digestStream();
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
      let total = 0;
      for (;;) {
        const length = this.#disk.readSync(descriptor, buffer, 0, buffer.length, null);
        if (length === 0) break;
        total += length;
        // The file grew during the read; the caller has no room for more bytes than its size.
        if (total > ref.size) throw damage(ref, 'it grew while it was read');
        const chunk = buffer.subarray(0, length);
        digest.update(chunk);
        yield chunk;
      }
      const found = digest.finish();
      if (found !== ref.digest) throw damage(ref, `its bytes have the digest ${found}`);
    } finally {
      this.#disk.closeSync(descriptor);
    }
  }

  #open(ref: OutputRef): number {
    if (!isDigest(ref.digest)) throw damage(ref, 'that is not a digest');
    try {
      return this.#disk.openSync(this.#placeOf(ref.digest), 'r');
    } catch (error) {
      if (isMissing(error)) throw damage(ref, 'it is missing');
      throw error;
    }
  }

  #parse(ref: OutputRef, line: string): JsonObject {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw damage(ref, 'one of its lines is not JSON');
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw damage(ref, 'one of its lines is not a JSON object');
    }
    return row as JsonObject;
  }
}

function damage(ref: OutputRef, reason: string): DamageError {
  return new DamageError(`blob ${ref.digest}`, `blob ${ref.digest} is damaged: ${reason}`, ref);
}
