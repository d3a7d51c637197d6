/**
 * The signed index of a segment: which answers, records and outputs are in it, as eight bytes each. It is what makes a
 * segment believed: no digest can prove a reply, only its writer's word can.
 */

import { endianness } from 'node:os';
import { z } from 'zod';
import { type Digest, digestText } from '../core/digest.ts';
import { type Action, blobsOf, type StoredCall, type StoredFailure } from '../core/storage.ts';
import type { PackCounts } from '../store/pack/format.ts';
import { parseJson } from '../store/pack/rows.ts';
import { open, seal } from './envelope.ts';
import { keyId, type PublicKey, type SigningKey } from './signing.ts';

/** Five bytes of the key, then three of what lies under it: an answer that was asked again is another entry. */
const ENTRY = 8;
const KEY_BYTES = 5;

/** Longer indexes are refused unread: a segment has some ten thousand entries. */
export const LONGEST_INDEX = 64 << 20;

export interface SegmentContents {
  readonly answers: EntrySet;
  readonly actions: EntrySet;
  readonly blobs: EntrySet;
}

export interface SegmentIndex extends SegmentContents {
  readonly writer: PublicKey;
  /** SHA-256 of the segment, 64 hex digits: its name. */
  readonly segment: string;
  readonly bytes: number;
  /** Milliseconds since the epoch, by the writer's clock: it orders segments, and ages them. */
  readonly createdAt: number;
  readonly counts: PackCounts;
}

/** Entries in the order of their bytes. */
export class EntrySet {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** The entries in whatever order, some of them perhaps twice. */
  static of(entries: readonly Uint8Array[]): EntrySet {
    const bytes = Buffer.from(Uint8Array.from(Buffer.concat(entries)).buffer);
    // Sorted as numbers, which is ten times as fast: the first byte has to be the greatest for that.
    const swap = () => endianness() === 'LE' && bytes.swap64();
    swap();
    new BigUint64Array(bytes.buffer).sort();
    swap();
    return new EntrySet(bytes);
  }

  static union(sets: readonly EntrySet[]): EntrySet {
    return EntrySet.of(sets.map(({ bytes }) => bytes));
  }

  has(entry: Buffer): boolean {
    return this.#search(entry, ENTRY);
  }

  /** Whether something may lie under the key: five bytes of it are compared. */
  hasKey(key: Digest): boolean {
    return this.#search(Buffer.from(key.slice(0, 2 * KEY_BYTES), 'hex'), KEY_BYTES);
  }

  #search(wanted: Buffer, length: number): boolean {
    let low = 0;
    let high = this.bytes.length / ENTRY - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const order = this.bytes.compare(wanted, 0, length, middle * ENTRY, middle * ENTRY + length);
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}

const entry = (key: Digest, content: string): Buffer =>
  Buffer.from(key.slice(0, 2 * KEY_BYTES) + digestText(content).slice(0, 2 * (ENTRY - KEY_BYTES)), 'hex');

export const replyEntry = (key: Digest, { raw }: StoredCall): Buffer => entry(key, raw);
export const failureEntry = (key: Digest, { failure }: StoredFailure): Buffer => entry(key, JSON.stringify(failure));
export const actionEntry = (action: Action): Buffer =>
  entry(
    action.key,
    blobsOf(action)
      .map(({ digest }) => digest)
      .join(),
  );
export const blobEntry = (digest: Digest): Buffer => Buffer.from(digest.slice(0, 2 * ENTRY), 'hex');

const count = z.int().min(0);
const headerShape = z.strictObject({
  segment: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: count,
  createdAt: count,
  counts: z.strictObject({ replies: count, failures: count, superseded: count, actions: count, blobs: count }),
  /** How many entries follow, in this order. */
  entries: z.strictObject({ answers: count, actions: count, blobs: count }),
});

export const segmentName = (segment: string): string => `segments/${segment}.pack`;
/**
 * Where an index lies: `index` is for everybody; `work` is for those who are told its name, and passing, as what goes between
 * builds and workers.
 */
export type IndexFolder = 'index' | 'work';
/** With the writer's id, so that nobody else's object stands where ours belongs. */
export const indexName = (segment: string, writer: PublicKey, folder: IndexFolder = 'index'): string =>
  `${folder}/${segment}.${keyId(writer)}`;
export const isIndexName = (name: string): boolean => /^(index|work)\/[0-9a-f]{64}\.[0-9a-f]{16}$/.test(name);

export function writeIndex(index: Omit<SegmentIndex, 'writer'>, key: SigningKey): Buffer {
  const { segment, bytes, createdAt, counts, answers, actions, blobs } = index;
  const number = (set: EntrySet) => set.bytes.length / ENTRY;
  const entries = { answers: number(answers), actions: number(actions), blobs: number(blobs) };
  const header = { segment, bytes, createdAt, counts, entries } satisfies z.input<typeof headerShape>;
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  return seal('index', Buffer.concat([line, answers.bytes, actions.bytes, blobs.bytes]), key);
}

type ReadIndex = { readonly ok: true; readonly index: SegmentIndex } | { readonly ok: false; readonly reason: string };

/** @param name under which it lies: an index is believed for the one segment that it signs */
export function readIndex(name: string, bytes: Buffer, trusted: (key: PublicKey) => boolean): ReadIndex {
  const refused = (reason: string): ReadIndex => ({ ok: false, reason });
  const opened = open('index', bytes, trusted);
  if (!opened.ok) return opened;
  const { writer, content } = opened;
  const end = content.indexOf(0x0a);
  const header = headerShape.safeParse(parseJson(content.subarray(0, Math.max(0, end))));
  if (!header.success) return refused('it is not an index');
  const { entries, ...rest } = header.data;
  const sets: EntrySet[] = [];
  let at = end + 1;
  for (const number of [entries.answers, entries.actions, entries.blobs]) {
    sets.push(new EntrySet(content.subarray(at, at + number * ENTRY)));
    at += number * ENTRY;
  }
  if (at !== content.length) return refused('it is not an index');
  if (name.slice(name.indexOf('/')) !== indexName(rest.segment, writer).slice('index'.length))
    return refused('it is the index of another segment');
  const [answers, actions, blobs] = sets as [EntrySet, EntrySet, EntrySet];
  return { ok: true, index: { writer, ...rest, answers, actions, blobs } };
}
