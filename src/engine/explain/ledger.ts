/** Where the money went: what builds billed, by build, node and model, and what the cache saved. */

import type { BuildRecord, OpenIntent, StoredCall, StoredFailure, Superseded } from '../../core/storage.ts';

export interface Bill {
  readonly bought: number;
  /** Dollars billed. */
  readonly cost: number;
  /** Dollars set aside for tries of unknown outcome: they may have been billed. */
  readonly unknown: number;
}

export interface Ledger {
  readonly builds: readonly (Bill & {
    readonly id: string;
    readonly tags: readonly string[];
    readonly saved: number;
    readonly discount: number;
  })[];
  /** Dearest first. */
  readonly nodes: readonly (Bill & { readonly node: string })[];
  readonly models: readonly (Bill & { readonly identity: string; readonly model: string })[];
  /** Replies in the cache that were bought outside every recorded build: by a canary, or by a build that was killed. */
  readonly unrecorded: Bill;
  readonly billed: number;
  readonly unknown: number;
  readonly saved: number;
  /** Dollars that what came in batches cost less than the same online. */
  readonly discount: number;
  /** Dollars to make what the newest build made from nothing; null where a price or a node is missing. */
  readonly reproduce: number | null;
}

/** Adds up records; `unrecorded` comes from {@link unrecordedCalls}. */
export function ledgerOf(records: readonly BuildRecord[], unrecorded: Bill): Ledger {
  const nodes = new Map<string, { node: string; bought: number; cost: number; unknown: number }>();
  const models = new Map<string, { identity: string; model: string; bought: number; cost: number; unknown: number }>();
  for (const { nodes: built } of records) {
    for (const [node, { bought, cost, unknown = 0, models: bills = [] }] of Object.entries(built)) {
      if (bought === 0 && cost === 0 && unknown === 0) continue;
      const entry = nodes.get(node) ?? { node, bought: 0, cost: 0, unknown: 0 };
      nodes.set(node, entry);
      entry.bought += bought;
      entry.cost += cost;
      entry.unknown += unknown;
      for (const bill of bills) {
        const name = `${bill.identity}\n${bill.model}`;
        const sum = models.get(name) ?? { identity: bill.identity, model: bill.model, bought: 0, cost: 0, unknown: 0 };
        models.set(name, sum);
        sum.bought += bill.bought;
        sum.cost += bill.cost;
        sum.unknown += bill.unknown ?? 0;
      }
    }
  }
  const dearest = <T extends Bill>(entries: Iterable<T>) =>
    [...entries].sort((a, b) => b.cost - a.cost || b.bought - a.bought);
  const builds = records.map(({ id, tags = [], totals }) => ({
    id,
    tags,
    bought: totals.calls.bought,
    cost: totals.cost.billed,
    unknown: totals.cost.unknown ?? 0,
    saved: totals.cost.saved,
    discount: totals.cost.discount ?? 0,
  }));
  return {
    builds,
    nodes: dearest(nodes.values()),
    models: dearest(models.values()),
    unrecorded,
    billed: builds.reduce((sum, { cost }) => sum + cost, 0) + unrecorded.cost,
    unknown: builds.reduce((sum, { unknown }) => sum + unknown, 0) + unrecorded.unknown,
    saved: builds.reduce((sum, { saved }) => sum + saved, 0),
    discount: builds.reduce((sum, { discount }) => sum + discount, 0),
    reproduce: records[0]?.totals.cost.reproduce ?? null,
  };
}

/** Everything in the cache that says what a purchase came to. */
export interface Purchases {
  readonly replies: Iterable<{ readonly value: StoredCall | undefined }>;
  readonly failures: Iterable<{ readonly value: StoredFailure | undefined }>;
  readonly superseded: Iterable<{ readonly value: Superseded | undefined }>;
  /** Tries that were left behind. */
  readonly unresolved: Iterable<OpenIntent>;
}

/** What no recorded build can have bought, by the time of the purchase. */
export function unrecordedCalls(records: readonly BuildRecord[], purchases: Purchases): Bill {
  const spans = records
    .map(({ startedAt, finishedAt }) => [startedAt, finishedAt] as const)
    .sort((a, b) => a[0] - b[0]);
  let bought = 0;
  let cost = 0;
  let unknown = 0;
  const addReply = ({ boughtAt, ...reply }: StoredCall) => {
    if (within(spans, boughtAt)) return;
    bought++;
    cost += reply.cost ?? 0;
    unknown += reply.reserved ?? 0;
  };
  const addFailure = ({ failedAt, cost: billed = 0 }: StoredFailure) => {
    if (!within(spans, failedAt)) cost += billed;
  };
  for (const { value } of purchases.replies) if (value !== undefined) addReply(value);
  for (const { value } of purchases.failures) if (value !== undefined) addFailure(value);
  for (const { value } of purchases.superseded) {
    if (value?.type === 'reply') addReply(value);
    else if (value?.type === 'failure') addFailure(value);
  }
  for (const { intent } of purchases.unresolved) unknown += intent.dollars;
  return { bought, cost, unknown };
}

/** Builds hold a lock, so their spans do not overlap but for the moments around it. */
function within(spans: readonly (readonly [from: number, to: number])[], time: number): boolean {
  let low = 0;
  let high = spans.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = spans[middle]!;
    if (time < from) high = middle - 1;
    else if (time > to) low = middle + 1;
    else return true;
  }
  return false;
}
