/** Blobs in memory over blobs on disk: lets a plan evaluate nodes without writing anything. */

import { type Digest, digestBytes, digestStream, digestText } from '../../core/digest.ts';
import type { JsonObject } from '../../core/json.ts';
import type { BlobStore, OutputRef } from '../../core/storage.ts';

interface DerivedBlob {
  readonly bytes: Uint8Array;
  /** How many outputs depend on these bytes. */
  users: number;
}

export class OverlayBlobs implements BlobStore {
  readonly #below: BlobStore;
  readonly #memory = new Map<Digest, DerivedBlob>();
  readonly #derived = new Map<Digest, () => Iterable<JsonObject>>();

  constructor(below: BlobStore) {
    this.#below = below;
  }

  writer() {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk: string | Uint8Array) => {
        chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk.slice());
      },
      finish: async () => this.#keep(Buffer.concat(chunks)),
      abandon: () => {
        chunks.length = 0;
      },
    };
  }

  async put(content: string | Uint8Array): Promise<OutputRef> {
    return this.#keep(typeof content === 'string' ? Buffer.from(content) : content);
  }

  /** Rows that are made again each time they are read, so that none is held; `ref` is what writing them would give. */
  derive(ref: OutputRef, rows: () => Iterable<JsonObject>): void {
    // The same bytes may be there already, under the very rows that these are made from.
    const kept = this.#memory.get(ref.digest);
    if (kept !== undefined) kept.users++;
    else if (!this.#derived.has(ref.digest) && this.#below.locate(ref) === undefined)
      this.#derived.set(ref.digest, rows);
  }

  /** Frees an output after its last reader. */
  release(outputs: Readonly<Record<string, OutputRef>>): void {
    for (const { digest } of Object.values(outputs)) {
      const kept = this.#memory.get(digest);
      if (kept !== undefined && --kept.users === 0) this.#memory.delete(digest);
    }
  }

  locate(ref: OutputRef): string | undefined {
    return this.#below.locate(ref);
  }

  read(ref: OutputRef): Uint8Array {
    return this.#memory.get(ref.digest)?.bytes ?? this.#below.read(ref);
  }

  rows(ref: OutputRef): Iterable<JsonObject> {
    const derived = this.#derived.get(ref.digest);
    if (derived !== undefined) return derived();
    const kept = this.#memory.get(ref.digest);
    return kept === undefined ? this.#below.rows(ref) : parseRows(kept.bytes);
  }

  *chunks(ref: OutputRef): Iterable<Uint8Array> {
    const bytes = this.#memory.get(ref.digest)?.bytes;
    if (bytes === undefined) yield* this.#below.chunks(ref);
    else yield bytes;
  }

  setAside(ref: OutputRef): void {
    this.#below.setAside(ref);
  }

  #keep(bytes: Uint8Array): OutputRef {
    const ref = { digest: digestBytes(bytes), size: bytes.byteLength };
    const kept = this.#memory.get(ref.digest);
    if (kept === undefined) this.#memory.set(ref.digest, { bytes, users: 1 });
    else kept.users++;
    return ref;
  }
}

function* parseRows(bytes: Uint8Array): Generator<JsonObject> {
  let start = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    yield JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()) as JsonObject;
    start = end + 1;
  }
}

/** The name and size that a text would have as a blob, taken as it passes. */
export class BlobMeter {
  readonly #stream = digestStream();
  #pending = '';
  #size = 0;

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= CHUNK) this.#flush();
  }

  finish(): OutputRef {
    this.#flush();
    return { digest: this.#stream.finish(), size: this.#size };
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending);
    this.#pending = '';
    this.#size += bytes.byteLength;
    this.#stream.update(bytes);
  }
}

const CHUNK = 1 << 16;

/** Stands for rows of which only some are known: a name that no blob has. */
export const partialRef = (node: string): OutputRef => ({ digest: digestText(`some rows of ${node}`), size: -1 });
