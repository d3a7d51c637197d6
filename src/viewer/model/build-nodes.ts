/** The nodes of a recorded build, and of the experiment as it stands now. */

import { type BuiltNode, PastBuild } from '../../compare/past-build.ts';
import type { Graph } from '../../core/graph.ts';
import { SUMMARY } from '../../core/kind.ts';
import type { BuildRecord, OutputRef, Store } from '../../core/storage.ts';
import type { CallTally, Summary } from '../../core/summary.ts';
import { upstreamOf } from '../../engine/evaluate.ts';
import { nodeStatus } from '../../engine/explain/status.ts';
import { History } from '../../engine/history.ts';
import type { NodeOutput } from '../../engine/inputs.ts';
import { outputsDigest } from '../../engine/keys.ts';
import type { Ports } from '../../engine/ports.ts';
import { survey } from '../../engine/survey.ts';
import type { NodeState, ShownNode } from './open-node.ts';
import { type OpenNode, suffixOf } from './open-node.ts';

type OpenPorts = Pick<Ports, 'kinds' | 'store' | 'sources' | 'prices'>;

/** The experiment as its files say now: what is up to date, and why the rest is not. */
export async function nodesNow(graph: Graph, ports: OpenPorts): Promise<OpenNode[]> {
  const all = [...graph.nodes.values()];
  const found = await survey(all, ports);
  const history = new History(ports.store, graph.profile);
  const nodes: OpenNode[] = [];
  for (const node of all) {
    const { name, stage, kind, params } = node;
    const entry = found.get(name);
    const status = await nodeStatus(node, found, history, ports);
    const names = Object.values(node.inputs).flatMap((input) => input.nodes.map((upstream) => upstream.node));
    nodes.push({
      name,
      stage,
      kind,
      definition: ports.kinds.get(kind)?.kind,
      params,
      state: status.state === 'up to date' ? 'done' : status.state,
      note: status.note,
      action: entry?.action,
      summary: entry?.action.summary,
      outputs: entry?.action.outputs ?? {},
      inputs: Object.entries(node.inputs).flatMap(([input, group]) =>
        group.nodes.map(({ label, node: upstream }) => ({ input, label, node: upstream })),
      ),
      asks: ports.kinds.get(kind)?.kind.shape === 'calls',
      bought: null,
      billed: null,
      reproduce: entry === undefined ? null : dollarsFor(entry.action.summary.calls, ports),
      upstream: () =>
        names.every((upstream) => found.has(upstream))
          ? upstreamOf(node, (upstream) => found.get(upstream)!.action)
          : undefined,
    });
  }
  return nodes;
}

/** What a build recorded, as far as its outputs are still there. */
export function nodesOf(record: BuildRecord, graph: Graph, ports: OpenPorts): OpenNode[] {
  const { store } = ports;
  const past = new PastBuild(record, ports);
  const byDigest = new Map<string, string[]>();
  for (const { name, action } of past.nodes.values()) {
    const digest = outputsDigest(action.outputs);
    byDigest.set(digest, [...(byDigest.get(digest) ?? []), name]);
  }
  const nodes = Object.entries(record.nodes).map(([name, entry]): OpenNode => {
    const built = past.nodes.get(name);
    const inputs = built === undefined ? plannedInputs(name, record, graph) : inputsOf(built, byDigest);
    const inputCount = Object.values(built?.parts.inputs ?? {}).flatMap((group) => Object.keys(group)).length;
    const summary = built === undefined ? undefined : summaryOf(built.action.outputs, built.action.summary, store);
    const kind = built?.action.kind ?? graph.nodes.get(name)?.kind ?? '';
    const outputs = built?.action.outputs ?? {};
    const present = built !== undefined && Object.values(outputs).every((ref) => store.blobs.locate(ref) !== undefined);
    return {
      name,
      stage: graph.nodes.get(name)?.stage ?? name.split('/')[0]!,
      kind,
      definition: ports.kinds.get(kind)?.kind,
      params: built?.parts.params ?? {},
      ...stateOf(entry.outcome, present, summary),
      action: built?.action,
      summary,
      outputs,
      inputs,
      asks: ports.kinds.get(kind)?.kind.shape === 'calls',
      bought: entry.bought,
      billed: entry.cost,
      reproduce: summary === undefined ? null : dollarsFor(summary.calls, ports),
      upstream: () => (built !== undefined && inputs.length === inputCount ? upstreamAmong(inputs, past) : undefined),
    };
  });
  return inOrder(nodes, graph);
}

