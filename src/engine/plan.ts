/**
 * What a build would do: per node the hits, the calls, the reason, tokens, dollars and minutes. Nothing is bought or
 * written. Exact down to the first missing reply of an item; below it a bound from what the kind expects.
 */

import { NO_USAGE, type Usage } from '../core/call.ts';
import type { Graph, GraphNode } from '../core/graph.ts';
import { canonicalJson } from '../core/json.ts';
import {
  type CallsKind,
  type ExpectedCalls,
  type InputSizes,
  ROWS,
  type SourceKind,
  type TransformKind,
} from '../core/kind.ts';
import type { Action } from '../core/storage.ts';
import { drive, lookUp } from './drive.ts';
import { evaluatePure, withSummary } from './evaluate.ts';
import { type NodeOutput, nodeInputs } from './inputs.ts';
import { changedParts, type KeyedCall, type KeyParts, type PartChange } from './keys.ts';
import { sizesOf } from './node-runner.ts';
import { OverlayBlobs } from './overlay.ts';
import type { Ports } from './ports.ts';
import { modelOf } from './purchase.ts';
import { reach, upstreamNames } from './select.ts';
import { findAction, keyNode } from './survey.ts';
import { Tally } from './tally.ts';

export type PlanPorts = Pick<Ports, 'kinds' | 'store' | 'sources' | 'prices'>;

/** What one model would be asked by one node. */
export interface PlannedCalls {
  readonly identity: string;
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Dollars; null where the price is unknown. */
  readonly low: number | null;
  readonly expected: number | null;
  readonly high: number | null;
}

export interface PlannedNode {
  readonly node: string;
  readonly kind: string;
  readonly action: 'cached' | 'run';
  readonly reason: string;
  readonly changes: readonly PartChange[];
  readonly items: number;
  /** Distinct calls that the store answers. */
  readonly hits: number;
  readonly calls: number;
  /** False where `calls` is a bound: the requests depend on replies that are not bought yet. */
  readonly exact: boolean;
  readonly models: readonly PlannedCalls[];
}

export interface Plan {
  readonly experiment: string;
  readonly profile: string;
  readonly targets: readonly string[];
  readonly nodes: readonly PlannedNode[];
  readonly calls: number;
  readonly exact: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly dollars: { readonly low: number; readonly expected: number; readonly high: number } | null;
  /** Dollars of `dollars.expected` that are not simulated. */
  readonly realDollars: number | null;
  /** Minutes at the configured limits of the slowest provider. */
  readonly minutes: number;
  /** Models that would be asked and have no price. */
  readonly unpriced: readonly string[];
}

/** What is known of a node while planning: its output, evaluated or recorded, or only how many items it should have. */
type Outlook =
  | { readonly type: 'known'; readonly output: NodeOutput }
  | { readonly type: 'expected'; readonly items: number };

export interface PlanOptions {
  readonly force: ReadonlySet<string>;
  readonly retryFailed: boolean;
}

export async function makePlan(
  graph: Graph,
  targets: readonly string[],
  options: PlanOptions,
  ports: PlanPorts,
): Promise<Plan> {
  const blobs = new OverlayBlobs(ports.store.blobs);
  const outlooks = new Map<string, Outlook>();
  const nodes: PlannedNode[] = [];
  const last = ports.store.builds.list(1)[Symbol.iterator]().next().value;
  for (const node of reach(graph, targets)) {
    const before = last?.nodes[node.name]?.key;
    const lastAction = before === undefined || before === null ? undefined : ports.store.actions.get(before);
    const { planned, outlook } = await planNode(node, outlooks, lastAction, options, blobs, ports);
    nodes.push(planned);
    outlooks.set(node.name, outlook);
  }
  return sumUp(graph, targets, nodes, ports);
}

