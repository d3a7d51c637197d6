/** What a build does again although it is done: which nodes run, and which kept answers are asked for anew. */

import type { KeyedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { GraphNode } from '../core/graph.ts';
import type { CallsKind, Kind } from '../core/kind.ts';
import { isAccepted, ruleOf } from '../core/served-model.ts';
import type { Action, Known, Store } from '../core/storage.ts';
import { completeItems, isUsable, statusOf } from '../core/summary.ts';
import { drive } from './drive.ts';
import { isItem } from './items.ts';
import { OTHER_NAMES } from './tally.ts';

export interface Again {
  /** Nodes to run again although they are up to date; their replies are still used. */
  readonly force: ReadonlySet<string>;
  /** Ask again for every item whose row is not usable, whatever its calls came to. */
  readonly retryFailed: boolean;
  /** Ask again for these items, by node. */
  readonly askAgain?: ReadonlyMap<string, ChosenItems>;
}

export type ChosenItems = 'all' | ReadonlySet<string>;

export const NOT_AGAIN: Again = { force: new Set(), retryFailed: false };

/** Whether nothing is done again. */
export const isPlain = ({ force, retryFailed, askAgain }: Again): boolean =>
  force.size === 0 && !retryFailed && (askAgain?.size ?? 0) === 0;

/** Whether a node asks for anything that is kept already. */
export const asksAnew = ({ retryFailed, askAgain }: Again, node: string): boolean =>
  retryFailed || askAgain?.has(node) === true;

/** Says of an item whether it is asked for although what is kept settles it; one that lacks a reply is asked for as ever. */
export type AsksAgain = (item: unknown, index: number, known: (call: KeyedCall) => Known | undefined) => boolean;

/** Undefined where the node asks for nothing anew. */
export function asksAgain(
  again: Again,
  { name, params }: Pick<GraphNode, 'name' | 'params'>,
  kind: CallsKind<unknown, unknown>,
): AsksAgain | undefined {
  if (!asksAnew(again, name)) return undefined;
  const chosen = again.askAgain?.get(name);
  return (item, index, known) => {
    const end = drive(kind.row(item, params), undefined, known, () => {});
    if (!end.done) return false;
    if (chosen === 'all' || (again.retryFailed && !isUsable(statusOf(end.row)))) return true;
    return chosen !== undefined && [...chosen].some((wanted) => isItem(kind, item, index, wanted));
  };
}

/** The chosen items that a node does not have. */
export function unknownItems({ askAgain }: Again, node: string, kind: Kind, items: Iterable<unknown>): string[] {
  const chosen = askAgain?.get(node);
  if (chosen === undefined || chosen === 'all') return [];
  const unknown = new Set(chosen);
  let index = 0;
  for (const item of items) {
    for (const wanted of unknown) if (isItem(kind, item, index, wanted)) unknown.delete(wanted);
    if (unknown.size === 0) break;
    index++;
  }
  return [...unknown];
}

/** Whether a finished node runs all the same. */
export function mustRerun(
  node: GraphNode,
  shape: Kind['shape'],
  { summary }: Pick<Action, 'summary'>,
  { force, retryFailed, askAgain }: Again,
): boolean {
  if (force.has(node.name) || askAgain?.has(node.name)) return true;
  // Rows of a pure node that are not ok, such as refused estimates, have nothing to ask.
  return retryFailed && shape === 'calls' && completeItems(summary) < summary.items;
}

/** How many of a finished node's calls have an answer that came after it was finished: another node asked for them anew. */
export function answeredSince({ calls, finishedAt }: Action, store: Pick<Store, 'calls' | 'blobs'>): number {
  if (calls === undefined || store.blobs.locate(calls) === undefined) return 0;
  const keys = new TextDecoder().decode(store.blobs.read(calls)).split('\n').filter(Boolean) as Digest[];
  return keys.filter((key) => {
    const at = store.calls.get(key)?.boughtAt ?? store.calls.failure(key)?.failedAt ?? 0;
    return at > finishedAt && store.calls.superseded(key).length > 0;
  }).length;
}

/** Answers that a finished node holds of a model that the provider file does not list, or lists no more. */
export function unlistedAnswers(
  { served }: Pick<GraphNode, 'served'>,
  { summary }: Pick<Action, 'summary'>,
): { readonly name: string; readonly model: string; readonly answers: number } | undefined {
  for (const { identity, model, served: names = [] } of summary.calls) {
    const rule = ruleOf(served, identity, model);
    for (const { name, replies, refused = 0 } of names) {
      if (name === OTHER_NAMES || replies === refused || isAccepted(model, name, rule)) continue;
      return { name, model, answers: replies - refused };
    }
  }
  return undefined;
}
