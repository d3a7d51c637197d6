/**
 * The buying pass of a node of shape `calls`: asks, for many items at once and in any order, what the store lacks, until
 * nothing is missing or nothing more can be had.
 */

import type { CallFailure, KeyedCall } from '../../core/call.ts';
import type { JsonObject } from '../../core/json.ts';
import type { CallStore } from '../../core/storage.ts';
import { isUsable, statusOf } from '../../core/summary.ts';
import { lookUp } from '../../replies/local.ts';
import type { Fetched, Replies } from '../../replies/source.ts';
import { itemName } from '../items.ts';
import { settle } from '../settle.ts';
import type { CallsNodeContext } from './calls-context.ts';
import { type ItemState, nextItemState } from './item.ts';
import type { AnsweredCall, OrderedRows } from './ordered-rows.ts';
import { FIRST_ITEMS, type Hopeless, Prospects } from './prospects.ts';
import { ITEMS_PER_TURN, yieldToEventLoop } from './turns.ts';
import { Window } from './window.ts';

/** A row that cannot be used, and the reply behind it, where one came. */
export interface UnusableRow {
  readonly item: string;
  readonly reply: string | undefined;
}

interface Bought {
  readonly items: number;
  readonly missing: number;
  /** Those of the missing that are out in batches. */
  readonly waiting: number;
  /** Why replies could not be had. */
  readonly failure: CallFailure | undefined;
  /** Set where buying was given up, since too many rows are unusable. */
  readonly why: Hopeless | undefined;
  /** The first row that is not usable. */
  readonly example: UnusableRow | undefined;
}

/** Stop after so many items that ran out of retries. */
const ENOUGH_EXHAUSTED = 10;

/** @param rows has the rows of the first items already, and takes the others. */
export function buyPass(context: CallsNodeContext, replies: Replies, rows: OrderedRows): Promise<Bought> {
  return new BuyPass(context, replies, rows).run();
}

class BuyPass {
  readonly #context: CallsNodeContext;
  readonly #replies: Replies;
  readonly #rows: OrderedRows;
  /** The first item without a row. */
  readonly #from: number;
  readonly #window: Window;
  readonly #prospects: Prospects;
  readonly #remembered = (call: KeyedCall) => lookUp(this.#context.calls, call);
  /** What was asked in this very pass is not asked again, whatever came of it. */
  readonly #askedNow = new Set<string>();
  readonly #onlyNew = (call: KeyedCall) => (this.#askedNow.has(call.key) ? this.#remembered(call) : undefined);
  #items: number | undefined;
  #done: number;
  #missing = 0;
  #waiting = 0;
  /** Items that asked for something. */
  #asking = 0;
  #exhausted = 0;
  #cause: CallFailure | undefined;
  #example: UnusableRow | undefined;

  constructor(context: CallsNodeContext, replies: Replies, rows: OrderedRows) {
    const { kind, params, inputs } = context;
    this.#context = context;
    this.#replies = replies;
    this.#rows = rows;
    this.#from = rows.next;
    this.#done = rows.next;
    this.#window = new Window(context.window);
    this.#prospects = new Prospects(context.tolerate, () => count(kind.items(params, inputs)));
    this.#prospects.before(rows.next, rows.statuses);
  }

  async run(): Promise<Bought> {
    const { kind, params, inputs } = this.#context;
    let index = 0;
    let tried = false;
    for (const item of kind.items(params, inputs)) {
      const mine = index++;
      if (mine < this.#from) continue;
      await this.#window.room();
      if (!tried && this.#asking >= FIRST_ITEMS) {
        await this.#window.idle();
        tried = true;
        this.#prospects.judgeFirst();
      }
      if (this.#isOver()) {
        this.#missing++;
        continue;
      }
      this.#window.run(() => this.#buyItem(item, mine));
      if (mine % ITEMS_PER_TURN === 0) await yieldToEventLoop();
    }
    this.#items = index;
    await this.#window.idle();
    const stopped = this.#replies.stopped;
    // A node that has all of its rows is recorded, whatever they are worth: they can be looked at.
    const lost = this.#missing > 0 && this.#cause === undefined && stopped === undefined;
    return {
      items: index,
      missing: this.#missing,
      waiting: this.#waiting,
      failure: this.#cause ?? stopped,
      why: lost ? this.#prospects.hopeless : undefined,
      example: this.#example,
    };
  }

  /** Whether to ask for nothing more. */
  #isOver(): boolean {
    const unreachable = this.#exhausted >= ENOUGH_EXHAUSTED || this.#cause?.class === 'fatal';
    return (
      unreachable ||
      this.#prospects.hopeless !== undefined ||
      this.#replies.stopped !== undefined ||
      this.#context.halted()
    );
  }

  async #buyItem(item: unknown, index: number): Promise<void> {
    const { kind, params, node, meter, onFailure, asksAgain } = this.#context;
    let state: ItemState = 'pending';
    let last: KeyedCall | undefined;
    const answered: AnsweredCall[] = [];
    const again = asksAgain?.(item, index, this.#remembered) === true;
    const buy = async (call: KeyedCall) => {
      if (state === 'pending') this.#asking++;
      state = nextItemState(state, 'asked');
      last = call;
      const purchase = await this.#replies.get(call, { node, meter, again });
      if (purchase.type === 'reply' || purchase.type === 'failure') this.#askedNow.add(call.key);
      if (purchase.type === 'failure') onFailure(itemName(kind, item, index), purchase.failure);
      return purchase;
    };
    const end = await settle(
      kind.row(item, params),
      again ? this.#onlyNew : this.#remembered,
      buy,
      (call, known, raw) => answered.push({ call, known, raw }),
    );
    if (end.type !== 'row') {
      nextItemState(state, this.#miss(end, item, index));
      return;
    }
    nextItemState(state, 'finished');
    // Where kept answers are asked for anew, one that this row stands on may yet be replaced by another item's asking.
    if (asksAgain === undefined) this.#rows.put(index, { row: end.row, calls: answered });
    this.#finish(end.row, item, index, last);
  }

  /** Counts an item whose reply could not be had. */
  #miss(end: Extract<Fetched, { type: 'unavailable' | 'waiting' }>, item: unknown, index: number): 'stop' | 'gave-up' {
    this.#missing++;
    if (end.type === 'waiting') {
      this.#waiting++;
      return 'stop';
    }
    const { failure } = end;
    // A failure of the provider explains more than the stop that follows it.
    if (this.#cause === undefined || this.#cause.class === 'stopped') this.#cause = failure;
    if (failure.class === 'stopped') return 'stop';
    this.#exhausted++;
    this.#context.onFailure(itemName(this.#context.kind, item, index), failure);
    return 'gave-up';
  }

  /** @param last what the item asked for last in this pass, if anything. */
  #finish(row: JsonObject, item: unknown, index: number, last: KeyedCall | undefined): void {
    const { kind, calls, progress } = this.#context;
    this.#done++;
    const status = statusOf(row);
    if (!isUsable(status)) {
      this.#example ??= { item: itemName(kind, item, index), reply: last && replyTo(last, calls) };
    }
    this.#prospects.settle({ status, asked: last !== undefined });
    progress(this.#done, this.#items);
  }
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