async function planNode(
  node: GraphNode,
  outlooks: ReadonlyMap<string, Outlook>,
  lastAction: Action | undefined,
  options: PlanOptions,
  blobs: OverlayBlobs,
  ports: PlanPorts,
): Promise<{ planned: PlannedNode; outlook: Outlook }> {
  const { kind } = ports.kinds.get(node.kind)!;
  const base = { node: node.name, kind: node.kind };
  const unknown = upstreamNames(node).filter((name) => outlooks.get(name)?.type !== 'known');
  if (unknown.length > 0) {
    const expectation = kind.expect(node.params, expectedSizes(node, outlooks));
    const models = expectation.calls.map((calls) => expectedCost(calls, ports));
    const planned: PlannedNode = {
      ...base,
      action: 'run',
      reason: `stands on ${unknown[0]}`,
      changes: [],
      items: expectation.items,
      hits: 0,
      calls: models.reduce((sum, model) => sum + model.calls, 0),
      exact: models.length === 0,
      models,
    };
    return { planned, outlook: { type: 'expected', items: expectation.items } };
  }

  const known = (name: string) => (outlooks.get(name) as Extract<Outlook, { type: 'known' }>).output as Action;
  const keyed = await keyNode(node, known, ports);
  const action = findAction(ports.store, keyed.key);
  const incomplete = action !== undefined && action.summary.items > (action.summary.statuses.ok ?? 0);
  if (action !== undefined && !options.force.has(node.name) && !(options.retryFailed && incomplete)) {
    const { items } = action.summary;
    const planned: PlannedNode = {
      ...base,
      action: 'cached',
      reason: 'up to date',
      changes: [],
      items,
      hits: 0,
      calls: 0,
      exact: true,
      models: [],
    };
    return { planned, outlook: { type: 'known', output: action } };
  }
  const changes = lastAction === undefined ? [] : changedParts(lastAction.parts as unknown as KeyParts, keyed.parts);
  const reason = reasonOf(node, lastAction, changes, options);
  if (kind.shape !== 'calls') {
    const pure = kind as SourceKind<unknown> | TransformKind<unknown>;
    if (kind.shape === 'source' && needsDownload(pure as SourceKind<unknown>, node)) {
      const { items } = kind.expect(node.params, sizesOf(keyed.upstream));
      const planned: PlannedNode = {
        ...base,
        action: 'run',
        reason,
        changes,
        items,
        hits: 0,
        calls: 0,
        exact: true,
        models: [],
      };
      return { planned, outlook: { type: 'expected', items } };
    }
    const output = await evaluatePure(node, pure, keyed.upstream, blobs, ports.sources);
    const { items } = output.summary;
    const planned: PlannedNode = {
      ...base,
      action: 'run',
      reason,
      changes,
      items,
      hits: 0,
      calls: 0,
      exact: true,
      models: [],
    };
    return { planned, outlook: { type: 'known', output } };
  }

  const callsKind = kind as CallsKind<unknown, unknown>;
  const inputs = nodeInputs(keyed.upstream, blobs);
  const expectation = kind.expect(node.params, sizesOf(keyed.upstream));
  const tally = new Tally();
  const writer = blobs.writer();
  const missing = new Map<string, KeyedCall>();
  let items = 0;
  let unsettled = 0;
  for (const item of callsKind.items(node.params, inputs)) {
    items++;
    const end = drive(
      callsKind.row(item, node.params),
      undefined,
      (call) => lookUp(ports.store.calls, call, { forgetFailures: options.retryFailed }),
      (call, found) => tally.call(call, found),
    );
    if (end.done) {
      tally.row(end.row);
      if (unsettled === 0) writer.write(`${canonicalJson(end.row)}\n`);
    } else {
      unsettled++;
      missing.set(end.missing.key, end.missing);
    }
  }
  const models = missingCost(missing.values(), expectation.calls, ports);
  const planned: PlannedNode = {
    ...base,
    action: 'run',
    reason: missing.size === 0 ? reason : `${reason}: ${unsettled} of ${items} items ask what is not stored`,
    changes,
    items,
    hits: tally.calls,
    calls: missing.size,
    // An item that asks once is known whole; one that may ask more is known down to its first missing reply.
    exact: expectation.calls.reduce((sum, { calls }) => sum + calls, 0) <= items,
    models,
  };
  if (unsettled > 0) {
    writer.abandon();
    return { planned, outlook: { type: 'expected', items } };
  }
  const output = await withSummary({ [ROWS]: await writer.finish() }, tally.summary(), blobs);
  return { planned, outlook: { type: 'known', output } };
}

function needsDownload(kind: SourceKind<unknown>, node: GraphNode): boolean {
  return Object.values(kind.locate(node.params)).some((location) => location.type === 'url');
}

function expectedSizes(node: GraphNode, outlooks: ReadonlyMap<string, Outlook>): InputSizes {
  const sizes = (name: string) =>
    new Map(
      (node.inputs[name]?.nodes ?? []).map(({ label, node: upstream }) => [label, sizeOf(outlooks.get(upstream))]),
    );
  return { one: (name) => sizes(name).values().next().value ?? 0, many: sizes };
}

function sizeOf(outlook: Outlook | undefined): number {
  if (outlook === undefined) return 0;
  return outlook.type === 'known' ? outlook.output.summary.items : outlook.items;
}

function reasonOf(
  node: GraphNode,
  last: Action | undefined,
  changes: readonly PartChange[],
  options: PlanOptions,
): string {
  if (options.force.has(node.name)) return 'forced';
  if (last === undefined) return 'not built yet';
  if (changes.length === 0)
    return options.retryFailed ? 'asks again for what failed' : 'an output is missing from the store';
  return `${describeChanges(changes)} changed`;
}

/** Names the parts that changed, in the words of pipeline.yaml. */
export function describeChanges(changes: readonly PartChange[]): string {
  const names = new Set<string>();
  for (const { path } of changes) {
    const [part, ...rest] = path;
    if (part === 'params') names.add(rest.join('.'));
    else if (part === 'inputs') names.add(`input ${rest[0]}`);
    else if (part === 'sources') names.add(`source ${rest[0]}`);
    else if (part === 'code') names.add("the kind's code");
    else names.add(part ?? 'the key');
  }
  const list = [...names];
  return list.length <= 3 ? list.join(', ') : `${list.slice(0, 3).join(', ')} and ${list.length - 3} more`;
}

