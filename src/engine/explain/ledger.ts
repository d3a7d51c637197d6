/** Where the money went: what builds billed, by build, node and model, and what the cache saved. */

import type { BuildRecord } from '../../core/storage.ts';
import type { Bill } from '../../core/unrecorded.ts';

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
  /** What was bought outside every recorded build: by a canary, or by a build that was killed or had no room for its record. */
  readonly unrecorded: Bill;
  readonly billed: number;
  readonly unknown: number;
  readonly saved: number;
  /** Dollars that what came in batches cost less than the same online. */
  readonly discount: number;
  /** Dollars to make what the newest build made from nothing; null where a price or a node is missing. */
  readonly reproduce: number | null;
}

/** Adds up records; `unrecorded`: what none of them tells of. */
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
