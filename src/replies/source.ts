/** What every place that a reply can come from looks like to the one before it. */

import type { CallFailure, KeyedCall, PermanentFailure, StoppedCall } from '../core/call.ts';
import type { Known, ModelBill } from '../core/storage.ts';

/** What the calls of one asker came to so far. */
export interface CallMeter {
  bought: number;
  failed: number;
  inFlight: number;
  /** Dollars billed, by usage. */
  cost: number;
  /** Dollars set aside for tries of unknown outcome. */
  unknown: number;
  /** Replies whose usage was not to be believed. */
  doubted: number;
  /** The same by model, for the ledger. */
  readonly models: ModelBill[];
}

export const newMeter = (): CallMeter => ({
  bought: 0,
  failed: 0,
  inFlight: 0,
  cost: 0,
  unknown: 0,
  doubted: 0,
  models: [],
});

export type Fetched =
  /** A reply, or a failure for good; committed. */
  | Known
  /** None could be had this time. */
  | { readonly type: 'unavailable'; readonly failure: Exclude<CallFailure, PermanentFailure> };

export interface Asker {
  readonly node: string;
  readonly meter: CallMeter;
  /** What is kept of the call is superseded by what comes. */
  readonly again?: boolean;
}

export interface ReplySource {
  get(call: KeyedCall, asker: Asker): Promise<Fetched>;
}

/** What an engine buys by: the chain's first link, and the handle on all of its buying. */
export interface Replies extends ReplySource {
  /** Why nothing new is bought; undefined while buying goes on. */
  readonly stopped: StoppedCall | undefined;
  /** To be called when a record holds what was spent: until then, a kill leaves it to the next build. */
  booked(): Promise<void>;
  /** Buys nothing new; what is in flight is awaited and kept. */
  stop(reason: StoppedCall): void;
}
