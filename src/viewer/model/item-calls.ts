/** The calls behind one row of a node, and how far an unfinished node has come. */

import { canonicalJson, type JsonObject } from '../../core/json.ts';
import { type CallsKind, type Input, type Inputs, ROWS, type RowType } from '../../core/kind.ts';
import type { Store } from '../../core/storage.ts';
import { callsBehind, isSettled, type ShownCall } from '../../engine/explain/show.ts';
import { nodeInputs } from '../../engine/inputs.ts';
import { itemName, nameOf } from '../../engine/items.ts';
import type { Ports } from '../../engine/ports.ts';
import { findItem } from '../../engine/requests.ts';
import { fileOf, type OpenNode } from './open-node.ts';
import type { RowTables } from './row-tables.ts';

export interface Progress {
  readonly done: number;
  readonly items: number;
  /** True where only a part of the items was looked at, so that `done` is extrapolated. */
  readonly estimated: boolean;
}

export interface ItemCalls {
  readonly item: string;
  /** The prompt that the item is of, where it has one. */
  readonly prompt: string | undefined;
  /** Null while a reply is missing. */
  readonly row: JsonObject | null;
  readonly calls: readonly ShownCall[];
}

type CallPorts = Pick<Ports, 'kinds' | 'protocols'> & { readonly store: Pick<Store, 'calls' | 'blobs'> };

/** Items of an unfinished node that are looked at; of more, evenly spaced ones stand for the rest. */
const LOOKED_AT = 1_000;

function callsKind(node: OpenNode, { kinds }: CallPorts): CallsKind<unknown, unknown> | undefined {
  const kind = kinds.get(node.kind)?.kind;
  return kind?.shape === 'calls' ? kind : undefined;
}

export function itemCalls(
  node: OpenNode,
  name: string,
  nodes: ReadonlyMap<string, OpenNode>,
  tables: RowTables,
  ports: CallPorts,
): ItemCalls | undefined {
  const kind = callsKind(node, ports);
  const stored = storedRow(node, name, tables);
  const upstream = kind === undefined ? undefined : node.upstream();
  if (kind === undefined || upstream === undefined) {
    if (stored === undefined) return undefined;
    return { item: stored.item, prompt: stored.prompt, row: stored.row, calls: [] };
  }
  try {
    const inputs = nodeInputs(upstream, ports.store.blobs);
    if (stored?.prompt !== undefined) {
      // The rows of one prompt mostly make its item, which spares reading all of them. The row then says whether they did.
      const near = [...kind.items(node.params, narrowed(inputs, stored.prompt, node, nodes, tables))];
      const item = near.find((candidate) => itemName(kind, candidate, 0) === stored.item);
      const shown = item === undefined ? undefined : callsBehind(kind, item, node.params, ports);
      if (shown?.row != null && canonicalJson(shown.row) === canonicalJson(stored.row)) {
        return { item: stored.item, prompt: stored.prompt, ...shown };
      }
    }
    const found = findItem(kind, node.params, inputs, stored?.item ?? name);
    if (found === undefined) return undefined;
    const shown = callsBehind(kind, found.item, node.params, ports);
    return {
      item: found.name,
      prompt: nameOf(kind, found.item).prompt,
      row: stored?.row ?? shown.row,
      calls: shown.calls,
    };
  } catch (error) {
    // Parameters that another version of the kind was given need not be readable to this one; the row still is.
    if (stored === undefined || !(error instanceof TypeError)) throw error;
    return { item: stored.item, prompt: stored.prompt, row: stored.row, calls: [] };
  }
}

function storedRow(
  node: OpenNode,
  name: string,
  tables: RowTables,
): { readonly item: string; readonly prompt: string | undefined; readonly row: JsonObject } | undefined {
  const ref = fileOf(node, ROWS);
  if (ref === undefined) return undefined;
  const table = tables.get(ref, node.definition);
  const index = table.rowNamed(name);
  if (index === undefined) return undefined;
  const [row] = table.read([index]);
  return row === undefined ? undefined : { item: table.itemOf(index), prompt: table.prompts[index], row };
}

/** Inputs that have the rows of one prompt alone. */
function narrowed(
  inputs: Inputs,
  prompt: string,
  node: OpenNode,
  nodes: ReadonlyMap<string, OpenNode>,
  tables: RowTables,
): Inputs {
  const upstream = node.upstream();
  const narrow = (name: string, label: string, input: Input): Input => {
    const ref = upstream?.get(name)?.get(label)?.outputs[ROWS];
    const source = node.inputs.find((entry) => entry.input === name && entry.label === label)?.node ?? '';
    if (ref === undefined) return input;
    const table = tables.get(ref, nodes.get(source)?.definition);
    return {
      ...input,
      rows: <R extends JsonObject = JsonObject>(type?: RowType<R>, file = ROWS) =>
        file === ROWS ? (table.read(table.rowsOf(prompt)) as R[]) : input.rows(type, file),
    };
  };
  return {
    one: (name) => narrow(name, '', inputs.one(name)),
    many: (name) => new Map([...inputs.many(name)].map(([label, input]) => [label, narrow(name, label, input)])),
    has: (name) => inputs.has(name),
  };
}

export function progressOf(node: OpenNode, ports: CallPorts): Progress | undefined {
  const kind = callsKind(node, ports);
  const upstream = kind === undefined || node.action !== undefined ? undefined : node.upstream();
  if (kind === undefined || upstream === undefined) return undefined;
  const inputs = nodeInputs(upstream, ports.store.blobs);
  let items = 0;
  for (const _ of kind.items(node.params, inputs)) items++;
  const stride = Math.max(1, Math.ceil(items / LOOKED_AT));
  let [index, settled, seen] = [0, 0, 0];
  for (const item of kind.items(node.params, inputs)) {
    if (index++ % stride !== 0) continue;
    seen++;
    if (isSettled(kind, item, node.params, ports)) settled++;
  }
  const done = seen === 0 ? 0 : Math.round((settled / seen) * items);
  return { done, items, estimated: stride > 1 };
}
