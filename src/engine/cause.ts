/** Why a node runs, or does not: typed where it is found, put into words here and nowhere else. */

import { describeChanges } from './changes.ts';
import type { PartChange } from './keys.ts';

export type Cause =
  | { readonly type: 'up-to-date' | 'forced' | 'new' | 'no-result' | 'retry-failed' | 'output-missing' }
  | Incomplete
  | Mixed
  | { readonly type: 'changed'; readonly changes: readonly PartChange[] }
  /** `on`: upstream nodes whose outputs are not known before they run. */
  | { readonly type: 'waits'; readonly on: readonly string[]; readonly changes: readonly PartChange[] };

/** A recorded node lacks more rows than its stage tolerates. */
export interface Incomplete {
  readonly type: 'incomplete';
  /** Rows by status where it is not `ok`. */
  readonly lacking: Readonly<Record<string, number>>;
  readonly items: number;
  /** The share of items that may be missing. */
  readonly tolerate: number;
}

/** The replies of a recorded node are of several snapshots of a model that is to be one. */
export interface Mixed {
  readonly type: 'mixed';
  /** Such as `20 of 40 replies say m-2024-05, 20 say m-2025-11, asked m`. */
  readonly served: string;
}

/** How many items of a node ask something that is not stored, as far as their requests can be built. */
export interface Requests {
  readonly items: number;
  readonly unsettled: number;
  /** An earlier build made the node, so that what is not stored differs from what was asked then. */
  readonly edited: boolean;
}

/** @param kind the node's kind, which names its code */
export function causeText(cause: Cause, kind: string): string {
  switch (cause.type) {
    case 'up-to-date':
      return 'up to date';
    case 'forced':
      return 'forced';
    case 'new':
      return 'not built yet';
    case 'no-result':
      return 'not built before with these settings and inputs';
    case 'retry-failed':
      return 'asks again for what failed';
    case 'output-missing':
      return 'an output is missing from the cache';
    case 'incomplete':
    case 'mixed':
      return incompleteText(cause);
    case 'changed':
      return `${describeChanges(cause.changes, kind)} changed`;
    case 'waits': {
      const [first, ...more] = cause.on;
      const waits = `depends on ${first}${more.length > 0 ? ` and ${more.length} more` : ''}`;
      return cause.changes.length === 0 ? waits : `${describeChanges(cause.changes, kind)} changed, ${waits}`;
    }
  }
}

export function incompleteText(why: Incomplete | Mixed): string {
  if (why.type === 'mixed') return `${why.served}; the provider file wants one snapshot`;
  const { lacking, items, tolerate } = why;
  const counts = Object.entries(lacking).map(([status, count]) => `${count} ${status}`);
  return `${counts.join(', ')} of ${items} items; the stage tolerates ${(tolerate * 100).toFixed(1)} %`;
}

/** How many requests are not stored, as the end of a reason; empty where nothing is known of them. */
export function requestsText({ items, unsettled, edited }: Requests, cause: Cause): string {
  if (cause.type === 'waits' && (items === 0 || unsettled === 0)) return '';
  if (unsettled === 0) return ': every reply is stored';
  const counts = `${unsettled.toLocaleString('en-US')} of ${items.toLocaleString('en-US')} requests`;
  return edited ? `: ${counts} differ` : `: ${counts} to buy`;
}

/** The cause, and what is to be bought for it. */
export function reasonText(why: Cause, requests: Requests | undefined, kind: string): string {
  return `${causeText(why, kind)}${requests === undefined ? '' : requestsText(requests, why)}`;
}
