/** What a node knows of its own completeness: how many items it has, how they ended, what its calls amount to. */

import type { JsonObject } from './json.ts';

/** The status of a row that holds what was asked for. Every other but {@link TRUNCATED} names why it does not. */
export const OK = 'ok';

/** A text that was cut at the token limit. It is used like any other, and counted by name wherever rows are counted. */
export const TRUNCATED = 'truncated';

export const isUsable = (status: string): boolean => status === OK || status === TRUNCATED;

/** Calls to one model that stand behind a node's rows, each distinct request once. */
export type CallTally = {
  readonly identity: string;
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Who answered, the most frequent first; absent where every reply that names a model names the one that was asked. */
  readonly served?: readonly ServedName[];
  /** Replies whose usage is missing or cannot be true; absent where there are none. */
  readonly uncounted?: number;
  /** Replies that count more tokens than their requests allow; absent where there are none. */
  readonly excessive?: number;
};

/** Replies under one name, by the server's own account. */
export type ServedName = {
  readonly name: string;
  readonly replies: number;
  /** Those of them that were refused because it is another model; absent where none was. */
  readonly refused?: number;
};

/** Written beside a node's rows as `summary.json`, so it is part of what the node's dependants see. */
export type Summary = {
  readonly items: number;
  /** Rows by status, `ok` among them. Rows without a status count as ok. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly calls: readonly CallTally[];
  /** Set when nothing in the node can be trusted: a result, not a failure. */
  readonly refusal?: string;
  /** What was left out or taken otherwise than written, counted and named. */
  readonly notes?: readonly string[];
};

export const completeItems = ({ statuses }: Summary): number => (statuses[OK] ?? 0) + truncatedItems({ statuses });

export const truncatedItems = ({ statuses }: Pick<Summary, 'statuses'>): number => statuses[TRUNCATED] ?? 0;

/** Rows that are not usable, by status. */
export const lackingItems = ({ statuses }: Summary): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(statuses).filter(([status]) => !isUsable(status)));

/** Share of items that are not usable, in [0, 1]; 0 for a node without items. A quotient, so that 3 of 10 are 0.3. */
export function missingShare(summary: Summary): number {
  return summary.items === 0 ? 0 : (summary.items - completeItems(summary)) / summary.items;
}

export function statusOf(row: JsonObject): string {
  return typeof row.status === 'string' ? row.status : OK;
}
