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

/** What says what a purchase came to; keys of superseded answers begin with their call's. */
export interface Purchases {
  readonly replies: Iterable<{ readonly key: string; readonly value: StoredCall | undefined }>;
  readonly failures: Iterable<{ readonly key: string; readonly value: StoredFailure | undefined }>;
  readonly superseded: Iterable<{ readonly key: string; readonly value: Superseded | undefined }>;
  /** Tries that were left behind. */
  readonly unresolved: Iterable<OpenIntent>;
}

/** When an answer was paid for, and with how many dollars. */
const paid = (answer: Superseded) =>
  answer.type === 'reply'
    ? { at: answer.boughtAt, dollars: answer.cost ?? answer.reserved }
    : { at: answer.failedAt, dollars: answer.cost };

/** @param key the call's, or one that begins with it */
export function purchaseId(key: string, answer: Superseded): string {
  const [call] = key.split('/', 1);
  const { at, dollars } = paid(answer);
  return `${call}/${at}/${dollars ?? ''}`;
}

export interface UnrecordedPurchases {
  readonly bill: Bill;
  /** What each purchase is known by, wherever it turns up again. */
  readonly of: readonly string[];
}

/**
 * What no recorded build can have bought, by the time of the purchase; each purchase once.
 *
 * @param booked those that another book has: a pack or a damaged file can bring back what was removed
 */
export function unrecordedPurchases(
  records: readonly BuildRecord[],
  purchases: Purchases,
  booked: ReadonlySet<string> = new Set(),
): UnrecordedPurchases {
  const spans = records
    .map(({ startedAt, finishedAt }) => [startedAt, finishedAt] as const)
    .sort((a, b) => a[0] - b[0]);
  let bought = 0;
  let cost = 0;
  let unknown = 0;
  const of = new Set<string>();
  const add = (key: string, answer: Superseded) => {
    const { at } = paid(answer);
    const id = purchaseId(key, answer);
    if (within(spans, at) || booked.has(id) || of.has(id)) return;
    if (answer.type === 'failure' && answer.cost === undefined) return;
    of.add(id);
    cost += answer.cost ?? 0;
    if (answer.type === 'failure') return;
    bought++;
    unknown += answer.reserved ?? 0;
  };
  for (const { key, value } of purchases.replies) if (value !== undefined) add(key, { type: 'reply', ...value });
  for (const { key, value } of purchases.failures) if (value !== undefined) add(key, { type: 'failure', ...value });
  for (const { key, value } of purchases.superseded) if (value !== undefined) add(key, value);
  for (const { intent } of purchases.unresolved) unknown += intent.dollars;
  return { bill: { bought, cost, unknown }, of: [...of] };
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
