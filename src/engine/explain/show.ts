/** One item of a node, with the calls that its row depends on. */

import type { KeyedCall, PermanentFailure } from '../../core/call.ts';
import type { Graph, GraphNode } from '../../core/graph.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type CallsKind, type Input, type Kind, ROWS } from '../../core/kind.ts';
import type { NamedText, Protocol, Protocols } from '../../core/protocol.ts';
import type { Action, Known, Store, StoredCall, Superseded } from '../../core/storage.ts';
import { lookUp } from '../../replies/local.ts';
import { NOT_AGAIN } from '../again.ts';
import { answerOf, drive } from '../drive.ts';
import { readInput } from '../inputs.ts';
import { isItem, itemName } from '../items.ts';
import { preparePlan } from '../plan/plan.ts';
import type { Ports } from '../ports.ts';
import { findItem } from '../requests.ts';

export interface ShownCall {
  readonly key: string;
  readonly identity: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly draw: string;
  /** What the model is told, in order. */
  readonly texts: readonly NamedText[];
  /** The rest of the body. */
  readonly settings: JsonObject;
  /** The text of the reply; null where there is none. */
  readonly answered: string | null;
  /** The reply's body as it came; null where there is none. */
  readonly raw: string | null;
  /** What the reply was read as; null where it could not be read, with the problem in `failure`. */
  readonly parsed: unknown;
  readonly failure: string | null;
  readonly failedAt: number | null;
  readonly bought: Pick<StoredCall, 'model' | 'identity' | 'cost' | 'boughtAt' | 'usage' | 'node' | 'batch'> | null;
  /** What was answered before the call was asked again, oldest first. */
  readonly history: readonly EarlierAnswer[];
}

/** An answer that was superseded when the call was asked again. */
interface EarlierAnswer {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The reply's body; null where a failure brought none. */
  readonly raw: string | null;
  /** Why it was no answer; null for one that was. */
  readonly failure: string | null;
  /** Dollars billed; null where they are not known. */
  readonly cost: number | null;
}

export interface ShownItem {
  readonly item: string;
  /** Null while a reply is missing. */
  readonly row: JsonObject | null;
  /** Rows of the same item in the node's further files, by file. */
  readonly beside: Readonly<Record<string, readonly JsonObject[]>>;
  readonly calls: readonly ShownCall[];
}

type ShowPorts = Pick<Ports, 'kinds' | 'sources' | 'store' | 'prices' | 'protocols'>;

/**
 * The item's row and, for a node of calls, its requests and raw replies, finished or not; undefined for an unknown item.
 *
 * @param action the finished node; undefined while it is not.
 */
export async function showItem(
  graph: Graph,
  node: GraphNode,
  item: string,
  action: Action | undefined,
  ports: ShowPorts,
): Promise<ShownItem | undefined> {
  const { kind } = ports.kinds.get(node.kind)!;
  if (kind.shape === 'calls') return showCalls(graph, node, kind, item, ports);
  return action && showRows(kind, item, readInput(action, ports.store.blobs));
}

/** The first row of that name, and beside it every further one of whichever file. */
function showRows(kind: Kind, item: string, output: Input): ShownItem | undefined {
  let found: { readonly row: JsonObject; readonly name: string } | undefined;
  const beside: Record<string, JsonObject[]> = {};
  for (const file of rowFiles(output)) {
    let index = 0;
    for (const row of output.rows(undefined, file)) {
      // A number means one row, and what others are called as that one is.
      if (found === undefined && isItem(kind, row, index, item)) {
        found = { row, name: isItem(kind, row, UNNUMBERED, item) ? item : itemName(kind, row, index) };
      } else if (found !== undefined && isItem(kind, row, UNNUMBERED, found.name)) {
        beside[file] = [...(beside[file] ?? []), row];
      }
      index++;
    }
  }
  return found && { item, row: found.row, calls: [], beside };
}

/** For names that are to be found by what they say alone. */
const UNNUMBERED = -1;

