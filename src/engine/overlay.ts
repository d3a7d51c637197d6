/** Blobs in memory over blobs on disk: lets a plan evaluate nodes without writing anything. */

import { type Digest, digestBytes } from '../core/digest.ts';
import type { JsonObject } from '../core/json.ts';
import type { BlobStore, OutputRef } from '../core/storage.ts';

export class OverlayBlobs implements BlobStore {
  readonly #below: BlobStore;
  readonly #memory = new Map<Digest, Uint8Array>();

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

  locate(ref: OutputRef): string | undefined {
    return this.#below.locate(ref);
  }

  read(ref: OutputRef): Uint8Array {
    return this.#memory.get(ref.digest) ?? this.#below.read(ref);
  }

  *rows(ref: OutputRef): Iterable<JsonObject> {
    const bytes = this.#memory.get(ref.digest);
    if (bytes === undefined) {
      yield* this.#below.rows(ref);
      return;
    }
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      yield JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()) as JsonObject;
      start = end + 1;
    }
  }

  #keep(bytes: Uint8Array): OutputRef {
    const ref = { digest: digestBytes(bytes), size: bytes.byteLength };
    this.#memory.set(ref.digest, bytes);
    return ref;
  }
}
