/** The calls behind one row of a node, and how far an unfinished node has come. */

import { canonicalJson, type JsonObject } from '../../core/json.ts';
import { type CallsKind, type Input, type Inputs, ROWS } from '../../core/kind.ts';
import type { Store } from '../../core/storage.ts';
import { callsBehind, isSettled } from '../../engine/explain/show.ts';
import { nodeInputs } from '../../engine/inputs.ts';
import { itemName } from '../../engine/items.ts';
import type { Ports } from '../../engine/ports.ts';
import { findItem } from '../../engine/requests.ts';
import { fileOf, type OpenNode } from './open-node.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';
import type { ItemCalls, Progress } from './types.ts';

type CallPorts = Pick<Ports, 'kinds'> & { readonly store: Pick<Store, 'calls' | 'blobs'> };

/** Items of an unfinished node that are looked at; of more, evenly spaced ones stand for the rest. */
const LOOKED_AT = 1_000;

function callsKind(node: OpenNode, { kinds }: CallPorts): CallsKind<unknown, unknown> | undefined {
  const kind = kinds.get(node.kind)?.kind;
  return kind?.shape === 'calls' ? kind : undefined;
}

export function itemCalls(node: OpenNode, name: string, tables: RowTables, ports: CallPorts): ItemCalls | undefined {
  const kind = callsKind(node, ports);
  const stored = storedRow(node, name, tables);
  const upstream = kind === undefined ? undefined : node.upstream();
  const promptOf = (item: unknown) => (item as { prompt_id?: unknown } | null)?.prompt_id;
  if (kind === undefined || upstream === undefined) {
    if (stored === undefined) return undefined;
    return { item: stored.item, prompt: stored.prompt, row: stored.row, calls: [] };
  }
  try {
    const inputs = nodeInputs(upstream, ports.store.blobs);
    if (stored?.prompt !== undefined) {
      // The rows of one prompt mostly make its item, which spares reading all of them. The row then says whether they did.
      const near = [...kind.items(node.params, narrowed(inputs, stored.prompt, node, tables))];
      const item = near.find((candidate) => itemName(candidate, 0) === stored.item);
      const shown = item === undefined ? undefined : callsBehind(kind, item, node.params, ports);
      if (shown?.row != null && canonicalJson(shown.row) === canonicalJson(stored.row)) {
        return { item: stored.item, prompt: stored.prompt, ...shown };
      }
    }
    const found = findItem(kind, node.params, inputs, stored?.item ?? name);
    if (found === undefined) return undefined;
    const shown = callsBehind(kind, found.item, node.params, ports);
    const prompt = promptOf(found.item);
    return {
      item: found.name,
      prompt: typeof prompt === 'string' ? prompt : undefined,
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
  const table = tables.get(ref);
  const index = rowNamed(table, name);
  if (index === undefined) return undefined;
  const [row] = table.read([index]);
  return row === undefined ? undefined : { item: table.itemOf(index), prompt: table.prompts[index], row };
}

/** The row that a name means: `policy/prompt id`, a prompt id that has one row, or `#` and its number. */
function rowNamed(table: RowTable, name: string): number | undefined {
  const [only] = table.rowsOf(name);
  if (only !== undefined) return only;
  const number = /^#(\d+)$/.exec(name)?.[1];
  if (number !== undefined) return Number(number) < table.length ? Number(number) : undefined;
  // A policy's name and a prompt's id may both have slashes in them.
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const policy = name.slice(0, at);
    const row = table.rowsOf(name.slice(at + 1)).find((index) => table.policies[index] === policy);
    if (row !== undefined) return row;
  }
  return undefined;
}

/** Inputs that have the rows of one prompt alone. */
function narrowed(inputs: Inputs, prompt: string, node: OpenNode, tables: RowTables): Inputs {
  const upstream = node.upstream();
  const narrow = (name: string, label: string, input: Input): Input => {
    const ref = upstream?.get(name)?.get(label)?.outputs[ROWS];
    if (ref === undefined) return input;
    const table = tables.get(ref);
    return {
      ...input,
      rows: <T = JsonObject>(file = ROWS) =>
        file === ROWS ? (table.read(table.rowsOf(prompt)) as Iterable<T>) : input.rows<T>(file),
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
