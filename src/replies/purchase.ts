/**
 * Buys what the store lacks: one flight for equal keys, a reservation before the call, a committed record after it.
 * Only when the record is on disk is a reply counted, reported or answered.
 */

import type { CallFailure, KeyedCall, StoppedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { Listener } from '../core/events.ts';
import type { Protocols } from '../core/protocol.ts';
import type { CallRequest, ProviderClient } from '../core/provider-port.ts';
import type { CallStore, Known, ModelBill, StoredCall } from '../core/storage.ts';
import type { Admission, Budget } from './spend.ts';

export interface CallMeter {
  bought: number;
  failed: number;
  inFlight: number;
  /** Dollars billed. */
  cost: number;
  /** The same by model, for the ledger. */
  readonly models: ModelBill[];
}

export const newMeter = (): CallMeter => ({ bought: 0, failed: 0, inFlight: 0, cost: 0, models: [] });

/** Adds to a meter what a model billed. */
function bill(meter: CallMeter, identity: string, model: string, bought: number, cost: number): void {
  meter.bought += bought;
  meter.cost += cost;
  if (bought === 0 && cost === 0) return;
  const at = meter.models.findIndex((entry) => entry.identity === identity && entry.model === model);
  const before = meter.models[at];
  if (before === undefined) meter.models.push({ identity, model, bought, cost });
  else meter.models[at] = { identity, model, bought: before.bought + bought, cost: before.cost + cost };
}

export type Fetched =
  | Known
  | { readonly type: 'unavailable'; readonly failure: Exclude<CallFailure, { class: 'permanent' }> };

export interface PurchaserOptions {
  readonly calls: CallStore;
  readonly buyer: ProviderClient;
  readonly budget: Budget;
  readonly protocols: Protocols;
  readonly now: () => number;
  readonly emit: Listener;
  /** Aborted when the build must stop at once. */
  readonly signal: AbortSignal;
  /** Aborted when nothing new may be sent. */
  readonly drain: AbortSignal;
  /** The most calls in flight. */
  readonly jobs: number;
}

export class Purchaser {
  readonly #options: PurchaserOptions;
  readonly #inFlight = new Map<Digest, Promise<Fetched>>();
  readonly #waiting: (() => void)[] = [];
  /** Calls that wait for the budget: it has room for them once some of the calls in flight settle. */
  readonly #postponed: (() => void)[] = [];
  /** Providers that were reported as stopped. */
  readonly #unreachable = new Set<string>();
  #active = 0;
  #stop: StoppedCall | undefined;
  /** Why replies can no longer be stored; buying more would be paying for nothing. */
  #unstorable: { readonly error: unknown } | undefined;

  constructor(options: PurchaserOptions) {
    this.#options = options;
  }

  /** Why nothing new is admitted; undefined while buying goes on. */
  get stopped(): StoppedCall | undefined {
    return this.#stop;
  }

  /** Admits nothing new; calls in flight are awaited and kept. */
  stop(reason: StoppedCall): void {
    this.#stop ??= reason;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting.splice(0), ...this.#postponed.splice(0)]) wake();
  }

  /** Equal keys in flight are bought once: the second asker shares the first one's flight. */
  buy(call: KeyedCall, node: string, meter: CallMeter): Promise<Fetched> {
    const underway = this.#inFlight.get(call.key);
    if (underway !== undefined) return underway;
    const flight = this.#fly(call, node, meter).finally(() => this.#inFlight.delete(call.key));
    this.#inFlight.set(call.key, flight);
    return flight;
  }

  async #fly(call: KeyedCall, node: string, meter: CallMeter): Promise<Fetched> {
    if (this.#active >= this.#options.jobs) await new Promise<void>((wake) => this.#waiting.push(wake));
    if (this.#unstorable !== undefined) throw this.#unstorable.error;
    if (this.#stop !== undefined) return { type: 'unavailable', failure: this.#stop };
    this.#active++;
    meter.inFlight++;
    try {
      return await this.#purchase(call, node, meter);
    } catch (error) {
      this.#unstorable ??= { error };
      this.#wakeAll();
      throw error;
    } finally {
      this.#active--;
      meter.inFlight--;
      this.#waiting.shift()?.();
      this.#postponed.shift()?.();
    }
  }

  async #purchase(call: KeyedCall, node: string, meter: CallMeter): Promise<Fetched> {
    const { calls, buyer, budget, protocols, now, emit, signal, drain } = this.#options;
    const { identity, path } = call.request;
    const model = protocols(path).modelOf(call.request.body);
    const order: CallRequest = { key: call.key, identity, path, body: call.body };
    let admission = budget.admit(order, model);
    while (!admission.ok) {
      if (admission.limit === 'unpriced' || !admission.maybeLater) {
        return { type: 'unavailable', failure: this.#refuse(admission, model) };
      }
      await new Promise<void>((wake) => this.#postponed.push(wake));
      if (this.#unstorable !== undefined) throw this.#unstorable.error;
      if (this.#stop !== undefined) return { type: 'unavailable', failure: this.#stop };
      admission = budget.admit(order, model);
    }
    // Room for one may be room for two.
    this.#postponed.shift()?.();

    const delivery = await buyer.buy(order, {
      signal,
      drain,
      onRetry: (failure, waitMilliseconds) => emit({ type: 'call-retry', node, failure, waitMilliseconds }),
    });
    const { reply: cost, unknown } = budget.settle(admission.reservation, delivery);
    bill(meter, identity, model, 0, unknown);
    if (!delivery.ok) {
      const { failure } = delivery;
      if (failure.class === 'fatal' && !this.#unreachable.has(identity)) {
        this.#unreachable.add(identity);
        emit({ type: 'provider-stopped', identity, failure });
      }
      if (failure.class !== 'permanent') return { type: 'unavailable', failure };
      await calls.putFailure(call.key, { request: call.text, failure, failedAt: now(), node });
      meter.failed++;
      return { type: 'failure', failure };
    }
    const stored: StoredCall = {
      request: call.text,
      raw: delivery.raw,
      usage: delivery.usage,
      model,
      identity,
      cost,
      boughtAt: now(),
      node,
    };
    await calls.put(call.key, stored);
    if (calls.failure(call.key) !== undefined) await calls.removeFailure(call.key);
    bill(meter, identity, model, 1, cost ?? 0);
    return { type: 'reply', stored };
  }

  #refuse(admission: Exclude<Admission, { ok: true }>, model: string): StoppedCall {
    const { budget, emit } = this.#options;
    let failure: StoppedCall;
    if (admission.limit === 'unpriced') {
      failure = { class: 'stopped', reason: 'budget', message: `no price or no token cap is known for ${model}` };
    } else {
      const { limit, bound } = admission;
      const message = {
        cost: `the next call could pass the cap of $${bound}`,
        calls: `the cap of ${bound} calls is reached`,
        approval: `the next call could exceed the approved $${bound}`,
      }[limit];
      failure = { class: 'stopped', reason: 'budget', message };
      if (this.#stop === undefined) {
        const spent = limit === 'calls' ? budget.calls : budget.spent;
        emit({ type: 'budget-reached', limit: limit === 'calls' ? 'calls' : 'cost', spent, bound });
      }
    }
    this.stop(failure);
    return failure;
  }
}

/** A purchaser that admits nothing new once the build is interrupted. */
export function makePurchaser(
  buyer: ProviderClient,
  budget: Budget,
  options: { readonly jobs: number; readonly interrupt: AbortSignal; readonly kill: AbortSignal },
  {
    store,
    protocols,
    now,
    emit,
  }: Pick<PurchaserOptions, 'protocols' | 'now' | 'emit'> & { readonly store: { readonly calls: CallStore } },
): Purchaser {
  const { jobs, interrupt, kill } = options;
  const { calls } = store;
  const made = new Purchaser({ calls, buyer, budget, protocols, now, emit, signal: kill, drain: interrupt, jobs });
  const stop = () => made.stop({ class: 'stopped', reason: 'interrupted', message: 'the build was interrupted' });
  if (interrupt.aborted) stop();
  interrupt.addEventListener('abort', stop, { once: true });
  return made;
}
