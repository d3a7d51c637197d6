/** The ledger of failures, item by item: what has no usable reply, and what the server said. */

import type { KeyedCall } from '../../core/call.ts';
import { type GraphNode, upstreamNames } from '../../core/graph.ts';
import { type CallsKind, ROWS } from '../../core/kind.ts';
import type { Known } from '../../core/storage.ts';
import { completeItems, isUsable, statusOf } from '../../core/summary.ts';
import { lookUp } from '../../replies/local.ts';
import { drive } from '../drive.ts';
import { upstreamOf } from '../evaluate.ts';
import type { History } from '../history.ts';
import { nodeInputs, readInput } from '../inputs.ts';
import { itemName } from '../items.ts';
import type { Ports } from '../ports.ts';
import type { FinishedNode } from '../survey.ts';

export interface FailedItem {
  readonly node: string;
  readonly item: string;
  /** The row's status: why it holds no value. */
  readonly status: string;
  /** The call that failed for good; null where every reply came and could not be used, or nothing was asked. */
  readonly failure: {
    readonly key: string;
    readonly reason: string;
    readonly message: string;
    readonly failedAt: number;
  } | null;
  /** The last reply where one came; null otherwise. */
  readonly reply: string | null;
}

/** A failure in the ledger behind which no finished node stands: its item is still to be settled, or its request is gone. */
export interface LooseFailure {
  readonly node: string;
  readonly key: string;
  readonly reason: string;
  readonly message: string;
  readonly failedAt: number;
}

/** A node without a result that the last build which knew it could not finish, with what it said. */
interface FailedNode {
  readonly node: string;
  readonly reason: string;
}

export interface Failures {
  readonly items: readonly FailedItem[];
  readonly loose: readonly LooseFailure[];
  readonly nodes: readonly FailedNode[];
}

type FailurePorts = Pick<Ports, 'kinds' | 'store'>;

/** The failures by item, of finished nodes and of those that stopped before their end, and the rest of the ledger. */
export function failuresOf(
  nodes: readonly GraphNode[],
  found: ReadonlyMap<string, FinishedNode>,
  history: Pick<History, 'whyFailed'>,
  ports: FailurePorts,
): Failures {
  const seen = new Set<string>();
  const items: FailedItem[] = [];
  for (const node of nodes) {
    const entry = found.get(node.name);
    if (entry !== undefined && isComplete(entry)) continue;
    for (const item of entry === undefined ? settledBadly(node, found, ports) : failedItems(node, entry, ports)) {
      if (item.failure !== null) seen.add(item.failure.key);
      items.push(item);
    }
  }
  const names = new Set(nodes.map(({ name }) => name));
  const loose: LooseFailure[] = [];
  for (const { key, value } of ports.store.calls.scanFailures()) {
    if (value === undefined || seen.has(key) || !names.has(value.node)) continue;
    const { reason, message } = value.failure;
    loose.push({ node: value.node, key, reason, message, failedAt: value.failedAt });
  }
  const told = new Set(items.map(({ node }) => node));
  const unfinished = nodes.flatMap(({ name: node }) => {
    const reason = found.has(node) || told.has(node) ? undefined : history.whyFailed(node);
    return reason === undefined ? [] : [{ node, reason: withoutName(reason, node) }];
  });
  return { items, loose, nodes: unfinished };
}

/** A reason may name the node that the line is of. */
export const withoutName = (reason: string, node: string): string =>
  reason.startsWith(`${node} `) ? reason.slice(node.length + 1).replace(/^failed: /, '') : reason;

const isComplete = ({ shape, action: { summary } }: FinishedNode): boolean =>
  shape !== 'calls' || completeItems(summary) === summary.items;

/** Of a node that has no result: the items that what is kept settles without a value. */
function* settledBadly(
  node: GraphNode,
  found: ReadonlyMap<string, FinishedNode>,
  ports: FailurePorts,
): Generator<FailedItem> {
  const { kind } = ports.kinds.get(node.kind)!;
  if (kind.shape !== 'calls' || upstreamNames(node).some((name) => !found.has(name))) return;
  const { blobs, calls } = ports.store;
  const upstream = upstreamOf(node, (name) => found.get(name)!.action);
  let index = 0;
  for (const item of kind.items(node.params, nodeInputs(upstream, blobs))) {
    const name = itemName(kind, item, index++);
    const end = drive(
      kind.row(item, node.params),
      undefined,
      (call) => lookUp(calls, call),
      () => {},
    );
    if (!end.done || isUsable(statusOf(end.row))) continue;
    yield { node: node.name, item: name, status: statusOf(end.row), ...lastCall(kind, node, item, ports) };
  }
}

/** Rows and items come in the same order, so they are walked side by side; only items without a value are driven. */
function* failedItems(node: GraphNode, { action, upstream }: FinishedNode, ports: FailurePorts): Generator<FailedItem> {
  const { store } = ports;
  if (action.outputs[ROWS] === undefined) return;
  const kind = ports.kinds.get(node.kind)!.kind as CallsKind<unknown, unknown>;
  const rows = readInput(action, store.blobs).rows()[Symbol.iterator]();
  let index = 0;
  for (const item of kind.items(node.params, nodeInputs(upstream, store.blobs))) {
    const row = rows.next();
    if (row.done === true) return;
    const name = itemName(kind, item, index++);
    const status = statusOf(row.value);
    if (!isUsable(status)) yield { node: node.name, item: name, status, ...lastCall(kind, node, item, ports) };
  }
}

function lastCall(
  kind: CallsKind<unknown, unknown>,
  node: GraphNode,
  item: unknown,
  { store }: FailurePorts,
): Pick<FailedItem, 'failure' | 'reply'> {
  let last: { readonly call: KeyedCall; readonly known: Known } | undefined;
  drive(
    kind.row(item, node.params),
    undefined,
    (call) => lookUp(store.calls, call),
    (call, known) => {
      last = { call, known };
    },
  );
  if (last === undefined) return { failure: null, reply: null };
  const { call, known } = last;
  if (known.type === 'reply') return { failure: null, reply: known.stored.raw };
  const { reason, message } = known.failure;
  const failedAt = store.calls.failure(call.key)?.failedAt ?? 0;
  return { failure: { key: call.key, reason, message, failedAt }, reply: null };
}
