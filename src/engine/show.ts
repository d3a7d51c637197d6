/** One item of a node, with the calls that its row stands on. */

import type { GraphNode } from '../core/graph.ts';
import type { JsonObject } from '../core/json.ts';
import { type CallsKind, ROWS } from '../core/kind.ts';
import type { Action, StoredCall } from '../core/storage.ts';
import { drive, type Known, lookUp } from './drive.ts';
import { nodeInputs, readInput } from './inputs.ts';
import type { KeyedCall } from './keys.ts';
import type { Ports } from './ports.ts';
import { keyNode } from './survey.ts';

export interface ShownCall {
  readonly key: string;
  readonly path: string;
  readonly body: JsonObject;
  readonly draw: string;
  readonly raw: string | null;
  readonly failure: string | null;
  readonly bought: Pick<StoredCall, 'model' | 'cost' | 'boughtAt' | 'usage'> | null;
}

export interface ShownItem {
  readonly row: JsonObject;
  readonly calls: readonly ShownCall[];
}

/** The first row whose `prompt_id` is `item`, or the row of that number (from 0). */
export function findRow(
  rows: Iterable<JsonObject>,
  item: string,
): { readonly index: number; readonly row: JsonObject } | undefined {
  const number = /^#?\d+$/.test(item) ? Number(item.replace('#', '')) : undefined;
  let numbered: { index: number; row: JsonObject } | undefined;
  let index = 0;
  for (const row of rows) {
    if (row.prompt_id === item || row.policy === item) return { index, row };
    if (index === number) numbered = { index, row };
    index++;
  }
  return numbered;
}

/** The item's row and, for a node of calls, its requests and raw replies; undefined for an unknown item. */
export async function showItem(
  node: GraphNode,
  item: string,
  output: (name: string) => Action,
  action: Action,
  ports: Pick<Ports, 'kinds' | 'sources' | 'store'>,
): Promise<ShownItem | undefined> {
  const { store } = ports;
  if (action.outputs[ROWS] === undefined) return undefined;
  const found = findRow(readInput(action, store.blobs).rows(), item);
  if (found === undefined) return undefined;
  const { kind } = ports.kinds.get(node.kind)!;
  if (kind.shape !== 'calls') return { row: found.row, calls: [] };
  const keyed = await keyNode(node, output, ports);
  const callsKind = kind as CallsKind<unknown, unknown>;
  let index = 0;
  for (const candidate of callsKind.items(node.params, nodeInputs(keyed.upstream, store.blobs))) {
    if (index++ < found.index) continue;
    const calls: ShownCall[] = [];
    drive(
      callsKind.row(candidate, node.params),
      undefined,
      (call) => lookUp(store.calls, call, { forgetFailures: false }),
      (call, known) => calls.push(shownCall(call, known)),
    );
    return { row: found.row, calls };
  }
  return { row: found.row, calls: [] };
}

function shownCall({ key, request }: KeyedCall, known: Known): ShownCall {
  const { path, body, draw } = request;
  if (known.type === 'failure') {
    return {
      key,
      path,
      body,
      draw,
      raw: null,
      failure: `${known.failure.reason}: ${known.failure.message}`,
      bought: null,
    };
  }
  const { raw, model, cost, boughtAt, usage } = known.stored;
  return { key, path, body, draw, raw, failure: null, bought: { model, cost, boughtAt, usage } };
}
