/** Whether a node of calls can still become good enough while it is bought, so that nothing is paid for a lost cause. */

import { isUsable } from '../../core/summary.ts';

/** Why a node was given up. */
export interface Hopeless {
  /** Rows that are not usable, by status; most frequent first. */
  readonly statuses: readonly (readonly [status: string, count: number])[];
  /** Rows that were settled when it was given up. */
  readonly settled: number;
  /** Set where the first items alone were enough. */
  readonly atFirst: boolean;
  readonly items: number;
  readonly tolerate: number;
}

/** A row as it ends: its status, and whether it was asked for in this build. */
interface Settlement {
  readonly status: string;
  readonly asked: boolean;
}

/** So many items are bought before the rest: what ails them all is seen in them. */
export const FIRST_ITEMS = 20;

export class Prospects {
  readonly #tolerate: number;
  readonly #countItems: () => number;
  readonly #lacking = new Map<string, number>();
  readonly #first = new Map<string, number>();
  #items: number | undefined;
  #settled = 0;
  #bad = 0;
  #asked = 0;
  #hopeless: Hopeless | undefined;

  /** @param countItems how many items the node has; asked once, and only where a row is not usable. */
  constructor(tolerate: number, countItems: () => number) {
    this.#tolerate = tolerate;
    this.#countItems = countItems;
  }

  /** Undefined while the node can still become good enough. */
  get hopeless(): Hopeless | undefined {
    return this.#hopeless;
  }

  /** Rows that were settled before this build began to buy. */
  before(settled: number, statuses: Readonly<Record<string, number>>): void {
    this.#settled += settled;
    for (const [status, count] of Object.entries(statuses)) this.#add(this.#lacking, status, count);
    this.#judge();
  }

  settle({ status, asked }: Settlement): void {
    this.#settled++;
    if (asked && this.#asked++ < FIRST_ITEMS) this.#add(this.#first, status, 1, false);
    this.#add(this.#lacking, status, 1);
    this.#judge();
  }

  /** To be asked when the first items are settled: one reason that spoils most of them spoils the rest as well. */
  judgeFirst(): void {
    const asked = Math.min(this.#asked, FIRST_ITEMS);
    if (asked < FIRST_ITEMS || this.#hopeless !== undefined) return;
    const bad = [...this.#first].filter(([status]) => !isUsable(status));
    const most = Math.max(0, ...bad.map(([, count]) => count));
    const share = bad.reduce((sum, [, count]) => sum + count, 0) / asked;
    if (most > asked / 2 && share > this.#tolerate) this.#giveUp(this.#first, asked, true);
  }

  #add(counts: Map<string, number>, status: string, count: number, counted = true): void {
    if (isUsable(status) && counted) return;
    counts.set(status, (counts.get(status) ?? 0) + count);
    if (counted) this.#bad += count;
  }

  #judge(): void {
    if (this.#bad === 0 || this.#hopeless !== undefined) return;
    this.#items ??= this.#countItems();
    // The same sum as of a finished node's summary, so that what is given up would have failed.
    if (this.#bad / this.#items > this.#tolerate) this.#giveUp(this.#lacking, this.#settled, false);
  }

  #giveUp(counts: ReadonlyMap<string, number>, settled: number, atFirst: boolean): void {
    const statuses = [...counts].filter(([status]) => !isUsable(status)).sort(([, a], [, b]) => b - a);
    this.#items ??= this.#countItems();
    this.#hopeless = { statuses, settled, atFirst, items: this.#items, tolerate: this.#tolerate };
  }
}

/** One line: how many rows of how many cannot be used, why, and how many might be missing. */
export function hopelessText({ statuses, settled, atFirst, items, tolerate }: Hopeless): string {
  const bad = statuses.reduce((sum, [, count]) => sum + count, 0);
  const reasons = statuses.map(([status, count]) => `${count} ${status}`).join(', ');
  const of = atFirst ? `the first ${settled} items` : `${settled} settled items`;
  return `stopped: ${bad} of ${of} are unusable (${reasons}); ${(tolerate * 100).toFixed(1)} % of ${items} are tolerated`;
}
