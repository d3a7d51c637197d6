/** What became of calls that were asked for in batches: reservations, failures, and what was billed, until a node asks. */

import type { BatchStore, Submission } from '../core/batch.ts';
import type { CallFailure } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { PriceBook, TryOutcome } from '../core/provider-port.ts';
import type { CallStore } from '../core/storage.ts';
import { batchDiscount } from './batch-discount.ts';
import { plural, transient } from './batch-text.ts';
import type { Intents } from './intents.ts';
import { addMeter, bill, type CallMeter, newMeter } from './source.ts';
import type { PricedPermit } from './spend.ts';

/** A call that came back unanswered so often is not sent again by the same build. */
const MOST_RETURNS = 3;

interface BatchBooksPorts {
  readonly store: Pick<BatchStore, 'keys' | 'call'>;
  readonly calls: Pick<CallStore, 'get' | 'failure'>;
  readonly intents: Intents;
  readonly prices: PriceBook;
}

export class BatchBooks {
  readonly #store: BatchBooksPorts['store'];
  readonly #calls: BatchBooksPorts['calls'];
  readonly #intents: Intents;
  readonly #prices: PriceBook;
  /** Reservations of calls that this build sent, until they are back. */
  readonly #permits = new Map<Digest, PricedPermit>();
  /** Calls that this build does not send again, and why. */
  readonly #failed = new Map<Digest, CallFailure>();
  /** How often a call came back unanswered, and why the last time. */
  readonly #returned = new Map<Digest, { readonly times: number; readonly failure: CallFailure }>();
  readonly #harvested = new Map<string, CallMeter>();

  constructor({ store, calls, intents, prices }: BatchBooksPorts) {
    this.#store = store;
    this.#calls = calls;
    this.#intents = intents;
    this.#prices = prices;
  }

  /** Why calls have to be bought again, each reason once. */
  get losses(): readonly string[] {
    return [...new Set([...this.#failed.values()].map(({ message }) => message))];
  }

  /** What came of batches so far, over all nodes. */
  get harvest(): CallMeter {
    const all = newMeter();
    for (const meter of this.#harvested.values()) addMeter(all, meter);
    return all;
  }

  takeHarvest(node: string): CallMeter | undefined {
    const meter = this.#harvested.get(node);
    this.#harvested.delete(node);
    return meter;
  }

  takeRest(): ReadonlyMap<string, CallMeter> {
    const rest = new Map(this.#harvested);
    this.#harvested.clear();
    return rest;
  }

  add(node: string, meter: CallMeter): void {
    const kept = this.#harvested.get(node);
    if (kept === undefined) this.#harvested.set(node, meter);
    else addMeter(kept, meter);
  }

  reserve(key: Digest, permit: PricedPermit): void {
    this.#permits.set(key, permit);
  }

  /** Whether this build has asked for it, and it is not back. */
  isReserved(key: Digest): boolean {
    return this.#permits.has(key);
  }

  settle(key: Digest, outcome: TryOutcome): void {
    this.#permits.get(key)?.settle(outcome);
    this.#permits.delete(key);
  }

  fail(key: Digest, failure: CallFailure): void {
    this.#failed.set(key, failure);
  }

  /** Why a call is not to be asked for by this build in any way; a failure for good is in the store. */
  failureOf(key: Digest): Exclude<CallFailure, { readonly class: 'permanent' }> | undefined {
    const failure = this.#failed.get(key);
    return failure?.class === 'permanent' ? undefined : failure;
  }

  /** A call goes back to those that are to be bought, unless it has come back too often. */
  giveBack(key: Digest, failure: CallFailure | undefined, status: string): void {
    const times = (this.#returned.get(key)?.times ?? 0) + 1;
    const why = failure ?? transient('timeout', `${plural(times, 'batch', 'batches')} ended without it (${status})`);
    this.#returned.set(key, { times, failure: why });
  }

  /** Why a call is not to be sent in a batch again. */
  whyNotAgain(key: Digest): Exclude<CallFailure, { readonly class: 'permanent' }> | undefined {
    const returned = this.#returned.get(key);
    if (returned === undefined || returned.failure.class === 'permanent') return undefined;
    // What is wrong with a key or an account is not mended by sending again.
    return returned.times >= MOST_RETURNS || returned.failure.class === 'fatal' ? returned.failure : undefined;
  }

  /**
   * Nothing more will come back of a batch, and it may have been billed. What an earlier look read of it before its
   * results broke off is kept: answers were bought, and failures for good cost what their replies say.
   * @returns the calls that are lost
   */
  async loseAll(submission: Submission): Promise<readonly Digest[]> {
    const { identity, model, batch } = submission;
    const lost: Digest[] = [];
    for (const key of this.#store.keys(submission.id)) {
      const call = this.#store.call(key);
      if (call === undefined) continue;
      const meter = newMeter();
      const kept = batch === undefined ? undefined : this.#calls.get(key);
      // Whatever is asked again goes online, so that a failure which came since the batch was made came in it.
      const failed = this.#calls.failure(key);
      if (failed !== undefined && failed.failedAt >= submission.at) {
        const { cost, raw } = failed;
        const unknown = cost === undefined && raw !== undefined ? call.dollars : 0;
        meter.failed++;
        bill(meter, identity, model, { bought: 0, cost: cost ?? 0, unknown });
        this.settle(key, { billed: raw === undefined || cost === 0 ? 'no' : 'maybe' });
        if (unknown > 0) await this.keepUnknown(submission, key, call);
      } else if (kept !== undefined && kept.batch === batch) {
        const { cost, reserved: unknown = 0, usage } = kept;
        bill(meter, identity, model, { bought: 1, cost: cost ?? 0, unknown });
        if (cost !== null) meter.discount += batchDiscount(this.#prices, submission, usage);
        this.settle(key, { billed: usage });
      } else {
        bill(meter, identity, model, { bought: 0, cost: 0, unknown: call.dollars });
        this.settle(key, { billed: 'maybe' });
        await this.keepUnknown(submission, key, call);
        lost.push(key);
      }
      this.add(call.node, meter);
    }
    return lost;
  }

  async keepUnknown(
    { id, identity, model }: Submission,
    call: Digest,
    { node, dollars }: { readonly node: string; readonly dollars: number },
  ): Promise<void> {
    await this.#intents.keepUnknown(`${call}/batch/${id}`, { call, identity, model, node, dollars });
  }
}
