/**
 * Makes room: keeps what recent builds stand on, and removes of the rest the oldest first. What a kept build stands on
 * is kept whole, its replies included, so that it can be made again offline.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { type BuildRecord, blobsOf } from '../../core/storage.ts';
import { QUARANTINE } from '../blobs/quarantine.ts';
import { bytesOnDisk, filesIn } from '../disk/folder-size.ts';
import type { LocalStore } from '../store.ts';
import { Reach } from './reach.ts';

export interface CollectOptions {
  /** How many of the newest builds are kept whole; tagged ones are kept beyond that. */
  readonly keepBuilds: number;
  /** Others are removed, oldest first, until the cache takes no more than this; undefined: all others. */
  readonly maxBytes: number | undefined;
  readonly dryRun: boolean;
}

export interface Collection {
  /** Builds that are kept whole. */
  readonly builds: number;
  readonly bytesBefore: number;
  /** An estimate where nothing was removed yet. */
  readonly bytesAfter: number;
  readonly removed: Readonly<Record<RemovedKind, number>>;
  /** Dollars that the removed replies had cost. */
  readonly dollars: number;
  /** Set when a kept node does not say which replies it stands on, so that no reply was removed. */
  readonly unlisted: number;
  /** False when what is kept takes more than `maxBytes`. */
  readonly fits: boolean;
}

export type RemovedKind = 'replies' | 'failures' | 'actions' | 'blobs' | 'downloads' | 'quarantined';

/** Something that no kept build stands on. */
interface Candidate {
  readonly kind: Exclude<RemovedKind, 'quarantined'>;
  readonly name: string;
  /** When it was last made or used by a record, milliseconds since the epoch. */
  readonly time: number;
  /** As it is estimated to count on the disk. */
  readonly bytes: number;
  readonly dollars: number;
}

/** Entries that are removed between two looks at the size. */
const ROUND = 2000;
/** A data file with a smaller share of free pages is not worth copying. */
const WORTH_COMPACTING = 0.1;

/** Only for the one who holds the build lock. */
export async function collect(store: LocalStore, options: CollectOptions): Promise<Collection> {
  const records = [...store.builds.list()];
  const kept = records.filter((record, index) => index < options.keepBuilds || isTagged(record));
  // What was made since the oldest of the kept builds began is theirs, or of a build that was killed after it: replies
  // that nobody has reported, and that the next build goes on from.
  const recent = records.slice(0, options.keepBuilds);
  const since =
    records.length <= options.keepBuilds
      ? Number.NEGATIVE_INFINITY
      : Math.min(Number.POSITIVE_INFINITY, ...recent.map(({ startedAt }) => startedAt));
  const reach = new Reach(store);
  for (const record of kept) reach.build(record);
  for (const { value } of store.actions.scan())
    if (value !== undefined && value.finishedAt >= since) reach.action(value);

  const quarantine = join(store.folder, QUARANTINE);
  const removed: Record<RemovedKind, number> = {
    replies: 0,
    failures: 0,
    actions: 0,
    blobs: 0,
    downloads: 0,
    quarantined: filesIn(store.environment.disk, quarantine).length,
  };
  const bytesBefore = cacheBytes(store, 'file');
  const candidates = [...candidatesOf(store, records, reach, since)].sort((a, b) => a.time - b.time);
  const limit = options.maxBytes ?? -1;
  let dollars = 0;
  const take = (candidate: Candidate) => {
    removed[candidate.kind]++;
    dollars += candidate.dollars;
  };

  let bytesAfter: number;
  if (options.dryRun) {
    bytesAfter = cacheBytes(store, 'used') - sizeOf(store, quarantine);
    for (const candidate of candidates) {
      if (bytesAfter <= limit) break;
      take(candidate);
      bytesAfter -= candidate.bytes;
    }
    bytesAfter = Math.max(0, bytesAfter);
  } else {
    rmSync(quarantine, { recursive: true, force: true });
    let next = 0;
    while (next < candidates.length) {
      let over = cacheBytes(store, 'used') - limit;
      if (over <= 0) break;
      const round: Candidate[] = [];
      while (next < candidates.length && round.length < ROUND && over > 0) {
        const candidate = candidates[next++]!;
        round.push(candidate);
        take(candidate);
        over -= candidate.bytes;
      }
      await remove(store, round);
    }
    const { file, used } = dataFile(store);
    const worth = file - used > Math.max(WORTH_COMPACTING * file, 1 << 16);
    if (worth || (file > used && cacheBytes(store, 'file') > limit && limit >= 0)) await store.environment.compact();
    bytesAfter = cacheBytes(store, 'file');
  }
  const fits = options.maxBytes === undefined || bytesAfter <= options.maxBytes;
  return {
    builds: kept.length,
    bytesBefore,
    bytesAfter,
    removed,
    dollars,
    unlisted: reach.unlisted.size,
    fits,
  };
}

