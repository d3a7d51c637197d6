/**
 * Runs a node of shape `calls`: *writes* rows from the store, in input order, until a reply is missing; *buys*, in any
 * order, until none is; then writes the rest. What was bought is written as it comes where the order allows it.
 */

import type { CallFailure, KeyedCall } from '../../core/call.ts';
import type { CallsKind, Inputs } from '../../core/kind.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { BlobStore, CallStore } from '../../core/storage.ts';
import { isUsable, statusOf } from '../../core/summary.ts';
import { lookUp } from '../../replies/local.ts';
import type { CallMeter, Replies } from '../../replies/source.ts';
import type { AsksAgain } from '../again.ts';
import { drive } from '../drive.ts';
import { itemName } from '../items.ts';
import { settle } from '../settle.ts';
import { type ItemState, nextItemState } from './item.ts';
import { type AnsweredCall, OrderedRows, type WrittenRows } from './ordered-rows.ts';
import { FIRST_ITEMS, type Hopeless, Prospects } from './prospects.ts';

interface CallsNodeContext {
  readonly node: string;
  readonly kind: CallsKind<unknown, unknown>;
  readonly params: unknown;
  readonly inputs: Inputs;
  readonly calls: CallStore;
  readonly protocols: Protocols;
  readonly blobs: BlobStore;
  /** Buys what is missing; undefined when nothing may be bought. */
  readonly replies: Replies | undefined;
  /** Share of the items that may be unusable. */
  readonly tolerate: number;
  /** Items in hand at once. */
  readonly window: number;
  /** Which items are asked for anew; undefined: none. */
  readonly asksAgain: AsksAgain | undefined;
  readonly meter: CallMeter;
  readonly progress: (done: number, items: number | undefined) => void;
  readonly onFailure: (item: string, failure: CallFailure) => void;
  /** Set when the build is stopping for a reason outside this node. */
  readonly halted: () => boolean;
}

type CallsNodeResult =
  | ({ readonly type: 'written' } & WrittenRows)
  /** Some replies could not be had; nothing is recorded, what was bought is kept. */
  | { readonly type: 'incomplete'; readonly missing: number; readonly failure: CallFailure | undefined }
  /** What is missing is out in batches. */
  | { readonly type: 'waiting'; readonly missing: number }
  /** Too many rows are unusable, so nothing more was bought; `example` is the first of their replies. */
  | {
      readonly type: 'hopeless';
      readonly why: Hopeless;
      readonly missing: number;
      readonly example: UnusableRow | undefined;
    };

/** A row that cannot be used, and the reply behind it, where one came. */
interface UnusableRow {
  readonly item: string;
  readonly reply: string | undefined;
}

/** Stop after so many items that ran out of retries. */
const ENOUGH_EXHAUSTED = 10;
/** Items between two visits to the event loop. */
const ITEMS_PER_TURN = 128;

export async function runCallsNode(context: CallsNodeContext): Promise<CallsNodeResult> {
  const rows = new OrderedRows(context.blobs, context.protocols);
  try {
    if (context.asksAgain === undefined && (await writePass(context, rows)) === 'written') return await written(rows);
    if (context.replies === undefined) {
      return { type: 'incomplete', missing: await countMissing(context, rows.next), failure: undefined };
    }
    const { why, ...bought } = await buyPass(context, context.replies, rows);
    if (why !== undefined) return { type: 'hopeless', why, missing: bought.missing, example: bought.example };
    if (bought.missing > 0 && bought.missing === bought.waiting) return { type: 'waiting', missing: bought.missing };
    if (bought.missing > 0) return { type: 'incomplete', missing: bought.missing, failure: bought.failure };
    if (rows.next === bought.items || (await writePass(context, rows)) === 'written') return await written(rows);
    throw new Error(`Internal error: ${context.node} misses a reply after its buying pass (item ${rows.next})`);
  } finally {
    rows.abandon();
  }
}

const written = async (rows: OrderedRows) => ({ type: 'written', ...(await rows.finish()) }) as const;

