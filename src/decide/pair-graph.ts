/** The part of a pipeline that a gate buys: both policies' answers, scores and labels, on so many of the prompts. */

import type { Graph, GraphNode } from '../core/graph.ts';
import { nearest, ProblemError } from '../core/problem.ts';
import { type LabelPlan, labelPlanOf, labelShareOf } from '../datasets/label-sample.ts';
import { nodeOf, reach } from '../engine/select.ts';

export interface GatedPair {
  readonly candidate: string;
  readonly baseline: string;
}

/** Which nodes hold what a gate reads. */
export interface PairNodes {
  readonly responses: Readonly<Record<keyof GatedPair, string>>;
  readonly scores: Readonly<Record<keyof GatedPair, string>>;
  /** Whose labels are read; undefined on the judge's scale. */
  readonly labels: PairLabels | undefined;
}

interface PairLabels {
  readonly node: string;
  readonly plan: LabelPlan;
  /** Chance of a label. */
  readonly propensities: Readonly<Record<keyof GatedPair, number>>;
  /** Labels that a model gives where it is asked for them; else people gave them before. */
  readonly asked: boolean;
}

/** The kinds whose nodes can be made on fewer prompts: their parameter `first` says how many. */
const GROWING: ReadonlySet<string> = new Set(['prompts', 'table-responses']);

/**
 * @param on unless said: the oracle's scale where the dataset's labels are of both policies, else the judge's
 * @throws ProblemError where the dataset has not what the gate needs
 */
export function pairNodes(
  graph: Graph,
  dataset: GraphNode,
  pair: GatedPair,
  on: 'judge' | 'oracle' | undefined,
): PairNodes {
  const { responses, scores, oracle } = dataset.inputs;
  if (responses === undefined || scores === undefined) {
    throw new ProblemError({
      id: 'CJE-NO-DATASET',
      headline: `${dataset.name} is data that is there already, and a gate asks policies and judges`,
      hint: 'name a dataset that is made of `responses` and `scores`',
    });
  }
  const named = (input: typeof responses, what: string) => ({
    candidate: policyNode(input.nodes, pair.candidate, what),
    baseline: policyNode(input.nodes, pair.baseline, what),
  });
  const source = oracle?.nodes[0]?.node;
  return {
    responses: named(responses, 'responses'),
    scores: named(scores, 'scores'),
    labels: on === 'judge' ? undefined : pairLabels(source === undefined ? undefined : nodeOf(graph, source), pair, on),
  };
}

function policyNode(
  nodes: readonly { readonly label: string; readonly node: string }[],
  policy: string,
  what: string,
): string {
  const found = nodes.find(({ label }) => label === policy);
  if (found !== undefined) return found.node;
  const known = nodes.map(({ label }) => label);
  const meant = nearest(policy, known);
  throw new ProblemError({
    id: 'CJE-BAD-OPTION',
    headline: `there are no ${what} of a policy ${JSON.stringify(policy)}`,
    facts: [['policies', known.join(', ')]],
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  });
}

function pairLabels(node: GraphNode | undefined, pair: GatedPair, on: 'oracle' | undefined): PairLabels | undefined {
  if (node === undefined || node.params.enabled === 'off') {
    if (on === undefined) return undefined;
    throw new ProblemError({
      id: 'CJE-GATE-LABELS',
      headline: 'nobody labels, so the oracle’s scale cannot be tested',
      hint: 'add labels to the dataset, or test the judge’s scale with --on judge',
    });
  }
  const plan = { ...labelPlanOf(node.params), choose: 'each' } as const;
  const propensities = {
    candidate: labelShareOf(pair.candidate, plan),
    baseline: labelShareOf(pair.baseline, plan),
  };
  const without = (['candidate', 'baseline'] as const).find((side) => !(propensities[side] > 0));
  if (without !== undefined) {
    throw new ProblemError({
      id: 'CJE-GATE-LABELS',
      headline: `${node.name} labels no answer of ${pair[without]}, so the two cannot be compared on the oracle’s scale`,
      hint: 'set `validation_share:` (or `share:`) above 0, or test the judge’s scale with --on judge',
    });
  }
  return { node: node.name, plan, propensities, asked: node.params.oracle !== undefined };
}

interface PairGraph {
  readonly graph: Graph;
  readonly targets: readonly string[];
  /** Whether any node can be made on fewer prompts than the pipeline says. */
  readonly grows: boolean;
}

/** @param prompts how many to take; undefined for all that the pipeline has */
export function pairGraph(graph: Graph, pair: GatedPair, nodes: PairNodes, prompts: number | undefined): PairGraph {
  const targets = [...Object.values(nodes.scores), ...(nodes.labels === undefined ? [] : [nodes.labels.node])];
  const both = new Set([pair.candidate, pair.baseline]);
  const derived = new Map<string, GraphNode>();
  for (const [name, node] of graph.nodes) {
    const grown = growing(node) && prompts !== undefined ? { first: prompts } : {};
    const chosen = name === nodes.labels?.node && nodes.labels.asked ? { choose: 'each' } : {};
    derived.set(name, {
      ...node,
      params: { ...node.params, ...grown, ...chosen },
      inputs: Object.fromEntries(Object.entries(node.inputs).map(([input, of]) => [input, ofBoth(of, both)])),
    });
  }
  const limited = { ...graph, nodes: derived };
  return { graph: limited, targets, grows: reach(limited, targets).some(growing) };
}

const growing = ({ kind, inputs }: GraphNode): boolean => GROWING.has(kind) && inputs.prompts === undefined;

/** Inputs by policy are of the two alone, wherever both are among them. */
function ofBoth(input: GraphNode['inputs'][string], both: ReadonlySet<string>): GraphNode['inputs'][string] {
  const kept = input.nodes.filter(({ label }) => both.has(label));
  return input.arity === 'many' && kept.length === both.size ? { ...input, nodes: kept } : input;
}
