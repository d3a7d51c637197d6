/** What the builds of a gate have spent together, and what of its limits that leaves for the next one. */

import type { BuildOutcome } from '../engine/build/build.ts';
import type { BuildOptions } from '../engine/options.ts';

export class GateSpending {
  #failed = 0;
  #bought = 0;
  #billed = 0;
  #unknown = 0;

  /** Dollars; `unknown` may have been billed too. */
  get sums(): { readonly bought: number; readonly billed: number; readonly unknown: number } {
    return { bought: this.#bought, billed: this.#billed, unknown: this.#unknown };
  }

  add({ calls, cost }: Pick<BuildOutcome['totals'], 'calls' | 'cost'>): void {
    this.#bought += calls.bought;
    this.#failed += calls.failed;
    this.#billed += cost.billed;
    this.#unknown += cost.unknown ?? 0;
  }

  /** Undefined where nothing is left. */
  left({ maxCost, maxCalls, unapprovedCost }: BuildOptions['limits']): BuildOptions['limits'] | undefined {
    const used = this.#billed + this.#unknown;
    const calls = maxCalls === undefined ? undefined : maxCalls - this.#bought - this.#failed;
    const cost = maxCost === undefined ? undefined : maxCost - used;
    if ((calls !== undefined && calls <= 0) || (cost !== undefined && cost <= 0)) return undefined;
    return {
      maxCost: cost,
      maxCalls: calls,
      unapprovedCost: unapprovedCost === undefined ? undefined : Math.max(0, unapprovedCost - used),
    };
  }
}
