/**
 * Makes room in the cache: keeps what recent builds depend on, and removes the rest, oldest first. A kept build keeps its
 * replies too, so that it can be made again offline.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import type { BuildRecord } from '../../core/storage.ts';
import { unrecordedPurchases } from '../../core/unrecorded.ts';
import { QUARANTINE } from '../blobs/quarantine.ts';
import type { Change } from '../lmdb/open.ts';
import type { LocalStore } from '../store.ts';
import { historyKey } from '../tables/calls.ts';
import { cacheBytes, DOWNLOADS, dataFileSize, folderSize } from './cache-size.ts';
import { type Candidate, candidates, keptBuilds } from './candidates.ts';

interface CollectOptions {
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
  /** Kept nodes that do not say which replies they depend on; if there is one, no reply was removed. */
  readonly unlisted: number;
  /** False when what is kept takes more than `maxBytes`. */
  readonly fits: boolean;
}

type RemovedKind = Candidate['kind'] | 'quarantined';

/** Entries that are removed between two looks at the size. */
const ROUND = 2000;
/** A data file with a smaller share of free pages is not worth copying. */
const WORTH_COMPACTING = 0.1;

/** Only for the holder of the build lock. */
export async function collect(store: LocalStore, options: CollectOptions): Promise<Collection> {
  const records = [...store.builds.list()];
  const kept = keptBuilds(store, records, options.keepBuilds);
  const quarantined = folderSize(store, QUARANTINE);
  const bytesBefore = cacheBytes(store, 'file');
  const found = candidates(store, records, kept);
  const limit = options.maxBytes ?? -1;
  let removed: readonly Candidate[];
  let bytesAfter: number;
  if (options.dryRun) {
    const before = cacheBytes(store, 'used') - quarantined.bytes;
    removed = oldest(found, before - limit);
    bytesAfter = Math.max(0, before - total(removed, 'bytes'));
  } else {
    rmSync(join(store.folder, QUARANTINE), { recursive: true, force: true });
    removed = await removeOldest(store, records, found, limit);
    await compactIfWorthIt(store, limit);
    bytesAfter = cacheBytes(store, 'file');
  }
  return {
    builds: kept.builds,
    bytesBefore,
    bytesAfter,
    removed: { ...countByKind(removed), quarantined: quarantined.files },
    dollars: total(removed, 'dollars'),
    unlisted: kept.reach.unlisted.size,
    fits: options.maxBytes === undefined || bytesAfter <= options.maxBytes,
  };
}

/** As many of the first as it takes to free so many bytes. */
function oldest(found: readonly Candidate[], bytes: number): readonly Candidate[] {
  let end = 0;
  for (let left = bytes; end < found.length && left > 0; end++) left -= found[end]!.bytes;
  return found.slice(0, end);
}

/** Removes in rounds until the cache is small enough, because the size of each entry is only an estimate. */
async function removeOldest(
  store: LocalStore,
  records: readonly BuildRecord[],
  found: readonly Candidate[],
  limit: number,
): Promise<readonly Candidate[]> {
  let end = 0;
  while (end < found.length) {
    const over = cacheBytes(store, 'used') - limit;
    if (over <= 0) break;
    const round = oldest(found.slice(end, end + ROUND), over);
    await remove(store, records, round);
    end += round.length;
  }
  return found.slice(0, end);
}

async function remove(
  store: LocalStore,
  records: readonly BuildRecord[],
  removed: readonly Candidate[],
): Promise<void> {
  const names = (kind: Candidate['kind']) => removed.filter((each) => each.kind === kind).map(({ name }) => name);
  // Actions first: a process that dies in between leaves no action without its blobs and replies.
  await store.database.remove('actions', names('actions'));
  await removeAnswers(store, records, names('replies') as Digest[], names('failures') as Digest[]);
  for (const name of names('blobs')) store.blobs.remove(name as Digest);
  for (const name of names('downloads')) rmSync(join(store.folder, DOWNLOADS, name), { force: true });
}

/** The history of a call goes with it. What only the answers told of money stays booked. */
async function removeAnswers(
  { calls, removed, database }: LocalStore,
  records: readonly BuildRecord[],
  replies: readonly Digest[],
  failures: readonly Digest[],
): Promise<void> {
  if (replies.length + failures.length === 0) return;
  // A call that came from another cache can have both, and one history.
  const gone = [...new Set([...replies, ...failures])];
  const history = gone.map((key) => ({ key, answers: calls.superseded(key) }));
  const purchases = {
    replies: replies.map((key) => ({ key, value: calls.get(key) })),
    failures: failures.map((key) => ({ key, value: calls.failure(key) })),
    superseded: history.flatMap(({ key, answers }) => answers.map((value) => ({ key, value }))),
    unresolved: [],
  };
  const unrecorded = unrecordedPurchases(records, purchases, removed.read().of);
  await database.change([
    ...replies.map((key): Change => ['calls', key, undefined]),
    ...failures.map((key): Change => ['failures', key, undefined]),
    ...history.flatMap(({ key, answers }) =>
      answers.map((_, index): Change => ['superseded', historyKey(key, index), undefined]),
    ),
    ...removed.adding(unrecorded),
  ]);
}

async function compactIfWorthIt(store: LocalStore, limit: number): Promise<void> {
  const { file, used } = dataFileSize(store);
  const worth = file - used > Math.max(WORTH_COMPACTING * file, 1 << 16);
  const needed = file > used && limit >= 0 && cacheBytes(store, 'file') > limit;
  if (worth || needed) await store.database.compact();
}

function countByKind(removed: readonly Candidate[]): Record<Candidate['kind'], number> {
  const counts = { replies: 0, failures: 0, actions: 0, blobs: 0, downloads: 0 };
  for (const { kind } of removed) counts[kind]++;
  return counts;
}

const total = (removed: readonly Candidate[], field: 'bytes' | 'dollars'): number =>
  removed.reduce((sum, candidate) => sum + candidate[field], 0);