function stateOf(
  outcome: BuildRecord['nodes'][string]['outcome'],
  there: boolean,
  summary: Summary | undefined,
): { readonly state: NodeState; readonly note: string } {
  switch (outcome) {
    case 'run':
    case 'cached':
    case 'refused':
      if (!there) return { state: 'stale', note: 'no longer in the cache' };
      if (summary?.refusal !== undefined) return { state: 'refused', note: summary.refusal };
      return { state: 'done', note: '' };
    case 'failed':
    case 'skipped':
      return { state: outcome, note: '' };
  }
}

/** A node that was asked again has another summary under the same key: the file says what this build had. */
function summaryOf(outputs: ShownNode['outputs'], known: Summary, { blobs }: Pick<Store, 'blobs'>): Summary {
  const ref: OutputRef | undefined = outputs[SUMMARY];
  if (ref === undefined || blobs.locate(ref) === undefined) return known;
  return JSON.parse(new TextDecoder().decode(blobs.read(ref))) as Summary;
}

type Inputs = ShownNode['inputs'];

function inputsOf({ name, parts }: BuiltNode, byDigest: ReadonlyMap<string, readonly string[]>): Inputs {
  return Object.entries(parts.inputs).flatMap(([input, group]) =>
    Object.entries(group).flatMap(([label, digest]) => {
      const node = producer(byDigest.get(digest) ?? [], name, label);
      return node === undefined ? [] : [{ input, label, node }];
    }),
  );
}

/** What a node that was not finished would have depended on, by the graph as it is now. */
function plannedInputs(name: string, record: BuildRecord, graph: Graph): Inputs {
  return Object.entries(graph.nodes.get(name)?.inputs ?? {}).flatMap(([input, { nodes }]) =>
    nodes.flatMap(({ label, node }) => (record.nodes[node] === undefined ? [] : [{ input, label, node }])),
  );
}

/** Outputs that are the same bytes come from several nodes: the one that is named alike is meant. */
function producer(candidates: readonly string[], reader: string, label: string): string | undefined {
  const alike = (name: string) => {
    const suffix = suffixOf({ name });
    return label === '' ? reader.endsWith(`/${suffix}`) : suffix === label || suffix.endsWith(`/${label}`);
  };
  return candidates.find(alike) ?? candidates[0];
}

function upstreamAmong(
  inputs: ShownNode['inputs'],
  past: PastBuild,
): ReadonlyMap<string, ReadonlyMap<string, NodeOutput>> {
  const groups = new Map<string, Map<string, NodeOutput>>();
  for (const { input, label, node } of inputs) {
    const group = groups.get(input) ?? new Map<string, NodeOutput>();
    groups.set(input, group.set(label, past.nodes.get(node)!.action));
  }
  return groups;
}

function dollarsFor(calls: readonly CallTally[], { prices }: OpenPorts): number | null {
  let sum = 0;
  for (const tally of calls) {
    const dollars = prices.cost(tally.identity, tally.model, tally);
    if (dollars === undefined) return null;
    sum += dollars;
  }
  return sum;
}

/** In the graph's order as far as it has these nodes; below those that they depend on in any case. */
function inOrder(nodes: readonly OpenNode[], graph: Graph): OpenNode[] {
  const place = new Map([...graph.nodes.keys()].map((name, index) => [name, index]));
  const sorted = [...nodes].sort(
    (a, b) => (place.get(a.name) ?? Number.MAX_SAFE_INTEGER) - (place.get(b.name) ?? Number.MAX_SAFE_INTEGER),
  );
  const byName = new Map(sorted.map((node) => [node.name, node]));
  const seen = new Set<OpenNode>();
  const ordered: OpenNode[] = [];
  const visit = (node: OpenNode) => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const { node: name } of node.inputs) {
      const upstream = byName.get(name);
      if (upstream !== undefined) visit(upstream);
    }
    ordered.push(node);
  };
  for (const node of sorted) visit(node);
  return ordered;
}