/** Writes on from the first item that has no row yet, from the store alone. */
async function writePass(context: CallsNodeContext, rows: OrderedRows): Promise<'written' | 'missing'> {
  const { kind, params, inputs, calls } = context;
  let index = 0;
  for (const item of kind.items(params, inputs)) {
    const mine = index++;
    if (mine < rows.next) continue;
    const answered: AnsweredCall[] = [];
    const end = drive(
      kind.row(item, params),
      undefined,
      (call) => lookUp(calls, call),
      (call, known, raw) => answered.push({ call, known, raw }),
    );
    if (!end.done) return 'missing';
    rows.put(mine, { row: end.row, calls: answered });
    if (index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
  }
  return 'written';
}

async function buyPass(context: CallsNodeContext, replies: Replies, rows: OrderedRows) {
  const { kind, params, inputs, calls, node, meter } = context;
  const remembered = (call: KeyedCall) => lookUp(calls, call);
  // What was asked in this very pass is not asked again, whatever came of it.
  const askedNow = new Set<string>();
  const onlyNew = (call: KeyedCall) => (askedNow.has(call.key) ? remembered(call) : undefined);
  const gate = new Window(context.window);
  const prospects = new Prospects(context.tolerate, () => count(kind.items(params, inputs)));
  const from = rows.next;
  let done = from;
  let total: number | undefined;
  let missing = 0;
  /** Those of them that are out in batches. */
  let waiting = 0;
  let exhausted = 0;
  let asking = 0;
  let cause: CallFailure | undefined;
  let example: UnusableRow | undefined;
  prospects.before(from, rows.statuses);

  const settleItem = async (item: unknown, index: number) => {
    let state: ItemState = 'pending';
    let last: KeyedCall | undefined;
    const answered: AnsweredCall[] = [];
    const again = context.asksAgain?.(item, index, remembered) === true;
    const buy = async (call: KeyedCall) => {
      if (state === 'pending') asking++;
      state = nextItemState(state, 'asked');
      last = call;
      const purchase = await replies.get(call, { node, meter, again });
      if (purchase.type === 'reply' || purchase.type === 'failure') askedNow.add(call.key);
      if (purchase.type === 'failure') context.onFailure(itemName(kind, item, index), purchase.failure);
      return purchase;
    };
    const end = await settle(kind.row(item, params), again ? onlyNew : remembered, buy, (call, known, raw) =>
      answered.push({ call, known, raw }),
    );
    if (end.type === 'waiting') {
      nextItemState(state, 'stop');
      missing++;
      waiting++;
      return;
    }
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
    // Where kept answers are asked for anew, one that this row stands on may yet be replaced by another item's asking.
    if (context.asksAgain === undefined) rows.put(index, { row: end.row, calls: answered });
    done++;
    const status = statusOf(end.row);
    if (!isUsable(status)) example ??= { item: itemName(kind, item, index), reply: last && replyTo(last, calls) };
    prospects.settle({ status, asked: last !== undefined });
    context.progress(done, total);
  };

  let index = 0;
  let tried = false;
  for (const item of kind.items(params, inputs)) {
    const mine = index++;
    if (mine < from) continue;
    await gate.room();
    if (!tried && asking >= FIRST_ITEMS) {
      await gate.idle();
      tried = true;
      prospects.judgeFirst();
    }
    const unreachable = exhausted >= ENOUGH_EXHAUSTED || cause?.class === 'fatal' || prospects.hopeless !== undefined;
    if (unreachable || replies.stopped !== undefined || context.halted()) {
      missing++;
      continue;
    }
    gate.run(() => settleItem(item, mine));
    if (mine % ITEMS_PER_TURN === 0) await yieldToEventLoop();
  }
  total = index;
  await gate.idle();
  const { hopeless } = prospects;
  // A node that has all of its rows is recorded, whatever they are worth: they can be looked at.
  const why = missing > 0 && cause === undefined && replies.stopped === undefined ? hopeless : undefined;
  return { items: total, missing, waiting, failure: cause ?? replies.stopped, why, example };
}

/** The body of what a call was answered last, or why none is kept. */
function replyTo({ key }: KeyedCall, calls: CallStore): string | undefined {
  const failed = calls.failure(key);
  return calls.get(key)?.raw ?? failed?.raw ?? failed?.failure.message;
}

function count(items: Iterable<unknown>): number {
  let sum = 0;
  for (const _ of items) sum++;
  return sum;
}

/** How many items lack a reply; used where nothing may be bought. */
async function countMissing(context: CallsNodeContext, from: number): Promise<number> {
  const { kind, params, inputs, calls } = context;
  let missing = 0;
  let index = 0;
  for (const item of kind.items(params, inputs)) {
    if (index++ < from) continue;
    const end = drive(kind.row(item, params), undefined, (call) => lookUp(calls, call), NOTHING);
    if (!end.done) missing++;
    if (index % ITEMS_PER_TURN === 0) await yieldToEventLoop();
  }
  return missing;
}

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
    // What is under way may still come to something that is to be told.
    if (this.#error !== undefined) await this.idle();
  }

  run(task: () => Promise<void>): void {
    this.#running++;
    const ended = () => {
      this.#running--;
      for (const wake of this.#wake.splice(0)) wake();
    };
    task().then(ended, (error: unknown) => {
      this.#error ??= error;
      ended();
    });
  }

  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((wake) => this.#wake.push(wake));
    if (this.#error !== undefined) throw this.#error;
  }
}
