/** What the engine needs of a disk: small interfaces that `store` implements over LMDB and files. */

import type { BatchStore } from './batch.ts';
import type { PermanentFailure, Usage } from './call.ts';
import type { Digest } from './digest.ts';
import type { NodeOutcome, Totals } from './events.ts';
import type { Json, JsonObject } from './json.ts';
import type { Pieces } from './pieces.ts';
import type { Summary } from './summary.ts';

/** A bought reply, beside the request that bought it. */
export interface StoredCall {
  /** The canonical text whose digest is the key; compared byte for byte on every hit. */
  readonly request: string;
  readonly raw: string;
  readonly usage: Usage;
  readonly model: string;
  readonly identity: string;
  /** Dollars billed; null where the price or the usage was unknown. */
  readonly cost: number | null;
  /** Dollars set aside for it, where its usage was not to be believed: it may have cost as much. */
  readonly reserved?: number;
  /** Milliseconds since the epoch. */
  readonly boughtAt: number;
  readonly node: string;
  /** The provider's id of the batch that it came in, at a batch's price; absent for what was bought online. */
  readonly batch?: string;
}

/** What the store knows of a call. */
export type Known =
  /** `reply` is the body, where it is parsed already. */
  | { readonly type: 'reply'; readonly stored: StoredCall; readonly reply?: JsonObject }
  | { readonly type: 'failure'; readonly failure: PermanentFailure };

export interface StoredFailure {
  readonly request: string;
  readonly failure: PermanentFailure;
  readonly failedAt: number;
  readonly node: string;
  /** The reply, where one came that is no answer: kept for reading only. */
  readonly raw?: string;
  /** Dollars that its reply was billed; absent where none came, or where they are not known. */
  readonly cost?: number;
}

/** An earlier answer to a call that was asked again. */
export type Superseded = ({ readonly type: 'reply' } & StoredCall) | ({ readonly type: 'failure' } & StoredFailure);

/** A request as it is looked up: its key, and the text whose digest that is. */
export interface AskedCall {
  readonly key: Digest;
  readonly text: string;
  /** The same in pieces. */
  readonly pieces: Pieces;
}

export interface CallStore {
  get(key: Digest): StoredCall | undefined;
  /**
   * The reply to this very request. The stored one is compared byte for byte, so a collision of digests is a miss, never
   * a wrong answer.
   */
  find(call: AskedCall): StoredCall | undefined;
  /** Resolves when the reply is committed; only then may it be used or reported. */
  put(key: Digest, call: StoredCall): Promise<void>;
  /** For many replies that come at once: together they cost far less each. */
  group(): CallGroup;
  failure(key: Digest): StoredFailure | undefined;
  putFailure(key: Digest, failure: StoredFailure): Promise<void>;
  /**
   * Moves what is kept of a call to its history, before the answer to asking again is put in its place. Whoever puts at
   * once, without awaiting this first, has both committed together.
   */
  supersede(key: Digest): Promise<void>;
  /** What was kept of a call before, oldest first. */
  superseded(key: Digest): Superseded[];
  /** The ledger of failures in the order of keys; a value is undefined where it is not as it was written. */
  scanFailures(): Iterable<{ readonly key: Digest; readonly value: StoredFailure | undefined }>;
  /** How many replies are stored. */
  count(): number;
}

/** Replies that are committed together. None of them is in the store before. */
export interface CallGroup {
  /** How many there are, and how long they are. */
  readonly size: number;
  readonly bytes: number;
  /** @param request its text, or the UTF-8 bytes of it */
  add(key: Digest, request: string | Uint8Array, reply: Omit<StoredCall, 'request'>): void;
  /** Resolves when all are committed; the group is empty then. */
  commit(): Promise<void>;
}

export interface OutputRef {
  readonly digest: Digest;
  readonly size: number;
}

/** The record of a finished node. */
export interface Action {
  readonly key: Digest;
  readonly kind: string;
  readonly outputs: Readonly<Record<string, OutputRef>>;
  readonly summary: Summary;
  /** What went into the key, for explanations. */
  readonly parts: Json;
  readonly finishedAt: number;
  /** A blob with the keys of the replies and permanent failures behind the rows, one a line; absent for pure nodes. */
  readonly calls?: OutputRef;
}

/** Every blob that a finished node needs: its outputs and its list of calls. */
export function blobsOf(action: Pick<Action, 'outputs' | 'calls'>): OutputRef[] {
  const outputs = Object.values(action.outputs);
  return action.calls === undefined ? outputs : [...outputs, action.calls];
}

export interface ActionStore {
  get(key: Digest): Action | undefined;
  put(action: Action): Promise<void>;
}

export interface BlobWriter {
  write(chunk: string | Uint8Array): void;
  /** Flushes, renames into place, flushes the folder. */
  finish(): Promise<OutputRef>;
  abandon(): void;
}