/** A build that was given a name is meant to stay. */
function isTagged(record: BuildRecord): boolean {
  return (record.tags ?? []).length > 0;
}

function* candidatesOf(
  store: LocalStore,
  records: readonly BuildRecord[],
  reach: Reach,
  since: number,
): Generator<Candidate> {
  const times = new Map<Digest, number>();
  const seen = (digest: Digest, time: number) => times.set(digest, Math.max(times.get(digest) ?? time, time));
  for (const { finishedAt, nodes } of records) {
    for (const { outputs } of Object.values(nodes))
      for (const { digest } of Object.values(outputs)) seen(digest, finishedAt);
  }
  // Records come before their blobs, so that no record ever lacks one: equal times keep their order in the sort.
  for (const { key, value } of store.actions.scan()) {
    if (value === undefined || reach.actions.has(value.key)) continue;
    for (const { digest } of blobsOf(value)) seen(digest, value.finishedAt);
    yield { kind: 'actions', name: key, time: value.finishedAt, bytes: 0, dollars: 0 };
  }
  for (const { digest, size } of store.blobs.scan()) {
    if (reach.blobs.has(digest)) continue;
    const time = times.get(digest) ?? Number.NEGATIVE_INFINITY;
    yield { kind: 'blobs', name: digest, time, bytes: bytesOnDisk(size), dollars: 0 };
  }
  if (reach.unlisted.size === 0) yield* callCandidates(store, reach, since);
  for (const { key, value } of store.calls.scanFailures()) {
    if (value === undefined || reach.calls.has(key) || reach.unlisted.size > 0 || value.failedAt >= since) continue;
    yield { kind: 'failures', name: key, time: value.failedAt, bytes: 0, dollars: 0 };
  }
  const downloads = join(store.folder, 'downloads');
  for (const { name, size, modified } of filesIn(store.environment.disk, downloads)) {
    if (reach.sources.has(name) || modified >= since) continue;
    yield { kind: 'downloads', name, time: modified, bytes: bytesOnDisk(size), dollars: 0 };
  }
}

function* callCandidates(store: LocalStore, reach: Reach, since: number): Generator<Candidate> {
  let total = 0;
  const found: { key: Digest; time: number; size: number; dollars: number }[] = [];
  for (const { key, value } of store.calls.scan()) {
    if (value === undefined) continue;
    const size = value.request.length + value.raw.length;
    total += size;
    if (reach.calls.has(key) || value.boughtAt >= since) continue;
    found.push({ key, time: value.boughtAt, size, dollars: value.cost ?? 0 });
  }
  // What pages cost beyond the entries on them is shared out.
  const scale = (store.environment.usage().tables.get('calls') ?? 0) / Math.max(1, total);
  for (const { key, time, size, dollars } of found) {
    yield { kind: 'replies', name: key, time, bytes: size * scale, dollars };
  }
}

async function remove(store: LocalStore, candidates: readonly Candidate[]): Promise<void> {
  const names = (kind: Candidate['kind']) =>
    candidates.filter((candidate) => candidate.kind === kind).map(({ name }) => name);
  await store.environment.remove('actions', names('actions'));
  await store.environment.remove('calls', names('replies'));
  await store.environment.remove('failures', names('failures'));
  for (const name of names('blobs')) store.blobs.remove(name as Digest);
  for (const name of names('downloads')) rmSync(join(store.folder, 'downloads', name), { force: true });
}

const sizeOf = (store: LocalStore, folder: string): number =>
  filesIn(store.environment.disk, folder).reduce((sum, { size }) => sum + bytesOnDisk(size), 0);

/** Headers, the list of tables, and pages that the last commits have let go of. */
const DATA_FILE_OVERHEAD = 1 << 15;

/** Bytes of the data file, and what it would take without free pages. */
export function dataFile(store: LocalStore): { readonly file: number; readonly used: number } {
  const { file, tables } = store.environment.usage();
  const entries = [...tables.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { file, used: Math.min(file, entries + DATA_FILE_OVERHEAD) };
}

/** What the cache takes on the disk; `used` counts of the data file only the pages with entries. */
export function cacheBytes(store: LocalStore, data: 'file' | 'used'): number {
  const { file, used } = dataFile(store);
  let blobs = 0;
  for (const { size } of store.blobs.scan()) blobs += bytesOnDisk(size);
  const folders = ['downloads', QUARANTINE].map((name) => sizeOf(store, join(store.folder, name)));
  return (data === 'file' ? file : used) + blobs + folders.reduce((sum, bytes) => sum + bytes, 0);
}
