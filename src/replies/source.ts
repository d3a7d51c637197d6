/** What every place that a reply can come from looks like to the one before it. */

import type { CallFailure, KeyedCall, PermanentFailure, StoppedCall } from '../core/call.ts';
import type { CallRequest } from '../core/provider-port.ts';
import type { Known, ModelBill } from '../core/storage.ts';
import type { Bill } from '../core/unrecorded.ts';

/** What the calls of one asker came to so far. */
export interface CallMeter {
  bought: number;
  failed: number;
  inFlight: number;
  /** Dollars billed, by usage. */
  cost: number;
  /** Dollars set aside for tries of unknown outcome. */
  unknown: number;
  /** Dollars that replies of batches cost less than the same online. */
  discount: number;
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
  discount: 0,
  doubted: 0,
  models: [],
});

/** Adds one meter to another. */
export function addMeter(to: CallMeter, from: CallMeter): void {
  to.failed += from.failed;
  to.discount += from.discount;
  to.doubted += from.doubted;
  for (const { identity, model, ...entry } of from.models) bill(to, identity, model, { unknown: 0, ...entry });
}

/** Adds to a meter what a model billed. */
export function bill(meter: CallMeter, identity: string, model: string, { bought, cost, unknown }: Bill): void {
  meter.bought += bought;
  meter.cost += cost;
  meter.unknown += unknown;
  addModels(meter.models, [{ identity, model, bought, cost, unknown }]);
}

/** Adds what models billed, each under its name once. */
export function addModels(to: ModelBill[], bills: readonly ModelBill[]): void {
  for (const each of bills) addModel(to, each);
}

function addModel(to: ModelBill[], { identity, model, bought, cost, unknown = 0 }: ModelBill): void {
  if (bought === 0 && cost === 0 && unknown === 0) return;
  const at = to.findIndex((entry) => entry.identity === identity && entry.model === model);
  const before = to[at];
  const reserved = (before?.unknown ?? 0) + unknown;
  const after = {
    identity,
    model,
    bought: (before?.bought ?? 0) + bought,
    cost: (before?.cost ?? 0) + cost,
    ...(reserved === 0 ? {} : { unknown: reserved }),
  };
  if (before === undefined) to.push(after);
  else to[at] = after;
}

export type Fetched =
  /** A reply, or a failure for good; committed. */
  | Known
  /** It is out in a batch, or soon will be. */
  | { readonly type: 'waiting' }
  /** None could be had this time. */
  | { readonly type: 'unavailable'; readonly failure: Exclude<CallFailure, PermanentFailure> };

export interface Asker {
  readonly node: string;
  readonly meter: CallMeter;
  /** What is kept of the call is superseded by what comes. */
  readonly again?: boolean;
}

/** What is sent of a call. */
export const requestOf = ({ key, body, request: { identity, path, body: fields } }: KeyedCall): CallRequest => ({
  key,
  identity,
  path,
  body,
  fields,
});

export interface ReplySource {
  get(call: KeyedCall, asker: Asker): Promise<Fetched>;
}

/** What an engine buys by: the chain's first link, and the handle on all of its buying. */
export interface Replies extends ReplySource {
  /** Why nothing new is bought; undefined while buying goes on. */
  readonly stopped: StoppedCall | undefined;
  /** Looks at the batches that are out, and takes in what came back. To be awaited before the first call. */
  open(): Promise<void>;
  /**
   * To be called when nothing more can be asked: sends what was collected for batches.
   *
   * `again`: something came back, so that those who wait may ask again; `waiting`: it is not worth waiting here.
   */
  turn(): Promise<'done' | 'again' | 'waiting'>;
  /** What came in batches for a node since this was last asked. */
  takeHarvest(node: string): CallMeter | undefined;
  /** What came in batches and no node has taken: for nodes that had ended before, or are not built. */
  takeRest(): ReadonlyMap<string, CallMeter>;
  /** To be called when a record holds what was spent: until then, a kill leaves it to the next build. */
  booked(): Promise<void>;
  /** Buys nothing new; what is in flight is awaited and kept. */
  stop(reason: StoppedCall): void;
  /** Listens to interrupts no longer: a command may build many times. */
  close(): void;
}