export interface BlobStore {
  writer(): BlobWriter;
  put(content: string | Uint8Array): Promise<OutputRef>;
  /** The path of a blob that is present with this size; undefined otherwise. */
  locate(ref: OutputRef): string | undefined;
  /** The whole blob, checked against its digest. @throws DamageError */
  read(ref: OutputRef): Uint8Array;
  /** Streams JSON lines; the digest is checked as they pass, before the last row is handed out. @throws DamageError */
  rows(ref: OutputRef): Iterable<JsonObject>;
  /**
   * The bytes in pieces, each valid until the next is taken; the digest is checked before the end is told.
   * @throws DamageError
   */
  chunks(ref: OutputRef): Iterable<Uint8Array>;
  /** Moves a damaged blob out of the way, so that it counts as missing and is made again. One that is whole stays. */
  setAside(ref: OutputRef): void;
}

/** A stored thing is not what its digest says. */
export class DamageError extends Error {
  readonly what: string;
  /** The blob, where it is one. */
  readonly ref: OutputRef | undefined;
  constructor(what: string, message: string, ref?: OutputRef) {
    super(message);
    this.name = 'DamageError';
    this.what = what;
    this.ref = ref;
  }
}

/** What one model billed to one node of a build. */
export interface ModelBill {
  readonly identity: string;
  readonly model: string;
  readonly bought: number;
  /** Dollars billed. */
  readonly cost: number;
  /** Dollars set aside for tries of unknown outcome; absent where there were none. */
  readonly unknown?: number;
}

export interface BuildRecord {
  readonly id: string;
  /** Names that people gave it. */
  readonly tags?: readonly string[];
  /** The gate that it is a look of: the id of its first look. */
  readonly gate?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly experiment: string;
  readonly profile: string;
  readonly targets: readonly string[];
  readonly exit: number;
  /** Why the copies under `out/` are not all there; absent where they are, and in records of old. */
  readonly uncopied?: string;
  readonly totals: Totals;
  readonly nodes: Readonly<
    Record<
      string,
      {
        readonly key: Digest | null;
        readonly outcome: NodeOutcome;
        readonly outputs: Readonly<Record<string, OutputRef>>;
        readonly bought: number;
        readonly cost: number;
        /** Dollars set aside for tries of unknown outcome; absent where there were none. */
        readonly unknown?: number;
        /** Why it failed; absent where it did not, and in records of old. */
        readonly reason?: string;
        /** Absent where nothing was billed. */
        readonly models?: readonly ModelBill[];
      }
    >
  >;
}

export interface BuildLog {
  put(record: BuildRecord): Promise<void>;
  get(id: string): BuildRecord | undefined;
  /** Newest first. */
  list(limit?: number): Iterable<BuildRecord>;
}

/** Digests of source files, remembered by mtime, size and inode. */
export interface FileDigests {
  digest(path: string): Promise<{ readonly digest: Digest; readonly size: number }>;
}

/** How a command reads its pipeline: with the same, another one sees the same graph. */
export interface PipelineSettings {
  /** Absolute. */
  readonly file: string;
  readonly profile?: string;
  /** `name=value` of variables, in order. */
  readonly set: readonly string[];
}

export interface LockHolder {
  readonly pid: number;
  readonly processStart: string;
  readonly bootId: string;
  readonly host: string;
  readonly command: string;
  readonly since: number;
  /** Of a build; absent for whoever holds the lock to tidy up. */
  readonly settings?: PipelineSettings;
}

export interface BuildLock {
  /** Takes the lock, taking over a dead holder's; or says who holds it. */
  acquire(
    command: string,
    settings?: PipelineSettings,
  ): Promise<
    { readonly ok: true; readonly tookOver?: LockHolder } | { readonly ok: false; readonly holder: LockHolder }
  >;
  release(): Promise<void>;
  holder(): LockHolder | undefined;
}

/** A try that was begun. */
export interface Intent {
  readonly call: Digest;
  readonly identity: string;
  readonly model: string;
  readonly node: string;
  /** Dollars that are set aside for it. */
  readonly dollars: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Set when it is certain that its outcome will not be known. */
  readonly unknown?: true;
}

export interface OpenIntent {
  readonly id: string;
  readonly intent: Intent;
}

export interface CloseOptions {
  /** Their answers are kept, which tells that they are over: they may then be listed for a while. */
  readonly answered?: boolean;
}

export interface IntentStore {
  /** Resolves when it is committed. */
  open(intent: OpenIntent): Promise<void>;
  /** Says that their outcome will not be known. */
  mark(intents: Iterable<OpenIntent>): Promise<void>;
  close(ids: Iterable<string>, options?: CloseOptions): Promise<void>;
  list(): Iterable<OpenIntent>;
}

export interface Store {
  readonly calls: CallStore;
  readonly intents: IntentStore;
  readonly batches: BatchStore;
  readonly actions: ActionStore;
  readonly blobs: BlobStore;
  readonly builds: BuildLog;
  readonly files: FileDigests;
  readonly lock: BuildLock;
  close(): Promise<void>;
}
