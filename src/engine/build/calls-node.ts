/**
 * Runs a node of shape `calls`: *writes* rows from the store, in input order, until a reply is missing; *buys*, in any
 * order, until none is; then writes the rest. What was bought is written as it comes where the order allows it.
 */

import type { CallFailure } from '../../core/call.ts';
import { lookUp } from '../../replies/local.ts';
import { drive } from '../drive.ts';
import { buyPass, type UnusableRow } from './buy-pass.ts';
import type { CallsNodeContext } from './calls-context.ts';
import { type AnsweredCall, OrderedRows, type WrittenRows } from './ordered-rows.ts';
import type { Hopeless } from './prospects.ts';
import { ITEMS_PER_TURN, yieldToEventLoop } from './turns.ts';

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
