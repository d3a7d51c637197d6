/**
 * The sums that a cap is held by: a try reserves its worst case before it is sent, and is settled once, on the reported
 * usage or, where its outcome is unknown, on the whole reservation. Thus a cap holds under any concurrency, as far as
 * the provider's usage is true.
 */

import type { Lane } from '../core/batch.ts';
import type { CallRequest, PriceBook, TryOutcome } from '../core/provider-port.ts';

export interface BudgetLimits {
  /** Dollars that this build may spend, simulated dollars included; undefined: no cap. */
  readonly maxCost: number | undefined;
  /** Dollars of real money that may be spent without an approval; undefined: approved. */
  readonly unapprovedCost: number | undefined;
  /** Requests that may be sent: each try is one. */
  readonly maxCalls: number | undefined;
}

/** The most that may be spent, where whoever holds the cap does not tell real money from play: the lower of the two. */
export const lowerCap = ({ maxCost, unapprovedCost }: Pick<BudgetLimits, 'maxCost' | 'unapprovedCost'>) =>
  unapprovedCost === undefined ? maxCost : Math.min(unapprovedCost, maxCost ?? unapprovedCost);

export type Admission =
  | { readonly ok: true; readonly reservation: Reservation }
  | {
      readonly ok: false;
      readonly limit: 'cost' | 'calls' | 'approval';
      readonly bound: number;
      /** Tries under way reserve their worst case; ask again once they are settled. */
      readonly maybeLater: boolean;
    }
  | { readonly ok: false; readonly limit: 'unpriced' };

export interface Reservation {
  readonly dollars: number;
  /** False where no worst case is known, so that nothing is reserved: the money is then simulated. */
  readonly priced: boolean;
  readonly real: boolean;
  readonly identity: string;
  readonly model: string;
  readonly lane: Lane;
}

/** What one try came to. */
export interface Settled {
  /** Null where the model has no price. */
  readonly dollars: number | null;
  /** False where the outcome is unknown, so that the dollars are those that were reserved. */
  readonly certain: boolean;
  /** Set where it is more than what was set aside: the next calls of the model reserve as much. */
  readonly excessive?: true;
}

export class Budget {
  readonly #limits: BudgetLimits;
  readonly #prices: PriceBook;
  readonly #underway = new Set<Reservation>();
  /** What one try of a model came to where that was more than its worst case; the next ones reserve as much. */
  readonly #dearest = new Map<string, number>();
  #calls = 0;
  #spent = 0;
  #reserved = 0;
  /** What is out in batches: it makes no room while a build waits for it. */
  readonly #batched = new Set<Reservation>();
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

  /** Tries that were sent or are about to be. */
  get calls(): number {
    return this.#calls;
  }

  admit(order: CallRequest, model: string, lane: Lane = 'online'): Admission {
    const { maxCost, unapprovedCost, maxCalls } = this.#limits;
    if (maxCalls !== undefined && this.#calls >= maxCalls) {
      return { ok: false, limit: 'calls', bound: maxCalls, maybeLater: false };
    }
    const refused = (limit: 'cost' | 'approval', bound: number, withoutFlying: number): Admission => ({
      ok: false,
      limit,
      bound,
      maybeLater: this.#underway.size > 0 && withoutFlying + this.#outInBatches(limit === 'approval') <= bound,
    });
    const real = !this.#prices.simulated(order.identity);
    const worst = this.#prices.worstCase(order.identity, model, order, lane);
    if (worst === undefined && (real || maxCost !== undefined)) return { ok: false, limit: 'unpriced' };
    const dollars = Math.max(worst ?? 0, this.#dearest.get(modelName(order.identity, model, lane)) ?? 0);
    if (maxCost !== undefined && this.#spent + this.#reserved + dollars > maxCost) {
      return refused('cost', maxCost, this.#spent + dollars);
    }
    if (real && unapprovedCost !== undefined && this.#realSpent + this.#realReserved + dollars > unapprovedCost) {
      return refused('approval', unapprovedCost, this.#realSpent + dollars);
    }
    this.#calls++;
    this.#reserved += dollars;
    if (real) this.#realReserved += dollars;
    const { identity } = order;
    const reservation: Reservation = { dollars, priced: worst !== undefined, real, identity, model, lane };
    (lane === 'batch' ? this.#batched : this.#underway).add(reservation);
    return { ok: true, reservation };
  }

  /** Replaces a reservation by what the try came to, once. */
  settle(reservation: Reservation, outcome: TryOutcome): Settled {
    this.#unreserve(reservation);
    const settled = this.#priced(reservation, outcome);
    const spent = settled.dollars ?? 0;
    this.#spent += spent;
    if (reservation.real) this.#realSpent += spent;
    return settled;
  }

  #priced({ dollars, priced, identity, model, lane }: Reservation, outcome: TryOutcome): Settled {
    if (outcome.billed === 'maybe') return { dollars: priced ? dollars : null, certain: false };
    if (outcome.billed === 'no') {
      if (outcome.unsent) this.#calls--;
      return { dollars: 0, certain: true };
    }
    const cost = this.#prices.cost(identity, model, outcome.billed, lane);
    if (cost === undefined) return { dollars: null, certain: true };
    if (cost <= dollars) return { dollars: cost, certain: true };
    const name = modelName(identity, model, lane);
    this.#dearest.set(name, Math.max(cost, this.#dearest.get(name) ?? 0));
    return { dollars: cost, certain: true, ...(priced ? { excessive: true } : {}) };
  }

  #outInBatches(realOnly: boolean): number {
    let dollars = 0;
    for (const reservation of this.#batched) if (reservation.real || !realOnly) dollars += reservation.dollars;
    return dollars;
  }

  #unreserve(reservation: Reservation): void {
    if (!this.#underway.delete(reservation) && !this.#batched.delete(reservation))
      throw new Error('Internal error: a reservation was settled twice');
    // Sums of floating-point dollars leave dust; where nothing flies, nothing is reserved.
    if (this.#underway.size + this.#batched.size === 0) {
      this.#reserved = 0;
      this.#realReserved = 0;
      return;
    }
    this.#reserved -= reservation.dollars;
    if (reservation.real) this.#realReserved -= reservation.dollars;
  }
}

const modelName = (identity: string, model: string, lane: Lane): string => `${lane} ${identity}\n${model}`;
