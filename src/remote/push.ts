/** Gives what a store holds and a shared cache lacks: as segments of bounded size, each with its signed index. */

import { readFileSync, rmSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { EXIT, ProblemError } from '../core/problem.ts';
import { type Action, blobsOf, type OutputRef } from '../core/storage.ts';
import type { PackCounts } from '../store/pack/format.ts';
import { sha256 } from '../store/pack/inspect.ts';
import { writePack } from '../store/pack/pack-file.ts';
import type { LocalStore } from '../store/store.ts';
import { lookAround } from './pull.ts';
import type { RefusedObject, Remote } from './remote.ts';
import {
  actionEntry,
  blobEntry,
  EntrySet,
  failureEntry,
  type IndexFolder,
  indexName,
  LONGEST_INDEX,
  readIndex,
  replyEntry,
  type SegmentContents,
  type SegmentIndex,
  segmentName,
  writeIndex,
} from './segment-index.ts';
import type { SigningKey } from './signing.ts';

/** Bytes of a segment before they are compressed, about: a lost connection loses no more than one segment. */
const SEGMENT = 96 << 20;

interface Pushed extends PackCounts {
  readonly segments: number;
  readonly bytes: number;
  readonly refused: readonly RefusedObject[];
}

export interface Piece {
  readonly calls: Digest[];
  readonly actions: Action[];
  readonly blobs: Map<Digest, OutputRef>;
  readonly entries: { readonly answers: Buffer[]; readonly actions: Buffer[]; readonly blobs: Buffer[] };
}

/**
 * @param all gives also what the place once had and has no more
 * @throws ProblemError where the place cannot be reached, or nobody here may write to it
 */
export async function push(store: LocalStore, remote: Remote, { all }: { readonly all: boolean }): Promise<Pushed> {
  const key = writerOf(remote);
  const { segments: there, refused } = await lookAround(remote);
  const lacked = all ? there : [...there, ...remote.known.indexes().values()];
  const total = { replies: 0, failures: 0, superseded: 0, actions: 0, blobs: 0 };
  let segments = 0;
  let bytes = 0;
  for (const piece of piecesOf(store, lacked)) {
    const { index, signed } = await putSegment(store, remote, key, piece);
    remote.known.remember(index, signed);
    remote.known.markMerged([index.segment]);
    for (const name of Object.keys(total) as (keyof PackCounts)[]) total[name] += index.counts[name];
    segments++;
    bytes += index.bytes;
    remote.note(`shared cache: ${(bytes / 1e6).toFixed(1)} MB given`);
  }
  return { ...total, segments, bytes, refused };
}

/** Gives the answers to these calls, without a look at what the place has. @throws ProblemError as {@link push} does */
export async function pushAnswers(store: LocalStore, remote: Remote, calls: Iterable<Digest>): Promise<void> {
  const key = writerOf(remote);
  for (const piece of answersOf(store, calls)) {
    const { index, signed } = await putSegment(store, remote, key, piece);
    remote.known.remember(index, signed);
    remote.known.markMerged([index.segment]);
  }
}

function* answersOf({ calls }: LocalStore, keys: Iterable<Digest>): Generator<Piece> {
  let piece = newPiece();
  let size = 0;
  for (const key of keys) {
    const reply = calls.get(key);
    const failure = reply === undefined ? calls.failure(key) : undefined;
    if (reply === undefined && failure === undefined) continue;
    piece.calls.push(key);
    piece.entries.answers.push(reply === undefined ? failureEntry(key, failure!) : replyEntry(key, reply));
    const { request, raw = '' } = reply ?? failure!;
    size += request.length + raw.length;
    if (size < SEGMENT) continue;
    yield piece;
    piece = newPiece();
    size = 0;
  }
  if (piece.calls.length > 0) yield piece;
}

/** The key to sign with. @throws ProblemError where there is none, or others would refuse what it signs */
export function writerOf({ key, trusted }: Remote): SigningKey {
  if (key === undefined) {
    throw new ProblemError({
      id: 'CJE-REMOTE-NO-SIGNING-KEY',
      headline: 'this machine has no key to sign with, so it may not write to the shared cache',
      hint: '`cje cache keygen` makes one; then list its public half under `trusted`',
    });
  }
  if (!trusted.has(key.public)) {
    throw new ProblemError({
      id: 'CJE-REMOTE-NOT-TRUSTED',
      headline: 'what this machine signs is not trusted by its own cje.remote.yaml',
      facts: [['public key', key.public]],
      hint: 'list it under `trusted`, also on the machines that are to read what this one writes',
    });
  }
  return key;
}

/** What none of the segments has, in pieces; records come last, so that what they depend on is there before them. */
function* piecesOf(store: LocalStore, segments: readonly SegmentIndex[]): Generator<Piece> {
  const union = (set: keyof SegmentContents) => EntrySet.union(segments.map((index) => index[set]));
  const there = { answers: union('answers'), actions: union('actions'), blobs: union('blobs') };
  const lacks = (set: keyof SegmentContents, entry: Buffer) => !there[set].has(entry);
  let piece = newPiece();
  let size = 0;
  const full = function* (more: number): Generator<Piece> {
    size += more;
    if (size < SEGMENT) return;
    yield piece;
    piece = newPiece();
    size = 0;
  };
  for (const { key, value } of store.calls.scan()) {
    if (value === undefined) continue;
    const entry = replyEntry(key, value);
    if (!lacks('answers', entry)) continue;
    piece.calls.push(key);
    piece.entries.answers.push(entry);
    yield* full(value.request.length + value.raw.length);
  }
  for (const { key, value } of store.calls.scanFailures()) {
    if (value === undefined || store.calls.get(key) !== undefined) continue;
    const entry = failureEntry(key, value);
    if (!lacks('answers', entry)) continue;
    piece.calls.push(key);
    piece.entries.answers.push(entry);
    yield* full(value.request.length + (value.raw ?? '').length);
  }
  const actions = [...store.actions.scan()].flatMap(({ value }) => (value === undefined ? [] : [value]));
  const given = new Set<Digest>();
  for (const ref of actions.flatMap(blobsOf)) {
    const entry = blobEntry(ref.digest);
    if (given.has(ref.digest) || !lacks('blobs', entry) || store.blobs.locate(ref) === undefined) continue;
    given.add(ref.digest);
    piece.blobs.set(ref.digest, ref);
    piece.entries.blobs.push(entry);
    yield* full(ref.size);
  }
  for (const action of actions) {
    const entry = actionEntry(action);
    if (!lacks('actions', entry) || blobsOf(action).some((ref) => store.blobs.locate(ref) === undefined)) continue;
    piece.actions.push(action);
    piece.entries.actions.push(entry);
  }
  if (piece.calls.length + piece.blobs.size + piece.actions.length > 0) yield piece;
}

export const newPiece = (): Piece => ({
  calls: [],
  actions: [],
  blobs: new Map(),
  entries: { answers: [], actions: [], blobs: [] },
});

interface PutSegment {
  readonly index: SegmentIndex;
  /** The index as it was written. */
  readonly signed: Buffer;
}

/** The segment first: an index promises that its segment is there. */
export async function putSegment(
  store: LocalStore,
  remote: Remote,
  key: SigningKey,
  piece: Piece,
  folder: IndexFolder = 'index',
): Promise<PutSegment> {
  const { known, now } = remote;
  const path = known.partial('giving');
  try {
    const { replies, failures, superseded, actions, blobs } = await writePack(store, piece, path);
    const content = readFileSync(path);
    const segment = sha256(content);
    const unsigned = {
      segment,
      bytes: content.length,
      createdAt: now(),
      counts: { replies, failures, superseded, actions, blobs },
      answers: EntrySet.of(piece.entries.answers),
      actions: EntrySet.of(piece.entries.actions),
      blobs: EntrySet.of(piece.entries.blobs),
    };
    const signed = writeIndex(unsigned, key);
    const name = indexName(segment, key.public, folder);
    await put(remote, segmentName(segment), content, (there) => there.equals(content));
    // Ours may be there already, of another moment.
    await put(remote, name, signed, (there) => readIndex(name, there, (writer) => writer === key.public).ok);
    return { index: { ...unsigned, writer: key.public }, signed };
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param isOurs whether what stands there already is as good as what was to be written */
async function put({ objects }: Remote, name: string, bytes: Buffer, isOurs: (there: Buffer) => boolean) {
  if ((await objects.putIfAbsent(name, bytes)) === 'stored') return;
  const there = await objects.get(name, Math.max(bytes.length, LONGEST_INDEX));
  if (Buffer.isBuffer(there) && isOurs(there)) return;
  throw new ProblemError(
    {
      id: 'CJE-REMOTE-NAME-TAKEN',
      headline: `something else stands in the shared cache where this was to be written: ${name}`,
      facts: [['place', objects.place]],
      hint: 'find out who may write to that place, and remove the object',
    },
    EXIT.damaged,
  );
}
