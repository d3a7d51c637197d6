/**
 * The budget reserves a call's worst case before it is sent and settles on the reported usage after it, so that a cap
 * holds under any concurrency, as far as the provider's usage is true.
 */

import type { CallRequest, CallResult, PriceBook } from '../core/provider-port.ts';

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
      /** Calls in flight reserve their worst case; try again once they settle. */
      readonly maybeLater: boolean;
    }
  | { readonly ok: false; readonly limit: 'unpriced' };

export interface Reservation {
  readonly dollars: number;
  readonly real: boolean;
  readonly identity: string;
  readonly model: string;
}

/** Dollars that a call came to. */
export interface Settled {
  /** What the reply cost; null without a reply, and where its model has no price. */
  readonly reply: number | null;
  /** Dollars kept for tries whose outcome is unknown. */
  readonly unknown: number;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #prices: PriceBook;
  #calls = 0;
  readonly #underway = new Set<Reservation>();
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

  admit(order: CallRequest, model: string): Admission {
    const { maxCost, unapprovedCost, maxCalls } = this.#limits;
    const refused = (limit: 'cost' | 'calls' | 'approval', bound: number, withoutFlying: number): Admission => ({
      ok: false,
      limit,
      bound,
      maybeLater: this.#underway.size > 0 && withoutFlying <= bound,
    });
    if (maxCalls !== undefined && this.#calls >= maxCalls) {
      return refused('calls', maxCalls, this.#calls - this.#underway.size + 1);
    }
    const real = !this.#prices.simulated(order.identity);
    const worst = this.#prices.worstCase(order.identity, model, order);
    if (worst === undefined && (real || maxCost !== undefined)) return { ok: false, limit: 'unpriced' };
    const dollars = worst ?? 0;
    if (maxCost !== undefined && this.#spent + this.#reserved + dollars > maxCost) {
      return refused('cost', maxCost, this.#spent + dollars);
    }
    if (real && unapprovedCost !== undefined && this.#realSpent + this.#realReserved + dollars > unapprovedCost) {
      return refused('approval', unapprovedCost, this.#realSpent + dollars);
    }
    this.#calls++;
    this.#reserved += dollars;
    if (real) this.#realReserved += dollars;
    const reservation: Reservation = { dollars, real, identity: order.identity, model };
    this.#underway.add(reservation);
    return { ok: true, reservation };
  }

  /**
   * Replaces a reservation by what the call came to, once. Each try that may have been billed keeps the worst case; a
   * call that was certainly not billed does not count as a call either.
   */
  settle(reservation: Reservation, delivery: CallResult): Settled {
    this.#unreserve(reservation);
    const tries = unknownTries(delivery);
    const unknown = reservation.dollars * tries;
    let reply: number | null = null;
    if (delivery.ok) {
      const { identity, model, dollars } = reservation;
      reply = delivery.usageKnown ? (this.#prices.cost(identity, model, delivery.usage) ?? null) : dollars;
    } else if (tries === 0) this.#calls--;
    const spent = unknown + (reply ?? 0);
    this.#spent += spent;
    if (reservation.real) this.#realSpent += spent;
    return { reply, unknown };
  }

  #unreserve(reservation: Reservation): void {
    if (!this.#underway.delete(reservation)) throw new Error('Internal error: a reservation was settled twice');
    // Sums of floating-point dollars leave dust; where nothing flies, nothing is reserved.
    if (this.#underway.size === 0) {
      this.#reserved = 0;
      this.#realReserved = 0;
      return;
    }
    this.#reserved -= reservation.dollars;
    if (reservation.real) this.#realReserved -= reservation.dollars;
  }
}

/** Tries that may have been billed and whose usage is unknown, the reply's own try apart. */
function unknownTries(delivery: CallResult): number {
  return delivery.unknownOutcomes ?? (!delivery.ok && delivery.maybeBilled ? 1 : 0);
}
