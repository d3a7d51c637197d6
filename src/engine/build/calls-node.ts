/**
 * Runs a node of shape `calls` in two passes: *buy*, in any order, until nothing is missing; then *write*, in input
 * order, from the store alone. When nothing is missing to begin with, the write pass is the only one.
 */

import type { CallFailure, KeyedCall } from '../../core/call.ts';
import { canonicalJson } from '../../core/json.ts';
import type { CallsKind, Inputs } from '../../core/kind.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { BlobStore, CallStore, OutputRef } from '../../core/storage.ts';
import type { Summary } from '../../core/summary.ts';
import { lookUp } from '../../replies/local.ts';
import type { CallMeter, LocalReplies, LookUpOptions } from '../../replies/source.ts';
import { drive } from '../drive.ts';
import { itemName } from '../items.ts';
import { settle } from '../settle.ts';
import { Tally } from '../tally.ts';
import { type ItemState, nextItemState } from './item.ts';

interface CallsNodeContext {
  readonly node: string;
  readonly kind: CallsKind<unknown, unknown>;
  readonly params: unknown;
  readonly inputs: Inputs;
  readonly calls: CallStore;
  readonly protocols: Protocols;
  readonly blobs: BlobStore;
  /** Buys what is missing; undefined when nothing may be bought. */
  readonly replies: LocalReplies | undefined;
  /** Share of the items that may be unusable. */
  readonly tolerate: number;
  /** Items in hand at once. */
  readonly window: number;
  readonly retryFailed: boolean;
  readonly meter: CallMeter;
  readonly progress: (done: number, items: number | undefined) => void;
  readonly onFailure: (item: string, failure: CallFailure) => void;
  /** Set when the build is stopping for a reason outside this node. */
  readonly halted: () => boolean;
}

type CallsNodeResult =
  | {
      readonly type: 'written';
      readonly rows: OutputRef;
      readonly summary: Summary;
      readonly calls: number;
      /** The keys of what was asked, one a line. */
      readonly keys: OutputRef;
    }
  /** Some replies could not be had; nothing is recorded, what was bought is kept. */
  | { readonly type: 'incomplete'; readonly missing: number; readonly failure: CallFailure | undefined };

/** Stop after so many items that ran out of retries. */
const ENOUGH_EXHAUSTED = 10;
/** Items between two visits to the event loop. */
const ITEMS_PER_TURN = 128;

export async function runCallsNode(context: CallsNodeContext): Promise<CallsNodeResult> {
  const first = context.retryFailed ? ({ type: 'missing', index: 0 } as const) : await writePass(context);
  if (first.type === 'written') return first;
  if (context.replies === undefined) {
    return { type: 'incomplete', missing: await countMissing(context, first.index), failure: undefined };
  }
  const bought = await buyPass(context, context.replies, first.index);
  if (bought.missing > 0) return { type: 'incomplete', ...bought };
  const second = await writePass(context);
  if (second.type === 'written') return second;
  throw new Error(`Internal error: ${context.node} misses a reply after its buying pass (item ${second.index})`);
}

type WriteResult = Extract<CallsNodeResult, { type: 'written' }> | { readonly type: 'missing'; readonly index: number };

