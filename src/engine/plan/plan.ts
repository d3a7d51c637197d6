/**
 * What a build would do: per node the hits, the calls, the reason, tokens, dollars and minutes. Nothing is bought or
 * written. Exact down to the first missing reply of an item; below it a bound from what the kind expects.
 */

import type { Graph } from '../../core/graph.ts';
import { History } from '../history.ts';
import { lanesOf } from '../lanes.ts';
import { differenceOf, type RequestDifference } from '../requests.ts';
import { nodeOf, reach } from '../select.ts';
import { addBatched, mergeCalls, minutesAtLimits, type PlannedCalls } from './plan-cost.ts';
import { NodePlanner } from './plan-node.ts';
import type { MissingItem, Plan, PlannedNode, PlanOptions, PlanPorts } from './planned.ts';

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
  const { canBatch } = lanesOf(graph, ports.protocols, undefined);
  const planner = new NodePlanner(reached, history, options, ports, wanted, canBatch);
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
    ...(all.some(({ batch }) => batch !== undefined)
      ? { batch: all.map(({ batch }) => batch).reduce(addBatched, undefined) }
      : {}),
    models,
    unpriced: [...new Set(all.filter((calls) => calls.expected === null).map((calls) => calls.model))],
    examples,
  };
}
