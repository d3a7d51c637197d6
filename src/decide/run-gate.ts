/** Buys prompt by prompt, through ordinary builds, until the test is decided or there is nothing left to buy. */

import type { Graph } from '../core/graph.ts';
import { EXIT, type ExitCode } from '../core/problem.ts';
import { build } from '../engine/build/build.ts';
import type { BuildOptions } from '../engine/options.ts';
import type { Ports } from '../engine/ports.ts';
import { reach } from '../engine/select.ts';
import { builtNode, survey } from '../engine/survey.ts';
import { type GatePrompts, gatePrompts } from './gate-prompts.ts';
import {
  type GateEnd,
  type GateLook,
  type GateQuestion,
  type GateResult,
  lacksTooMuch,
  lookAt,
} from './gate-result.ts';
import { GateSpending } from './gate-spending.ts';
import { type PairNodes, pairGraph } from './pair-graph.ts';

interface Gated {
  readonly graph: Graph;
  readonly ports: Ports;
}

interface GateOptions {
  readonly question: GateQuestion;
  readonly nodes: PairNodes;
  /** Prompts more at each look, and at most. */
  readonly step: number;
  readonly atMost: number;
  /** Of each build; its limits are those of all builds together. */
  readonly build: BuildOptions;
  onLook(look: GateLook): void;
}

/** Steps grow with what is there, so that looks stay few: by a tenth. */
const GROWTH = 0.1;

/** The result, or the exit code of a build that ended for another reason than its budget. */
export async function runGate(pipeline: Gated, options: GateOptions): Promise<GateResult | ExitCode> {
  const { question, nodes, step, atMost } = options;
  const spent = new GateSpending();
  const looks: GateLook[] = [];
  const ended = (end: GateEnd, found?: GatePrompts): GateResult => {
    const last = looks.at(-1);
    const decided = end === 'decided' && last !== undefined ? last.verdict : 'undecided';
    const scale = found?.scale;
    return { ...question, ...(scale === undefined ? {} : { scale }), verdict: decided, end, looks, ...spent.sums };
  };
  let found: GatePrompts | undefined;
  let first: string | null = null;
  for (let size = Math.min(step, atMost); ; size = Math.min(atMost, size + Math.max(step, Math.ceil(GROWTH * size)))) {
    const made = await make(pipeline, { ...options, build: { ...options.build, look: { of: first } } }, size, spent);
    if (made === EXIT.stopped) return ended('budget', found);
    if (typeof made === 'number') return made;
    found = made.prompts;
    first ??= made.build;
    const before = looks.at(-1);
    const look = lookAt(question, found, nodes);
    // A larger order that brought nothing is no further look.
    if (look.prompts + look.missing !== (before?.prompts ?? -1) + (before?.missing ?? 0)) {
      looks.push(look);
      options.onLook(look);
    }
    if (look.verdict !== 'undecided') return ended(lacksTooMuch(look) ? 'missing' : 'decided', found);
    if (!made.grows || found.taken < size || size >= atMost) {
      return ended(lacksTooMuch(look) ? 'missing' : 'no-more-prompts', found);
    }
  }
}

/** What a build of so many prompts leaves, bought where it is not there yet. */
async function make(pipeline: Gated, options: GateOptions, size: number, spent: GateSpending) {
  const { nodes, question } = options;
  const { graph, targets, grows } = pairGraph(pipeline.graph, question, nodes, size);
  // Copies for people are those of the whole pipeline.
  const ports: Ports = { ...pipeline.ports, out: { sync: async () => {} } };
  const reached = reach(graph, targets);
  let found = await survey(reached, ports);
  let made: string | null = null;
  if (!reached.every(({ name }) => found.has(name))) {
    const limits = spent.left(options.build.limits);
    if (limits === undefined) return EXIT.stopped;
    const outcome = await build(graph, targets, { ...options.build, limits }, ports);
    spent.add(outcome.totals);
    if (outcome.exit !== EXIT.built) return outcome.exit;
    made = outcome.build;
    found = await survey(reached, ports);
  }
  const prompts = gatePrompts(question, nodes, (name) => builtNode(found, name, ports.store.blobs).output);
  return { prompts, grows, build: made };
}
