/**
 * Why a node is not what it was at the last build: the parts of its key that differ, and behind every input that does,
 * the upstream node and its own parts, down to what was edited.
 */

import { type Graph, type GraphNode, upstreamNames } from '../../core/graph.ts';
import { canonicalJson, type Json } from '../../core/json.ts';
import type { CallsKind } from '../../core/kind.ts';
import type { BuildRecord } from '../../core/storage.ts';
import { NOT_AGAIN } from '../again.ts';
import { reasonText } from '../cause.ts';
import { ownChanges } from '../changes.ts';
import { ownParts } from '../evaluate.ts';
import { type History, partsOf } from '../history.ts';
import { changedParts, type KeyParts, type PartChange } from '../keys.ts';
import { preparePlan } from '../plan/plan.ts';
import type { PlannedNode, PlanPorts } from '../plan/planned.ts';
import { findItem, pastRequests, requestsOf, type TextChange, textChanges } from '../requests.ts';
import { nodeOf } from '../select.ts';

interface InputCause {
  readonly input: string;
  readonly node: string;
  /** `other`: its output differs. `unknown`: it has to run first. `added` and `removed`: the graph itself changed. */
  readonly change: 'other' | 'unknown' | 'added' | 'removed';
}

/** One node on the way from the target to what was edited. */
export interface NodeCause {
  readonly node: string;
  readonly kind: string;
  /** `fresh`: a result for its key is stored. `stale`: it would run. */
  readonly state: 'fresh' | 'stale';
  /** What the plan says of it. */
  readonly reason: string;
  /** The build that it is compared with; null where none made it. */
  readonly since: string | null;
  /** What was edited at the node itself. */
  readonly changes: readonly PartChange[];
  readonly inputs: readonly InputCause[];
  /** Files that changed parameters come from, by the part's path. */
  readonly files: Readonly<Record<string, string>>;
}

/** Nodes of one stage with the same edit. */
export interface RootCause {
  readonly nodes: readonly string[];
  readonly cause: NodeCause;
  /** From the first of the nodes down to the target. */
  readonly path: readonly string[];
}

export interface Explanation {
  readonly target: string;
  readonly state: 'fresh' | 'stale';
  readonly since: BuildRecord | undefined;
  /** Every node behind the target that differs, the target first. */
  readonly nodes: readonly NodeCause[];
  readonly causes: readonly RootCause[];
}

interface WhyOptions {
  /** Compare with this build instead of the last that made the node. */
  readonly since?: BuildRecord;
}

export async function explain(
  graph: Graph,
  target: string,
  options: WhyOptions,
  ports: PlanPorts,
): Promise<Explanation> {
  const planned = await preparePlan(graph, [target], { ...NOT_AGAIN, ...options }, ports);
  const byName = new Map(planned.plan.nodes.map((node) => [node.node, node]));
  const { history, planner } = planned;
  const found = new Map<string, NodeCause>();
  const visit = async (name: string): Promise<void> => {
    if (found.has(name)) return;
    const node = nodeOf(graph, name);
    const now = planner.partsOf(name);
    const own = now ?? (await ownParts(node, ports.kinds.get(node.kind)!, ports.sources));
    const cause = causeOf(node, byName.get(name)!, { now, own }, history);
    if (name !== target && !differs(cause)) return;
    found.set(name, cause);
    for (const input of cause.inputs) if (byName.has(input.node)) await visit(input.node);
  };
  await visit(target);
  const nodes = [...found.values()];
  const { state } = found.get(target)!;
  return { target, state, since: history.of(target)?.record, nodes, causes: rootCauses(graph, target, found) };
}

const differs = ({ state, changes, inputs, since }: NodeCause): boolean =>
  state === 'stale' || changes.length > 0 || inputs.length > 0 || since === null;

function causeOf(
  node: GraphNode,
  planned: PlannedNode,
  /** `now` is of a node whose inputs are known, `own` of every one. */
  { now, own }: { readonly now: KeyParts | undefined; readonly own: KeyParts },
  history: History,
): NodeCause {
  const past = history.of(node.name);
  const base = {
    node: node.name,
    kind: node.kind,
    state: planned.action === 'cached' ? ('fresh' as const) : ('stale' as const),
    reason: reasonText(planned.why, planned.requests, node.kind),
    since: past?.record.id ?? null,
  };
  const waits = planned.waitsFor.map((name) => ({
    input: inputOf(node, name),
    node: name,
    change: 'unknown' as const,
  }));
  if (past === undefined) return { ...base, changes: [], inputs: waits, files: {} };
  const before = partsOf(past.action);
  if (now === undefined) {
    const changes = ownChanges(before, own);
    return { ...base, changes, inputs: waits, files: filesOf(node, changes) };
  }
  const all = changedParts(before, now);
  const changes = all.filter(({ path }) => path[0] !== 'inputs');
  const inputs = all.filter(({ path }) => path[0] === 'inputs').map((change) => inputCause(node, change));
  return { ...base, changes, inputs, files: filesOf(node, changes) };
}

