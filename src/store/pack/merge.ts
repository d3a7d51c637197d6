/** Merges packs that were inspected into the cache: what is there stays, records of nodes come last. */

import { gunzipSync } from 'node:zlib';
import type { Digest } from '../../core/digest.ts';
import { EXIT, ProblemError } from '../../core/problem.ts';
import {
  type Action,
  type BlobWriter,
  blobsOf,
  type StoredCall,
  type StoredFailure,
  type Superseded,
} from '../../core/storage.ts';
import { purchaseId } from '../../core/unrecorded.ts';
import type { LocalStore } from '../store.ts';
import { packEntries } from './archive.ts';
import { LARGEST_PART, type PackCounts, readPartName } from './format.ts';
import { type Inspection, sha256 } from './inspect.ts';
import { readActions, readCalls, readFailures, readSuperseded } from './rows.ts';

export interface Merged {
  /** Entries that were new. */
  readonly added: PackCounts;
  /** Answers and records that the cache already holds with another content; the cache keeps its own. */
  readonly different: number;
}

/** One or more packs on their way into the cache. Only for the holder of the build lock. */
export class PackMerge {
  readonly #store: LocalStore;
  readonly #added = { replies: 0, failures: 0, superseded: 0, actions: 0, blobs: 0 };
  #different = 0;
  #blob: { readonly digest: Digest; readonly writer: BlobWriter; size: number } | undefined;
  /** Purchases that came in a pack. */
  readonly #elsewhere: string[] = [];
  /** What they depend on may be in a pack that is still to come. */
  readonly #actions: Action[] = [];
  /** Tries that an earlier build left open: an answer from elsewhere does not tell what became of them. */
  readonly #open: ReadonlyMap<Digest, readonly string[]>;

  constructor(store: LocalStore) {
    this.#store = store;
    this.#open = openTries(store);
  }

  get result(): Merged {
    return { added: { ...this.#added }, different: this.#different };
  }

  /** The records of nodes that were taken and are not written yet. */
  get records(): readonly Action[] {
    return this.#actions;
  }

  /** Takes all of one pack but its records of nodes. @throws ProblemError where it is no longer what was inspected. */
  async add(path: string, { manifest }: Pick<Inspection, 'manifest'>): Promise<void> {
    const sums = new Map(manifest?.files.map((file) => [file.name, file.sha256]));
    for (const { name, content } of packEntries(path, () => {})) {
      const part = readPartName(name);
      if (part === undefined || part.type === 'head' || part.type === 'manifest' || part.type === 'build') continue;
      if (sums.get(name) !== sha256(content)) throw changed(path);
      const bytes = gunzipSync(content, { maxOutputLength: LARGEST_PART });
      if (part.type === 'blob') {
        await this.#addBlob(part.digest, bytes);
        continue;
      }
      await this.#finishBlob();
      switch (part.type) {
        case 'calls':
          await Promise.all([...checked(readCalls(bytes))].map(({ key, value }) => this.#addCall(key, value)));
          break;
        case 'failures':
          for (const { key, value } of checked(readFailures(bytes))) await this.#addFailure(key, value);
          break;
        case 'superseded':
          for (const { key, value } of checked(readSuperseded(bytes))) await this.#addHistory(key, value);
          break;
        case 'actions':
          this.#actions.push(...checked(readActions(bytes)));
          break;
      }
    }
    await this.#finishBlob();
    await this.#store.removed.bookedElsewhere(this.#elsewhere.splice(0));
  }

  /** Writes the records of nodes whose outputs are all there. */
  async finish(): Promise<void> {
    for (const action of this.#actions.splice(0)) {
      const here = this.#store.actions.get(action.key);
      if (here !== undefined) {
        const same = Object.entries(action.outputs).every(
          ([file, { digest }]) => here.outputs[file]?.digest === digest,
        );
        if (!same) this.#different++;
      } else if (blobsOf(action).every((ref) => this.#store.blobs.locate(ref) !== undefined)) {
        this.#added.actions++;
        await this.#store.actions.put(action);
      }
    }
  }

  async #addBlob(digest: Digest, bytes: Buffer): Promise<void> {
    if (this.#blob?.digest !== digest) {
      await this.#finishBlob();
      this.#blob = { digest, writer: this.#store.blobs.writer(), size: 0 };
    }
    this.#blob.writer.write(bytes);
    this.#blob.size += bytes.length;
  }

  async #finishBlob(): Promise<void> {
    const blob = this.#blob;
    this.#blob = undefined;
    if (blob === undefined) return;
    if (this.#store.blobs.locate(blob) === undefined) this.#added.blobs++;
    const { digest } = await blob.writer.finish();
    if (digest !== blob.digest) throw new Error(`Internal error: blob ${blob.digest} was checked and is another`);
  }

  async #addCall(key: Digest, call: StoredCall): Promise<void> {
    const { calls } = this.#store;
    const here = calls.get(key);
    if (here === undefined) {
      this.#added.replies++;
      this.#elsewhere.push(purchaseId(key, { type: 'reply', ...call }));
      await Promise.all([this.#markOpen(key), calls.put(key, call)]);
    } else if (here.raw !== call.raw && !wasHere(calls.superseded(key), { type: 'reply', ...call })) {
      this.#different++;
    }
  }

  async #addFailure(key: Digest, failure: StoredFailure): Promise<void> {
    const { calls } = this.#store;
    if (calls.get(key) !== undefined || calls.failure(key) !== undefined) return;
    this.#added.failures++;
    this.#elsewhere.push(purchaseId(key, { type: 'failure', ...failure }));
    await Promise.all([this.#markOpen(key), calls.putFailure(key, failure)]);
  }

  /** A history belongs to the answer that it ended in, so it comes where that answer did. */
  async #addHistory(key: Digest, answers: readonly Superseded[]): Promise<void> {
    const { calls } = this.#store;
    if (calls.superseded(key).length > 0) return;
    const here = calls.get(key);
    if (here !== undefined && wasHere(answers, { type: 'reply', ...here })) return;
    this.#added.superseded++;
    for (const answer of answers) this.#elsewhere.push(purchaseId(key, answer));
    await calls.putSuperseded(key, answers);
  }

  async #markOpen(key: Digest): Promise<void> {
    const ids = this.#open.get(key);
    if (ids === undefined) return;
    const tries = [...this.#store.intents.list()].filter(({ id }) => ids.includes(id));
    await this.#store.intents.mark(tries);
  }
}

/** Ids of the tries of which no book tells yet, by call; no build is running that they could belong to. */
function openTries(store: LocalStore): Map<Digest, string[]> {
  const open = new Map<Digest, string[]>();
  for (const { id, intent } of store.intents.list()) {
    if (intent.unknown) continue;
    const ids = open.get(intent.call);
    if (ids === undefined) open.set(intent.call, [id]);
    else ids.push(id);
  }
  return open;
}

const wasHere = (history: readonly Superseded[], answer: Superseded): boolean =>
  history.some((before) => answerText(before) === answerText(answer));

const answerText = (answer: Superseded): string =>
  answer.type === 'reply' ? answer.raw : JSON.stringify(answer.failure);

/** The rows of a part that was inspected before. */
function* checked<T>(rows: Iterable<T | undefined>): Generator<T> {
  for (const row of rows) {
    if (row === undefined) throw new Error('Internal error: a line of a pack was checked and is no entry');
    yield row;
  }
}

function changed(path: string): ProblemError {
  return new ProblemError(
    {
      id: 'CJE-PACK-CHANGED',
      headline: `the pack changed while it was imported: ${path}`,
      hint: 'import it again when it is complete',
    },
    EXIT.damaged,
  );
}
