/** Permits for tries: waits while what is under way may make room, and ends all buying when nothing can. */

import type { Lane } from '../core/batch.ts';
import type { StoppedCall } from '../core/call.ts';
import type { Listener } from '../core/events.ts';
import type { CallRequest, TryOutcome } from '../core/provider-port.ts';
import type { Admission, Budget, Reservation, Settled } from './budget.ts';

/** A permit that tells what its try came to. */
export interface PricedPermit {
  /** What is set aside. */
  readonly dollars: number;
  /** Resolves when the try may leave, where that is not at once. */
  readonly ready?: () => Promise<void>;
  /** To be called when it has left. */
  readonly sent?: () => void;
  settle(outcome: TryOutcome): Settled;
}

export class Spend {
  readonly #budget: Budget;
  readonly #emit: Listener;
  /** Those that wait for room, in the order of their coming. */
  readonly #waiting: (() => void)[] = [];
  /** Models of which it is told that they count more than their requests allow. */
  readonly #toldExcess = new Set<string>();
  #stop: StoppedCall | undefined;

  constructor(budget: Budget, emit: Listener) {
    this.#budget = budget;
    this.#emit = emit;
  }

  /** Why nothing new is admitted; undefined while buying goes on. */
  get stopped(): StoppedCall | undefined {
    return this.#stop;
  }

  /** Admits nothing new; the first reason stays. */
  stop(reason: StoppedCall): void {
    this.#stop ??= reason;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async admit(order: CallRequest, model: string, lane: Lane = 'online'): Promise<PricedPermit | StoppedCall> {
    while (this.#stop === undefined) {
      const admission = this.#budget.admit(order, model, lane);
      if (admission.ok) {
        // Room for one may be room for two.
        this.#waiting.shift()?.();
        return {
          dollars: admission.reservation.dollars,
          settle: (outcome) => {
            const settled = this.#budget.settle(admission.reservation, outcome);
            if (settled.excessive) this.#tellExcess(admission.reservation, settled.dollars ?? 0);
            this.#waiting.shift()?.();
            return settled;
          },
        };
      }
      if (admission.limit === 'unpriced' || !admission.maybeLater) return this.#refuse(admission, model);
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
    return this.#stop;
  }

  /** Once a model: what comes of more such calls is told by the reports. */
  #tellExcess({ identity, model, dollars }: Reservation, cost: number): void {
    const name = `${model} at ${identity}`;
    if (this.#toldExcess.has(name)) return;
    this.#toldExcess.add(name);
    const text = `${name} counted more tokens than a request allows: $${cost.toFixed(4)} for a call of at most $${dollars.toFixed(4)}. It is booked as told, and each next call of it is reserved at the most that one came to`;
    this.#emit({ type: 'note', text });
  }

  #refuse(admission: Exclude<Admission, { ok: true }>, model: string): StoppedCall {
    const failure: StoppedCall = { class: 'stopped', reason: 'budget', message: refusalText(admission, model) };
    if (admission.limit !== 'unpriced') {
      const { limit, bound } = admission;
      const spent = limit === 'calls' ? this.#budget.calls : this.#budget.spent;
      this.#emit({ type: 'budget-reached', limit: limit === 'calls' ? 'calls' : 'cost', spent, bound });
    }
    this.stop(failure);
    return failure;
  }
}

function refusalText(admission: Exclude<Admission, { ok: true }>, model: string): string {
  switch (admission.limit) {
    case 'unpriced':
      return `no price or no token cap is known for ${model}`;
    case 'cost':
      return `the next call could pass the cap of $${admission.bound}`;
    case 'calls':
      return `the cap of ${admission.bound} calls is reached`;
    case 'approval':
      return `the next call could exceed the approved $${admission.bound}`;
  }
}
