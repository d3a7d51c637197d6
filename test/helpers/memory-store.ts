/** A store in memory with the semantics of the real one, so that engine tests are about the engine. */

import type { BatchedCall, Submission } from '../../src/core/batch.ts';
import { type Digest, digestBytes, digestText } from '../../src/core/digest.ts';
import type { JsonObject } from '../../src/core/json.ts';
import {
  type Action,
  type BlobStore,
  type BuildRecord,
  DamageError,
  type Intent,
  type LockHolder,
  type OutputRef,
  type Store,
  type StoredCall,
  type StoredFailure,
  type Superseded,
} from '../../src/core/storage.ts';

export interface MemoryStore extends Store {
  readonly contents: {
    readonly calls: Map<Digest, StoredCall>;
    readonly failures: Map<Digest, StoredFailure>;
    readonly superseded: Map<Digest, Superseded[]>;
    readonly intents: Map<string, Intent>;
    readonly batches: Map<Digest, { submission: Submission; readonly keys: readonly Digest[] }>;
    readonly batched: Map<Digest, BatchedCall>;
    readonly actions: Map<Digest, Action>;
    readonly blobs: Map<Digest, Uint8Array>;
    readonly builds: BuildRecord[];
  };
  holder: LockHolder | undefined;
}

class MemoryBlobs implements BlobStore {
  readonly blobs: Map<Digest, Uint8Array>;

  constructor(blobs: Map<Digest, Uint8Array>) {
    this.blobs = blobs;
  }

  writer() {
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk: string | Uint8Array) => {
        chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      },
      finish: async () => this.#keep(Buffer.concat(chunks)),
      abandon: () => {},
    };
  }

  async put(content: string | Uint8Array): Promise<OutputRef> {
    return this.#keep(typeof content === 'string' ? Buffer.from(content) : content);
  }

  locate(ref: OutputRef): string | undefined {
    return this.blobs.get(ref.digest)?.byteLength === ref.size ? ref.digest : undefined;
  }

  read(ref: OutputRef): Uint8Array {
    const bytes = this.blobs.get(ref.digest);
    if (bytes === undefined || digestBytes(bytes) !== ref.digest) {
      throw new DamageError(`blob ${ref.digest}`, `blob ${ref.digest} is damaged`, ref);
    }
    return bytes;
  }

  /** As on the disk: the digest is known when all is read, so that the last row alone waits for it. */
  *rows(ref: OutputRef): Iterable<JsonObject> {
    const bytes = this.blobs.get(ref.digest) ?? this.read(ref);
    const lines = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
    for (const [index, line] of lines.entries()) {
      if (index === lines.length - 1) this.read(ref);
      yield JSON.parse(line) as JsonObject;
    }
  }

  *chunks(ref: OutputRef): Iterable<Uint8Array> {
    yield this.read(ref);
  }

  setAside(ref: OutputRef): void {
    const bytes = this.blobs.get(ref.digest);
    if (bytes !== undefined && digestBytes(bytes) !== ref.digest) this.blobs.delete(ref.digest);
  }

  #keep(bytes: Uint8Array): OutputRef {
    const ref = { digest: digestBytes(bytes), size: bytes.byteLength };
    this.blobs.set(ref.digest, bytes);
    return ref;
  }
}

export function memoryStore(): MemoryStore {
  const contents = {
    calls: new Map<Digest, StoredCall>(),
    failures: new Map<Digest, StoredFailure>(),
    superseded: new Map<Digest, Superseded[]>(),
    intents: new Map<string, Intent>(),
    batches: new Map<Digest, { submission: Submission; readonly keys: readonly Digest[] }>(),
    batched: new Map<Digest, BatchedCall>(),
    actions: new Map<Digest, Action>(),
    blobs: new Map<Digest, Uint8Array>(),
    builds: [] as BuildRecord[],
  };
  const { calls, failures, actions, builds } = contents;
  const store: MemoryStore = {
    contents,
    holder: undefined,
    calls: {
      get: (key) => calls.get(key),
      find: ({ key, text }) => (calls.get(key)?.request === text ? calls.get(key) : undefined),
      put: async (key, call) => {
        await Promise.resolve();
        calls.set(key, call);
      },
      group: () => {
        const group = new Map<Digest, StoredCall>();
        return {
          get size() {
            return group.size;
          },
          bytes: 0,
          add: (key, request, reply) => void group.set(key, { ...reply, request: Buffer.from(request).toString() }),
          commit: async () => {
            await Promise.resolve();
            for (const [key, call] of group) calls.set(key, call);
            group.clear();
          },
        };
      },
      failure: (key) => failures.get(key),
      putFailure: async (key, failure) => {
        failures.set(key, failure);
      },
      supersede: async (key) => {
        const [failure, reply] = [failures.get(key), calls.get(key)];
        const kept = contents.superseded.get(key) ?? [];
        if (failure !== undefined) kept.push({ type: 'failure', ...failure });
        if (reply !== undefined) kept.push({ type: 'reply', ...reply });
        contents.superseded.set(key, kept);
        failures.delete(key);
        calls.delete(key);
      },
      superseded: (key) => contents.superseded.get(key) ?? [],
      scanFailures: () => [...failures].map(([key, value]) => ({ key, value })),
      count: () => calls.size,
    },
    intents: {
      open: async ({ id, intent }) => void contents.intents.set(id, intent),
      mark: async (all) => {
        for (const { id, intent } of all) contents.intents.set(id, { ...intent, unknown: true });
      },
      close: async (ids) => {
        for (const id of ids) contents.intents.delete(id);
      },
      list: () => [...contents.intents].map(([id, intent]) => ({ id, intent })),
    },
    batches: {
      open: async (submission, all) => {
        contents.batches.set(submission.id, { submission, keys: all.map(([key]) => key) });
        for (const [key, call] of all) contents.batched.set(key, call);
      },
      put: async (submission) => {
        const kept = contents.batches.get(submission.id);
        contents.batches.set(submission.id, { keys: kept?.keys ?? [], submission });
      },
      list: () => [...contents.batches.values()].map(({ submission }) => submission).sort((a, b) => a.at - b.at),
      keys: (id) => contents.batches.get(id)?.keys ?? [],
      call: (key) => contents.batched.get(key),
      bytes: (key) => {
        const call = contents.batched.get(key);
        return call && { ...call, request: Buffer.from(call.request) };
      },
      close: async (id) => {
        for (const key of contents.batches.get(id)?.keys ?? []) contents.batched.delete(key);
        contents.batches.delete(id);
      },
      sweep: async () => {},
    },
    actions: {
      get: (key) => actions.get(key),
      put: async (action) => {
        actions.set(action.key, action);
      },
    },
    blobs: new MemoryBlobs(contents.blobs),
    builds: {
      put: async (record) => {
        builds.unshift(record);
      },
      get: (id) => builds.find((record) => record.id === id),
      list: (limit) => builds.slice(0, limit),
    },
    files: { digest: async (path) => ({ digest: digestText(path), size: path.length }) },
    lock: {
      acquire: async (command) => {
        if (store.holder !== undefined) return { ok: false, holder: store.holder };
        store.holder = { pid: 1, processStart: '', bootId: '', host: 'here', command, since: 0 };
        return { ok: true };
      },
      release: async () => {
        store.holder = undefined;
      },
      holder: () => store.holder,
    },
    close: async () => {},
  };
  return store;
}
