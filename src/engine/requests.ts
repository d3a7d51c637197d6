/** The requests of one item, and how they differ between two builds. */

import type { KeyedCall } from '../core/call.ts';
import type { GraphNode } from '../core/graph.ts';
import type { JsonObject } from '../core/json.ts';
import type { CallsKind, Inputs } from '../core/kind.ts';
import type { Protocols } from '../core/protocol.ts';
import type { CallStore } from '../core/storage.ts';
import { lookUp } from '../replies/local.ts';
import { drive } from './drive.ts';
import { type PastNode, partsOf, pastUpstream } from './history.ts';
import { nodeInputs } from './inputs.ts';
import { isItem, itemName } from './items.ts';
import type { Ports } from './ports.ts';

/** A part of a request that differs; a side is null where it is absent there. */
export interface TextChange {
  /** `system`, `user` or `prompt` for what the model is told; `settings` for the rest of the request, as JSON. */
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RequestDifference {
  readonly node: string;
  readonly item: string;
  /** Which of the item's calls, from 0. */
  readonly call: number;
  readonly texts: readonly TextChange[];
}

type RequestPorts = Pick<Ports, 'kinds' | 'store' | 'protocols'>;

/** The calls of an item in order, as far as the store answers them; the last may lack its reply. */
export function requestsOf(
  kind: CallsKind<unknown, unknown>,
  item: unknown,
  params: unknown,
  calls: CallStore,
): KeyedCall[] {
  const asked: KeyedCall[] = [];
  const end = drive(
    kind.row(item, params),
    undefined,
    (call) => lookUp(calls, call),
    (call) => asked.push(call),
  );
  if (!end.done) asked.push(end.missing);
  return asked;
}

export function findItem(
  kind: CallsKind<unknown, unknown>,
  params: unknown,
  inputs: Inputs,
  wanted: string,
): { readonly item: unknown; readonly index: number; readonly name: string } | undefined {
  let index = 0;
  for (const item of kind.items(params, inputs)) {
    if (isItem(kind, item, index, wanted)) return { item, index, name: itemName(kind, item, index) };
    index++;
  }
  return undefined;
}

/** The calls of the same item under an earlier build's parameters and inputs; undefined where they are gone. */
export function pastRequests(
  node: GraphNode,
  item: string,
  past: PastNode | undefined,
  ports: RequestPorts,
): KeyedCall[] | undefined {
  const { kind } = ports.kinds.get(node.kind)!;
  if (past === undefined || kind.shape !== 'calls') return undefined;
  const upstream = pastUpstream(past.record, node, ports.store);
  if (upstream === undefined) return undefined;
  const { params } = partsOf(past.action);
  try {
    const found = findItem(kind, params, nodeInputs(upstream, ports.store.blobs), item);
    return found === undefined ? undefined : requestsOf(kind, found.item, params, ports.store.calls);
  } catch {
    // Parameters of another version of the kind need not be readable to this one.
    return undefined;
  }
}

/** How the request that an item asks now differs from the one in its place under the last build. */
export function differenceOf(
  node: GraphNode,
  item: string,
  call: KeyedCall,
  past: PastNode | undefined,
  ports: RequestPorts,
): RequestDifference | undefined {
  const before = pastRequests(node, item, past, ports);
  if (before === undefined) return undefined;
  const texts = textChanges(before[0], call, ports.protocols);
  return texts.length === 0 ? undefined : { node: node.name, item, call: 0, texts };
}

/** The texts of two requests that differ, what the model is told first. */
export function textChanges(
  before: KeyedCall | undefined,
  after: KeyedCall | undefined,
  protocols: Protocols,
): TextChange[] {
  const old = textsOf(before, protocols);
  const now = textsOf(after, protocols);
  const changes: TextChange[] = [];
  const names = new Set([...now.keys(), ...old.keys()]);
  for (const name of names) {
    const sides = { before: old.get(name) ?? null, after: now.get(name) ?? null };
    if (sides.before !== sides.after) changes.push({ name, ...sides });
  }
  return changes;
}

/** Texts by name; a name that comes again has its place in the request beside it. */
function textsOf(call: KeyedCall | undefined, protocols: Protocols): Map<string, string> {
  const texts = new Map<string, string>();
  if (call === undefined) return texts;
  const { identity, path, draw, body } = call.request;
  const said = protocols(path).textsOf(body);
  for (const [index, { name, text }] of said.texts.entries())
    texts.set(texts.has(name) ? `${name} ${index}` : name, text);
  const settings = { provider: identity, path, draw, ...said.settings } satisfies JsonObject;
  texts.set('settings', JSON.stringify(settings, null, 2));
  return texts;
}
