/**
 * The budget reserves a call's worst case before it is sent and settles on the reported usage after it, so that a cap
 * holds under any concurrency, as far as the provider's usage is true.
 */

import type { Usage } from '../core/call.ts';
import type { Order, PriceBook } from '../core/market.ts';

export interface BudgetLimits {
  /** Dollars that this build may spend, simulated dollars included; undefined: no cap. */
  readonly maxCost: number | undefined;
  /** Dollars of real money that may be spent without an approval; undefined: approved. */
  readonly unapprovedCost: number | undefined;
  readonly maxCalls: number | undefined;
}

export type Admission =
  | { readonly ok: true; readonly reservation: Reservation }
  | {
      readonly ok: false;
      readonly limit: 'cost' | 'calls' | 'approval';
      readonly bound: number;
      /** What flies has reserved more than it may turn out to take: there can be room when it has landed. */
      readonly maybeLater: boolean;
    }
  | { readonly ok: false; readonly limit: 'unpriced' };

export interface Reservation {
  readonly dollars: number;
  readonly real: boolean;
  readonly identity: string;
  readonly model: string;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #prices: PriceBook;
  #calls = 0;
  #flying = 0;
  #spent = 0;
  #reserved = 0;
  #realSpent = 0;
  #realReserved = 0;

  constructor(limits: BudgetLimits, prices: PriceBook) {
    this.#limits = limits;
    this.#prices = prices;
  }

  /** Dollars settled so far, by reported usage; unknown outcomes count as their reservation. */
  get spent(): number {
    return this.#spent;
  }

  get calls(): number {
    return this.#calls;
  }

  admit(order: Order, model: string): Admission {
    const { maxCost, unapprovedCost, maxCalls } = this.#limits;
    const refused = (limit: 'cost' | 'calls' | 'approval', bound: number, withoutFlying: number): Admission => ({
      ok: false,
      limit,
      bound,
      maybeLater: this.#flying > 0 && withoutFlying <= bound,
    });
    if (maxCalls !== undefined && this.#calls >= maxCalls) {
      return refused('calls', maxCalls, this.#calls - this.#flying + 1);
    }
    const real = !this.#prices.simulated(order.identity);
    const worst = this.#prices.worstCase(order.identity, model, order.body);
    if (worst === undefined && (real || maxCost !== undefined)) return { ok: false, limit: 'unpriced' };
    const dollars = worst ?? 0;
    if (maxCost !== undefined && this.#spent + this.#reserved + dollars > maxCost) {
      return refused('cost', maxCost, this.#spent + dollars);
    }
    if (real && unapprovedCost !== undefined && this.#realSpent + this.#realReserved + dollars > unapprovedCost) {
      return refused('approval', unapprovedCost, this.#realSpent + dollars);
    }
    this.#calls++;
    this.#flying++;
    this.#reserved += dollars;
    if (real) this.#realReserved += dollars;
    return { ok: true, reservation: { dollars, real, identity: order.identity, model } };
  }

  /** Replaces a reservation by what the usage costs; returns the dollars billed, null for an unknown price. */
  settle(reservation: Reservation, usage: Usage | 'unknown'): number | null {
    this.#unreserve(reservation);
    const cost =
      usage === 'unknown' ? reservation.dollars : this.#prices.cost(reservation.identity, reservation.model, usage);
    this.#spent += cost ?? 0;
    if (reservation.real) this.#realSpent += cost ?? 0;
    return cost ?? null;
  }

  /** Keeps another reservation for each earlier try of the same call whose outcome nobody knows: it may have been billed. */
  keepUnknown(reservation: Reservation, tries: number): number {
    const dollars = reservation.dollars * tries;
    this.#spent += dollars;
    if (reservation.real) this.#realSpent += dollars;
    return dollars;
  }

  /** Gives a reservation back: the call was not billed. It does not count as a call either. */
  release(reservation: Reservation): void {
    this.#unreserve(reservation);
    this.#calls--;
  }

  #unreserve(reservation: Reservation): void {
    this.#flying--;
    // Sums of floating-point dollars leave dust; where nothing flies, nothing is reserved.
    if (this.#flying === 0) {
      this.#reserved = 0;
      this.#realReserved = 0;
      return;
    }
    this.#reserved -= reservation.dollars;
    if (reservation.real) this.#realReserved -= reservation.dollars;
  }
}