function inputOf(node: GraphNode, upstream: string): string {
  for (const [name, { nodes }] of Object.entries(node.inputs)) {
    if (nodes.some((entry) => entry.node === upstream)) return name;
  }
  return '';
}

function inputCause(node: GraphNode, { path, before, after }: PartChange): InputCause {
  const [, input = '', label = ''] = path;
  const upstream = node.inputs[input]?.nodes.find((entry) => entry.label === label)?.node;
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'other';
  return { input, node: upstream ?? label, change };
}

function filesOf(node: GraphNode, changes: readonly PartChange[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { path } of changes) {
    if (path[0] !== 'params') continue;
    const name = path.slice(1).join('.');
    // A model is written as an alias: the file is that of the nearest part that was.
    for (let at = path.length; at > 1; at--) {
      const file = node.files?.[path.slice(1, at).join('.')];
      if (file === undefined) continue;
      files[name] = file;
      break;
    }
  }
  return files;
}

/** The nodes that differ by themselves and not by their inputs alone, alike ones together. */
function rootCauses(graph: Graph, target: string, found: ReadonlyMap<string, NodeCause>): RootCause[] {
  const groups = new Map<string, NodeCause[]>();
  for (const cause of found.values()) {
    if (!isRoot(cause)) continue;
    const { stage } = nodeOf(graph, cause.node);
    const name = canonicalJson([stage, cause.since === null, cause.changes, addedOrRemoved(cause)]);
    groups.set(name, [...(groups.get(name) ?? []), cause]);
  }
  const causes = [...groups.values()].map((group): RootCause => {
    const [first] = group as [NodeCause];
    return { nodes: group.map(({ node }) => node), cause: first, path: pathTo(graph, first.node, target, found) };
  });
  // What was edited furthest upstream comes first.
  const order = [...graph.nodes.keys()];
  return causes.sort((a, b) => order.indexOf(a.cause.node) - order.indexOf(b.cause.node));
}

const addedOrRemoved = ({ inputs }: NodeCause): Json =>
  inputs.filter(({ change }) => change === 'added' || change === 'removed').map(({ node, change }) => [node, change]);

function isRoot({ changes, inputs, since, state }: NodeCause): boolean {
  if (changes.length > 0 || inputs.some(({ change }) => change === 'added' || change === 'removed')) return true;
  return inputs.length === 0 && (since === null || state === 'stale');
}

/** A shortest way from a node down to the target over nodes that differ. */
function pathTo(graph: Graph, from: string, target: string, found: ReadonlyMap<string, NodeCause>): string[] {
  const next = new Map<string, string>();
  const queue = [target];
  for (let at = 0; at < queue.length; at++) {
    const name = queue[at]!;
    if (name === from) break;
    for (const upstream of upstreamNames(nodeOf(graph, name))) {
      if (!found.has(upstream) || next.has(upstream) || upstream === target) continue;
      next.set(upstream, name);
      queue.push(upstream);
    }
  }
  const path = [from];
  for (let name = next.get(from); name !== undefined; name = next.get(name)) path.push(name);
  return path;
}

/** One of an item's calls beside the one in its place under the earlier build. */
interface CallCause {
  readonly call: number;
  readonly before: string | null;
  readonly after: string | null;
  /** Whether the reply to the request as it is now is stored. */
  readonly stored: boolean;
  readonly texts: readonly TextChange[];
}

export interface ItemExplanation {
  readonly node: string;
  readonly item: string;
  readonly since: BuildRecord | undefined;
  /** Why there is nothing to compare with; undefined where there is. */
  readonly without: string | undefined;
  readonly calls: readonly CallCause[];
}

/** How the requests of one item differ; undefined where the node has no such item, or its inputs are not known. */
export async function explainItem(
  graph: Graph,
  target: string,
  item: string,
  options: WhyOptions,
  ports: PlanPorts,
): Promise<ItemExplanation | undefined> {
  const node = nodeOf(graph, target);
  const kind = ports.kinds.get(node.kind)!.kind as CallsKind<unknown, unknown>;
  const plan = { ...NOT_AGAIN, keepRows: true, ...options };
  const { planner, history } = await preparePlan(graph, [target], plan, ports);
  const inputs = planner.inputsOf(node);
  const found = inputs === undefined ? undefined : findItem(kind, node.params, inputs, item);
  if (found === undefined) return undefined;
  const { calls } = ports.store;
  const after = requestsOf(kind, found.item, node.params, calls);
  const past = history.of(target);
  const before = pastRequests(node, found.name, past, ports) ?? [];
  const causes = Array.from({ length: Math.max(before.length, after.length) }, (_, call): CallCause => {
    const [old, now] = [before[call], after[call]];
    const stored = now !== undefined && calls.get(now.key)?.request === now.text;
    return {
      call,
      before: old?.key ?? null,
      after: now?.key ?? null,
      stored,
      texts: textChanges(old, now, ports.protocols),
    };
  });
  const without =
    past === undefined
      ? 'no earlier build made this node'
      : before.length === 0
        ? 'the earlier build had no such item, or its inputs are no longer in the cache'
        : undefined;
  return { node: target, item: found.name, since: past?.record, without, calls: causes };
}
