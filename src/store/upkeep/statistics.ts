/** What the cache holds: entries, bytes and dollars, by node, by model and by age. */

import type { StoredCall } from '../../core/storage.ts';
import { QUARANTINE } from '../blobs/quarantine.ts';
import type { LocalStore } from '../store.ts';
import { cacheBytes, DOWNLOADS, dataFileSize, folderSize } from './cache-size.ts';

export interface CallGroup {
  readonly replies: number;
  /** Of requests and replies, as text. */
  readonly bytes: number;
  /** Dollars billed. */
  readonly dollars: number;
  /** Replies whose price was unknown. */
  readonly unpriced: number;
  readonly oldest: number;
  readonly newest: number;
}

export interface Statistics {
  /** On the disk. */
  readonly bytes: number;
  readonly total: CallGroup;
  readonly byKind: ReadonlyMap<string, CallGroup>;
  readonly byNode: ReadonlyMap<string, CallGroup>;
  readonly byModel: ReadonlyMap<string, CallGroup>;
  readonly byAge: ReadonlyMap<string, CallGroup>;
  readonly failures: number;
  readonly actions: number;
  readonly builds: number;
  readonly blobs: { readonly files: number; readonly bytes: number };
  readonly downloads: { readonly files: number; readonly bytes: number };
  readonly quarantine: { readonly files: number; readonly bytes: number };
  /** The data file, and how much of it is in use. */
  readonly dataFile: { readonly bytes: number; readonly used: number };
  /** Replies that are not what was written. */
  readonly damaged: number;
}

const DAY = 86_400_000;
const AGES: readonly (readonly [name: string, days: number])[] = [
  ['last day', 1],
  ['last 7 days', 7],
  ['last 30 days', 30],
  ['last 90 days', 90],
  ['older', Number.POSITIVE_INFINITY],
];

const EMPTY: CallGroup = {
  replies: 0,
  bytes: 0,
  dollars: 0,
  unpriced: 0,
  oldest: Number.POSITIVE_INFINITY,
  newest: Number.NEGATIVE_INFINITY,
};

/** @param now milliseconds since the epoch. */
export function statistics(store: LocalStore, now: number): Statistics {
  const { damaged, ...groups } = groupCalls(store, now);
  const { file, used } = dataFileSize(store);
  return {
    bytes: cacheBytes(store, 'file'),
    ...groups,
    failures: count(store.calls.scanFailures()),
    actions: count(store.actions.scan()),
    builds: count(store.builds.scan()),
    blobs: folderSize(store, 'blobs'),
    downloads: folderSize(store, DOWNLOADS),
    quarantine: folderSize(store, QUARANTINE),
    dataFile: { bytes: file, used },
    damaged,
  };
}

type GroupedCalls = Pick<Statistics, 'total' | 'byKind' | 'byNode' | 'byModel' | 'byAge' | 'damaged'>;

function groupCalls(store: LocalStore, now: number): GroupedCalls {
  const kinds = kindsOfNodes(store);
  const total = new Groups();
  const byKind = new Groups();
  const byNode = new Groups();
  const byModel = new Groups();
  const byAge = new Groups();
  for (const [name] of AGES) byAge.open(name);
  let damaged = 0;
  for (const { value } of store.calls.scan()) {
    if (value === undefined) {
      damaged++;
      continue;
    }
    total.add('', value);
    byKind.add(kinds.get(value.node) ?? value.node.split('/')[0] ?? '', value);
    byNode.add(value.node, value);
    byModel.add(value.model, value);
    byAge.add(AGES.find(([, days]) => now - value.boughtAt < days * DAY)?.[0] ?? 'older', value);
  }
  return {
    total: total.groups.get('') ?? EMPTY,
    byKind: byKind.groups,
    byNode: byNode.groups,
    byModel: byModel.groups,
    byAge: byAge.groups,
    damaged,
  };
}

function count(entries: Iterable<unknown>): number {
  let seen = 0;
  for (const _ of entries) seen++;
  return seen;
}

class Groups {
  readonly groups = new Map<string, CallGroup>();

  open(name: string): void {
    this.groups.set(name, EMPTY);
  }

  add(name: string, call: StoredCall): void {
    const group = this.groups.get(name) ?? EMPTY;
    this.groups.set(name, {
      replies: group.replies + 1,
      bytes: group.bytes + Buffer.byteLength(call.request) + Buffer.byteLength(call.raw),
      dollars: group.dollars + (call.cost ?? 0),
      unpriced: group.unpriced + (call.cost === null ? 1 : 0),
      oldest: Math.min(group.oldest, call.boughtAt),
      newest: Math.max(group.newest, call.boughtAt),
    });
  }
}

/** The kind of each node that a build record names. */
function kindsOfNodes(store: LocalStore): Map<string, string> {
  const kinds = new Map<string, string>();
  for (const { nodes } of store.builds.list()) {
    for (const [name, { key }] of Object.entries(nodes)) {
      if (key === null || kinds.has(name)) continue;
      const kind = store.actions.get(key)?.kind;
      if (kind !== undefined) kinds.set(name, kind);
    }
  }
  return kinds;
}
