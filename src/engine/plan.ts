/**
 * What a build would do: per node the hits, the calls, the reason, tokens, dollars and minutes. Nothing is bought or
 * written. Exact down to the first missing reply of an item; below it a bound from what the kind expects.
 */

import type { Graph } from '../core/graph.ts';
import type { BuildRecord } from '../core/storage.ts';
import { History } from './history.ts';
import type { KeyedCall, PartChange } from './keys.ts';
import type { PartDigests } from './plan-check.ts';
import { mergeCalls, minutesAtLimits, type PlannedCalls } from './plan-cost.ts';
import { NodePlanner } from './plan-node.ts';
import type { Ports } from './ports.ts';
import { differenceOf, type RequestDifference } from './requests.ts';
import { nodeOf, reach } from './select.ts';

export type PlanPorts = Pick<Ports, 'kinds' | 'store' | 'sources' | 'prices'>;

export interface PlannedNode {
  readonly node: string;
  readonly stage: string;
  readonly kind: string;
  readonly action: 'cached' | 'run';
  /** Why it is not up to date, in words; `cause` is the same without the number of requests. */
  readonly reason: string;
  readonly cause: string;
  /** Null while the outputs that it stands on are not known. */
  readonly key: string | null;
  /** Parts of the key that differ from the last build's, as far as they are known. */
  readonly changes: readonly PartChange[];
  /** Digests of the node's own parts, so that a saved plan knows what it was made from. */
  readonly parts: PartDigests;
  /** Upstream nodes whose outputs are not known before they run. */
  readonly waitsFor: readonly string[];
  readonly items: number;
  /** Items that ask something which is not stored, as far as their requests can be built. */
  readonly unsettled: number;
  /** Distinct calls that the store answers. */
  readonly hits: number;
  /** Calls to buy; one that an earlier node of the plan would buy is not counted again. */
  readonly calls: number;
  /** False where `calls` is a bound: the requests depend on replies that are not bought yet. */
  readonly exact: boolean;
  readonly models: readonly PlannedCalls[];
}

export interface PlannedDollars {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
  /** What the calls cannot pass; null where a request cannot be built yet. */
  readonly atMost: number | null;
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
  readonly dollars: PlannedDollars | null;
  /** Dollars of `dollars.expected` that are not simulated. */
  readonly realDollars: number | null;
  /** Minutes at the configured limits of the slowest provider; 0 where none has a limit. */
  readonly minutes: number;
  /** Totals by provider and model. */
  readonly models: readonly PlannedCalls[];
  /** Models that would be asked and have no price. */
  readonly unpriced: readonly string[];
  /** Some requests that change, beside those of the last build. */
  readonly examples: readonly RequestDifference[];
}

export interface PlanOptions {
  readonly force: ReadonlySet<string>;
  readonly retryFailed: boolean;
  /** Compare with this build instead of the last. */
  readonly since?: BuildRecord;
  /** Keep what was evaluated in memory after the plan is made. */
  readonly keepRows?: boolean;
  /** How many changed requests to show; 0 unless told. */
  readonly examples?: number;
}

/** An item whose request is not stored, and that request. */
export interface MissingItem {
  readonly node: string;
  readonly item: string;
  readonly call: KeyedCall;
}

export async function makePlan(
  graph: Graph,
  targets: readonly string[],
  options: PlanOptions,
  ports: PlanPorts,
): Promise<Plan> {
  return (await preparePlan(graph, targets, options, ports)).plan;
}

/** The plan, and the planner that knows the rows that it was made from. */
export async function preparePlan(
  graph: Graph,
  targets: readonly string[],
  options: PlanOptions,
  ports: PlanPorts,
): Promise<{ readonly plan: Plan; readonly planner: NodePlanner; readonly history: History }> {
  const history = new History(ports.store, graph.profile, options.since);
  const reached = reach(graph, targets);
  const wanted = options.examples ?? 0;
  const planner = new NodePlanner(reached, history, options, ports, wanted);
  const nodes: PlannedNode[] = [];
  for (const node of reached) nodes.push(await planner.plan(node));
  const examples = wanted === 0 ? [] : exampleRequests(graph, planner.missing, history, wanted, ports);
  return { plan: sumUp(graph, targets, nodes, examples, ports), planner, history };
}

/** Requests that differ from the last build's, at most one for each way in which they do. */
function exampleRequests(
  graph: Graph,
  missing: readonly MissingItem[],
  history: History,
  wanted: number,
  ports: PlanPorts,
): RequestDifference[] {
  const shown = new Map<string, RequestDifference>();
  const more: RequestDifference[] = [];
  for (const { node, item, call } of missing) {
    const difference = differenceOf(nodeOf(graph, node), item, call, history.of(node), ports);
    if (difference === undefined) continue;
    const { stage } = nodeOf(graph, node);
    const alike = JSON.stringify([stage, difference.texts.map(({ name }) => name)]);
    if (shown.has(alike)) more.push(difference);
    else shown.set(alike, difference);
  }
  return [...shown.values(), ...more].slice(0, wanted);
}

function sumUp(
  graph: Graph,
  targets: readonly string[],
  nodes: readonly PlannedNode[],
  examples: readonly RequestDifference[],
  ports: PlanPorts,
): Plan {
  const all = nodes.flatMap((node) => node.models).filter(({ calls }) => calls > 0);
  const sum = (pick: (calls: PlannedCalls) => number | null): number | null =>
    all.reduce<number | null>((total, calls) => {
      const value = pick(calls);
      return total === null || value === null ? null : total + value;
    }, 0);
  const low = sum((calls) => calls.low);
  const expected = sum((calls) => calls.expected);
  const high = sum((calls) => calls.high);
  const real = all.filter(({ identity }) => !ports.prices.simulated(identity));
  const models = mergeCalls(all);
  return {
    experiment: graph.name,
    profile: graph.profile,
    targets,
    nodes,
    calls: nodes.reduce((total, node) => total + node.calls, 0),
    exact: nodes.every((node) => node.exact),
    inputTokens: sum((calls) => calls.inputTokens) ?? 0,
    outputTokens: sum((calls) => calls.outputTokens) ?? 0,
    dollars:
      low === null || expected === null || high === null
        ? null
        : { low, expected, high, atMost: sum((calls) => calls.atMost) },
    realDollars: real.some((calls) => calls.expected === null)
      ? null
      : real.reduce((total, calls) => total + (calls.expected ?? 0), 0),
    minutes: minutesAtLimits(graph, models),
    models,
    unpriced: [...new Set(all.filter((calls) => calls.expected === null).map((calls) => calls.model))],
    examples,
  };
}
