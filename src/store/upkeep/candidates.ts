/** What could be removed from the cache: everything that no kept build depends on. */

import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { type BuildRecord, blobsOf } from '../../core/storage.ts';
import { bytesOnDisk, filesIn } from '../disk/folder-size.ts';
import type { LocalStore } from '../store.ts';
import { DOWNLOADS } from './cache-size.ts';
import { Reach } from './reach.ts';

export interface Candidate {
  readonly kind: 'replies' | 'failures' | 'actions' | 'blobs' | 'downloads';
  readonly name: string;
  /** When it was last made or named by a record, milliseconds since the epoch. */
  readonly time: number;
  /** Estimated bytes on the disk. */
  readonly bytes: number;
  readonly dollars: number;
}

/** The builds that are kept whole, and what they depend on. */
interface KeptBuilds {
  readonly builds: number;
  readonly reach: Reach;
  /** Whatever was made since this time is kept as well, milliseconds since the epoch. */
  readonly since: number;
}

/** @param records all builds, newest first. */
export function keptBuilds(store: LocalStore, records: readonly BuildRecord[], newest: number): KeptBuilds {
  const kept = records.filter((record, index) => index < newest || isTagged(record));
  // What was made since the oldest of the newest builds began belongs to them, or to a build that was killed later: the
  // next build goes on from its replies, although no record names them.
  const since =
    records.length <= newest
      ? Number.NEGATIVE_INFINITY
      : Math.min(Number.POSITIVE_INFINITY, ...records.slice(0, newest).map(({ startedAt }) => startedAt));
  const reach = new Reach(store);
  for (const record of kept) reach.build(record);
  for (const { value } of store.actions.scan())
    if (value !== undefined && value.finishedAt >= since) reach.action(value);
  return { builds: kept.length, reach, since };
}

/** Users name the builds that they want to keep. */
const isTagged = (record: BuildRecord): boolean => (record.tags ?? []).length > 0;

/** Oldest first. */
export function candidates(store: LocalStore, records: readonly BuildRecord[], kept: KeptBuilds): Candidate[] {
  const times = new LastUses();
  for (const { finishedAt, nodes } of records) {
    for (const { outputs } of Object.values(nodes))
      for (const { digest } of Object.values(outputs)) times.add(digest, finishedAt);
  }
  // Actions come before their blobs, and the sort keeps the order of equal times, so that no action ever lacks a blob.
  return [
    ...actionCandidates(store, kept, times),
    ...blobCandidates(store, kept, times),
    ...callCandidates(store, kept),
    ...downloadCandidates(store, kept),
  ].sort((a, b) => a.time - b.time);
}

/** When a record last named each blob. */
class LastUses {
  readonly #times = new Map<Digest, number>();

  add(digest: Digest, time: number): void {
    this.#times.set(digest, Math.max(this.get(digest), time));
  }

  get(digest: Digest): number {
    return this.#times.get(digest) ?? Number.NEGATIVE_INFINITY;
  }
}

function* actionCandidates(store: LocalStore, { reach }: KeptBuilds, times: LastUses): Generator<Candidate> {
  for (const { key, value } of store.actions.scan()) {
    if (value === undefined || reach.actions.has(value.key)) continue;
    for (const { digest } of blobsOf(value)) times.add(digest, value.finishedAt);
    yield { kind: 'actions', name: key, time: value.finishedAt, bytes: 0, dollars: 0 };
  }
}

function* blobCandidates(store: LocalStore, { reach }: KeptBuilds, times: LastUses): Generator<Candidate> {
  for (const { digest, size } of store.blobs.scan()) {
    if (reach.blobs.has(digest)) continue;
    yield { kind: 'blobs', name: digest, time: times.get(digest), bytes: bytesOnDisk(size), dollars: 0 };
  }
}

/** Replies and failures; none while a kept node does not say which of them it depends on. */
function* callCandidates(store: LocalStore, { reach, since }: KeptBuilds): Generator<Candidate> {
  if (reach.unlisted.size > 0) return;
  let total = 0;
  const found: { key: Digest; time: number; size: number; dollars: number }[] = [];
  for (const { key, value } of store.calls.scan()) {
    if (value === undefined) continue;
    const size = value.request.length + value.raw.length;
    total += size;
    if (reach.calls.has(key) || value.boughtAt >= since) continue;
    found.push({ key, time: value.boughtAt, size, dollars: value.cost ?? 0 });
  }
  // Pages take more than the entries on them; each entry gets its share of that.
  const scale = (store.database.usage().tables.get('calls') ?? 0) / Math.max(1, total);
  for (const { key, time, size, dollars } of found) {
    yield { kind: 'replies', name: key, time, bytes: size * scale, dollars };
  }
  for (const { key, value } of store.calls.scanFailures()) {
    if (value === undefined || reach.calls.has(key) || value.failedAt >= since) continue;
    yield { kind: 'failures', name: key, time: value.failedAt, bytes: 0, dollars: 0 };
  }
}

function* downloadCandidates(store: LocalStore, { reach, since }: KeptBuilds): Generator<Candidate> {
  for (const { name, size, modified } of filesIn(store.disk, join(store.folder, DOWNLOADS))) {
    if (reach.sources.has(name) || modified >= since) continue;
    yield { kind: 'downloads', name, time: modified, bytes: bytesOnDisk(size), dollars: 0 };
  }
}