/** The files of rows, those that every kind calls so first. */
export const rowFiles = (output: Pick<Input, 'files'>): string[] =>
  output
    .files()
    .filter((file) => file.endsWith('.jsonl'))
    .sort((a, b) => Number(b === ROWS) - Number(a === ROWS));

async function showCalls(
  graph: Graph,
  node: GraphNode,
  kind: CallsKind<unknown, unknown>,
  item: string,
  ports: ShowPorts,
): Promise<ShownItem | undefined> {
  const options = { ...NOT_AGAIN, keepRows: true };
  const { planner } = await preparePlan(graph, [node.name], options, ports);
  const inputs = planner.inputsOf(node);
  const found = inputs === undefined ? undefined : findItem(kind, node.params, inputs, item);
  if (found === undefined) return undefined;
  return { item: found.name, ...callsBehind(kind, found.item, node.params, ports), beside: {} };
}

interface CallPorts {
  readonly store: Pick<Store, 'calls'>;
  readonly protocols: Protocols;
}

/** What an item asked so far and what it was answered, and its row once every reply is there. */
export function callsBehind(
  kind: CallsKind<unknown, unknown>,
  item: unknown,
  params: unknown,
  ports: CallPorts,
): Pick<ShownItem, 'row' | 'calls'> {
  const shown: ShownCall[] = [];
  const end = drive(
    kind.row(item, params),
    undefined,
    (call) => lookUp(ports.store.calls, call),
    (call, known) => shown.push(shownCall(call, known, ports)),
  );
  if (end.done) return { row: end.row, calls: shown };
  return { row: null, calls: [...shown, shownCall(end.missing, undefined, ports)] };
}

/** Whether every reply that the item asks for is stored, so that its row can be written. */
export function isSettled(
  kind: CallsKind<unknown, unknown>,
  item: unknown,
  params: unknown,
  ports: { readonly store: Pick<Store, 'calls'> },
): boolean {
  const known = (call: KeyedCall) => lookUp(ports.store.calls, call);
  return drive(kind.row(item, params), undefined, known, () => {}).done;
}

function shownCall({ key, request }: KeyedCall, known: Known | undefined, { store, protocols }: CallPorts): ShownCall {
  const { identity, path, body, draw } = request;
  const protocol = protocols(path);
  const history = store.calls.superseded(key).map(earlierAnswer);
  const common = { key, identity, path, body, draw, ...protocol.textsOf(body), answered: null, history };
  if (known === undefined) return { ...common, raw: null, parsed: null, failure: null, failedAt: null, bought: null };
  if (known.type === 'failure') {
    const kept = store.calls.failure(key);
    const failure = failureText(known.failure);
    return {
      ...common,
      raw: kept?.raw ?? null,
      parsed: null,
      failure,
      failedAt: kept?.failedAt ?? null,
      bought: null,
    };
  }
  const { raw, model, identity: seller, cost, boughtAt, usage, node, batch } = known.stored;
  const answer = answerOf(request, known);
  const answered = textOf(protocol, raw);
  const bought = { model, identity: seller, cost, boughtAt, usage, node, ...(batch === undefined ? {} : { batch }) };
  if (answer.ok) return { ...common, answered, raw, parsed: answer.reply, failure: null, failedAt: null, bought };
  const failure = failureText(answer.failure);
  return { ...common, answered, raw, parsed: null, failure, failedAt: null, bought };
}

const failureText = ({ reason, message }: PermanentFailure): string => `${reason}: ${message}`;

function earlierAnswer(entry: Superseded): EarlierAnswer {
  if (entry.type === 'reply') return { at: entry.boughtAt, raw: entry.raw, failure: null, cost: entry.cost };
  const { failedAt: at, raw = null, failure, cost = null } = entry;
  return { at, raw, failure: failureText(failure), cost };
}

function textOf(protocol: Protocol, raw: string): string | null {
  try {
    const reply: unknown = JSON.parse(raw);
    return (isJsonObject(reply) ? protocol.answerOf(reply) : undefined) ?? null;
  } catch {
    return null;
  }
}
