/** What was bought outside every recorded build: the purchases themselves are its only book. */

import type { BuildRecord, OpenIntent, StoredCall, StoredFailure, Superseded } from './storage.ts';

export interface Bill {
  readonly bought: number;
  /** Dollars billed. */
  readonly cost: number;
  /** Dollars set aside for tries of unknown outcome: they may have been billed. */
  readonly unknown: number;
}

export const addBills = (a: Bill, b: Bill): Bill => ({
  bought: a.bought + b.bought,
  cost: a.cost + b.cost,
  unknown: a.unknown + b.unknown,
});

/** What says what a purchase came to. */
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