async function writePass(context: CallsNodeContext): Promise<WriteResult> {
  const { kind, params, inputs, blobs, calls } = context;
  const tally = new Tally(context.protocols);
  const writer = blobs.writer();
  try {
    let index = 0;
    for (const item of kind.items(params, inputs)) {
      const end = drive(
        kind.row(item, params),
        undefined,
        (call) => lookUp(calls, call, REMEMBER),
        (call, known, raw) => tally.call(call, known, raw),
      );
      if (!end.done) {
        writer.abandon();
        return { type: 'missing', index };
      }
      tally.row(end.row);
      writer.write(`${canonicalJson(end.row)}\n`);
      if (++index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
    }
    const rows = await writer.finish();
    return { type: 'written', rows, summary: tally.summary(), calls: tally.calls, keys: await writeKeys(tally, blobs) };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

async function writeKeys(tally: Tally, blobs: BlobStore): Promise<OutputRef> {
  const writer = blobs.writer();
  try {
    for (const key of tally.keys()) writer.write(`${key}\n`);
    return await writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

async function buyPass(context: CallsNodeContext, replies: LocalReplies, from: number) {
  const { kind, params, inputs, calls, node, meter } = context;
  const options: LookUpOptions = { forgetFailures: context.retryFailed };
  // A permanent failure met in this very pass must not be asked again, even with --retry-failed.
  const failedNow = new Set<string>();
  const known = (call: KeyedCall) =>
    lookUp(calls, call, options.forgetFailures && !failedNow.has(call.key) ? options : REMEMBER);
  const gate = new Window(context.window);
  let done = from;
  let total: number | undefined;
  let missing = 0;
  let exhausted = 0;
  let cause: CallFailure | undefined;

  const settleItem = async (item: unknown, index: number) => {
    let state: ItemState = 'pending';
    const end = await settle(kind.row(item, params), known, async (call) => {
      state = nextItemState(state, 'asked');
      const purchase = await replies.get(call, { node, meter });
      if (purchase.type === 'failure') {
        failedNow.add(call.key);
        context.onFailure(itemName(kind, item, index), purchase.failure);
      }
      return purchase;
    });
    if (end.type === 'unavailable') {
      const { failure } = end;
      const stopped = failure.class === 'stopped';
      nextItemState(state, stopped ? 'stop' : 'gave-up');
      missing++;
      // A failure of the provider explains more than the stop that follows it.
      if (cause === undefined || cause.class === 'stopped') cause = failure;
      if (!stopped) {
        exhausted++;
        context.onFailure(itemName(kind, item, index), failure);
      }
      return;
    }
    nextItemState(state, 'finished');
    done++;
    context.progress(done, total);
  };

  let index = 0;
  for (const item of kind.items(params, inputs)) {
    const mine = index++;
    if (mine < from) continue;
    await gate.room();
    const unreachable = exhausted >= ENOUGH_EXHAUSTED || cause?.class === 'fatal';
    if (unreachable || replies.stopped !== undefined || context.halted()) {
      missing++;
      continue;
    }
    gate.run(() => settleItem(item, mine));
    if (mine % ITEMS_PER_TURN === 0) await yieldToEventLoop();
  }
  total = index;
  await gate.idle();
  return { missing, failure: cause ?? replies.stopped };
}

/** How many items lack a reply; used where nothing may be bought. */
async function countMissing(context: CallsNodeContext, from: number): Promise<number> {
  const { kind, params, inputs, calls } = context;
  let missing = 0;
  let index = 0;
  for (const item of kind.items(params, inputs)) {
    if (index++ < from) continue;
    const end = drive(kind.row(item, params), undefined, (call) => lookUp(calls, call, REMEMBER), NOTHING);
    if (!end.done) missing++;
    if (index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
  }
  return missing;
}

const REMEMBER: LookUpOptions = { forgetFailures: false };
const NOTHING = () => {};

const yieldToEventLoop = () => new Promise<void>((resume) => setImmediate(resume));

/** At most `width` tasks at once: who waits for room may run one. */
class Window {
  readonly #width: number;
  #running = 0;
  #error: unknown;
  #wake: (() => void)[] = [];

  constructor(width: number) {
    this.#width = Math.max(1, width);
  }

  async room(): Promise<void> {
    while (this.#running >= this.#width) await new Promise<void>((wake) => this.#wake.push(wake));
    if (this.#error !== undefined) throw this.#error;
  }

  run(task: () => Promise<void>): void {
    this.#running++;
    task()
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => {
        this.#running--;
        for (const wake of this.#wake.splice(0)) wake();
      });
  }

  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((wake) => this.#wake.push(wake));
    if (this.#error !== undefined) throw this.#error;
  }
}