/** Bytes of JSON a token, on average; only for requests that no server has counted yet. */
const BYTES_PER_TOKEN = 4;

function missingCost(
  missing: Iterable<KeyedCall>,
  expected: readonly ExpectedCalls[],
  ports: PlanPorts,
): PlannedCalls[] {
  const groups = new Map<
    string,
    { identity: string; model: string; calls: number; bytes: number; high: number | null }
  >();
  for (const call of missing) {
    const { identity } = call.request;
    const model = modelOf(call);
    const name = `${identity}\n${model}`;
    const group = groups.get(name) ?? { identity, model, calls: 0, bytes: 0, high: 0 as number | null };
    groups.set(name, group);
    group.calls++;
    group.bytes += Buffer.byteLength(call.body);
    const worst = ports.prices.worstCase(identity, model, call.body);
    group.high = worst === undefined || group.high === null ? null : group.high + worst;
  }
  return [...groups.values()].map(({ identity, model, calls, bytes, high }) => {
    const typical = expected.find(({ model: ref }) => ref.identity === identity && ref.model === model);
    const usage: Usage = {
      ...NO_USAGE,
      inputTokens: Math.ceil(bytes / BYTES_PER_TOKEN),
      outputTokens: calls * (typical?.outputTokens ?? 0),
    };
    return priced(identity, model, calls, usage, high, ports);
  });
}

function expectedCost({ model: ref, ...expected }: ExpectedCalls, ports: PlanPorts): PlannedCalls {
  const { identity, model } = ref;
  const { calls } = expected;
  const usage: Usage = {
    ...NO_USAGE,
    inputTokens: calls * expected.inputTokens,
    outputTokens: calls * expected.outputTokens,
  };
  const most: Usage = {
    ...NO_USAGE,
    inputTokens: 2 * usage.inputTokens,
    outputTokens: calls * expected.outputTokensAtMost,
  };
  return priced(identity, model, calls, usage, ports.prices.cost(identity, model, most) ?? null, ports);
}

function priced(
  identity: string,
  model: string,
  calls: number,
  usage: Usage,
  high: number | null,
  ports: PlanPorts,
): PlannedCalls {
  const { inputTokens, outputTokens } = usage;
  const expected = ports.prices.cost(identity, model, usage) ?? null;
  // Half of what is typical: the low end of what a run of short texts has been seen to cost.
  const half = { ...usage, inputTokens: inputTokens / 2, outputTokens: outputTokens / 2 };
  const low = ports.prices.cost(identity, model, half) ?? null;
  return { identity, model, calls, inputTokens, outputTokens, low, expected, high };
}

function sumUp(graph: Graph, targets: readonly string[], nodes: readonly PlannedNode[], ports: PlanPorts): Plan {
  const all = nodes.flatMap((node) => node.models);
  const sum = (pick: (calls: PlannedCalls) => number | null): number | null =>
    all.reduce<number | null>((total, calls) => {
      const value = pick(calls);
      return total === null || value === null ? null : total + value;
    }, 0);
  const low = sum((calls) => calls.low);
  const expected = sum((calls) => calls.expected);
  const high = sum((calls) => calls.high);
  const real = all.filter(({ identity }) => !ports.prices.simulated(identity));
  return {
    experiment: graph.name,
    profile: graph.profile,
    targets,
    nodes,
    calls: nodes.reduce((total, node) => total + node.calls, 0),
    exact: nodes.every((node) => node.exact),
    inputTokens: sum((calls) => calls.inputTokens) ?? 0,
    outputTokens: sum((calls) => calls.outputTokens) ?? 0,
    dollars: low === null || expected === null || high === null ? null : { low, expected, high },
    realDollars: real.some((calls) => calls.expected === null)
      ? null
      : real.reduce((total, calls) => total + (calls.expected ?? 0), 0),
    minutes: minutesAtLimits(graph, all),
    unpriced: [...new Set(all.filter((calls) => calls.expected === null).map((calls) => calls.model))],
  };
}

/** Providers work side by side, so the slowest decides. Limits are per provider and model. */
function minutesAtLimits(graph: Graph, all: readonly PlannedCalls[]): number {
  const byModel = new Map<string, { identity: string; calls: number; tokens: number }>();
  for (const { identity, model, calls, inputTokens, outputTokens } of all) {
    const name = `${identity}\n${model}`;
    const entry = byModel.get(name) ?? { identity, calls: 0, tokens: 0 };
    byModel.set(name, entry);
    entry.calls += calls;
    entry.tokens += inputTokens + outputTokens;
  }
  let minutes = 0;
  for (const { identity, calls, tokens } of byModel.values()) {
    const limits = graph.providers.find((provider) => provider.identity === identity)?.limits;
    if (limits?.requestsPerMinute !== undefined) minutes = Math.max(minutes, calls / limits.requestsPerMinute);
    if (limits?.tokensPerMinute !== undefined) minutes = Math.max(minutes, tokens / limits.tokensPerMinute);
  }
  return minutes;
}
