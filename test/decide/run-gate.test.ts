/** A gate over toy policies whose scores are written down, so that every look and every call can be counted by hand. */

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, type CallFailure } from '../../src/core/call.ts';
import type { Graph, GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type CallsKind, type Kind, ROWS, type SourceKind, type TransformKind } from '../../src/core/kind.ts';
import { takenInOrder } from '../../src/datasets/sample.ts';
import type { GateLook } from '../../src/decide/gate-result.ts';
import { GateSpending } from '../../src/decide/gate-spending.ts';
import { pairNodes } from '../../src/decide/pair-graph.ts';
import { runGate } from '../../src/decide/run-gate.ts';
import type { BuildOptions } from '../../src/engine/options.ts';
import { BARE, toyRequest, toyWorld } from '../helpers/toy.ts';

type Prompt = { readonly prompt_id: string };
type Response = Prompt & { readonly status: string; readonly response: string | null };

const prompts: SourceKind<{ samples: number; first?: number | undefined }> = {
  name: 'prompts',
  about: '',
  shape: 'source',
  params: z.object({ samples: z.number(), first: z.number().optional() }),
  inputs: {},
  outputs: { [ROWS]: 'text' },
  item: ({ prompt_id: id }) => ({ id: String(id) }),
  expect: ({ samples }) => ({ items: samples, calls: [] }),
  locate: () => ({}),
  parse: ({ samples, first }) => {
    const ids = takenInOrder(Array.from({ length: samples }, (_, i) => `q${i}`));
    return { files: { [ROWS]: ids.slice(0, first).map((prompt_id) => ({ prompt_id })) } };
  },
};

const responses: CallsKind<{ draw: string }, Prompt> = {
  name: 'responses',
  about: '',
  shape: 'calls',
  params: z.object({ draw: z.string() }),
  inputs: { prompts: { arity: 'one' } },
  outputs: { [ROWS]: 'text' },
  item: ({ prompt_id: id }) => ({ id: String(id) }),
  expect: (_, sizes) => ({ items: sizes.one('prompts'), calls: [] }),
  items: (_, inputs) => inputs.one('prompts').rows<Prompt>(),
  *row({ prompt_id }, { draw }) {
    const answer = yield* ask(toyRequest(prompt_id, draw));
    return answer.ok
      ? { prompt_id, status: 'ok', response: answer.reply }
      : { prompt_id, status: answer.failure.reason, response: null };
  },
};

/** A policy's answer is as good as its params say; those that begin with a listed id have no score. */
const scores: TransformKind<{ score: number; without: string[] }> = {
  name: 'scores',
  about: '',
  shape: 'transform',
  params: z.object({ score: z.number(), without: z.array(z.string()) }),
  inputs: { responses: { arity: 'one' } },
  outputs: { [ROWS]: 'text' },
  item: ({ prompt_id: id }) => ({ id: String(id) }),
  expect: () => ({ items: 0, calls: [] }),
  run: ({ score, without }, inputs) => ({
    files: {
      [ROWS]: [...inputs.one('responses').rows<Response>()].map(({ prompt_id }) => ({
        prompt_id,
        score: without.includes(prompt_id) ? null : score,
      })),
    },
  }),
};

interface Toy {
  readonly samples?: number;
  readonly candidate?: number;
  readonly without?: readonly string[];
}

function graphOf({ samples = 1000, candidate = 0.5, without = [] }: Toy): Graph {
  const one = (node: string) => ({ arity: 'one' as const, nodes: [{ label: '', node }] });
  const both = (stage: string) => ({
    arity: 'many' as const,
    nodes: ['a', 'b'].map((label) => ({ label, node: `${stage}/${label}` })),
  });
  const node = (name: string, kind: string, params: JsonObject, inputs: GraphNode['inputs']): [string, GraphNode] => [
    name,
    { name, stage: name.split('/')[0]!, kind, params, inputs, tolerate: 0, place: { file: 'toy.yaml' } },
  ];
  return {
    name: 'toy',
    nodes: new Map([
      node('prompts', 'prompts', { samples }, {}),
      ...['a', 'b'].flatMap((policy) => [
        node(`responses/${policy}`, 'responses', { draw: policy }, { prompts: one('prompts') }),
        node(
          `scores/${policy}`,
          'scores',
          { score: policy === 'a' ? candidate : 0.5, without: [...without] },
          { responses: one(`responses/${policy}`) },
        ),
      ]),
      node('dataset', 'dataset', {}, { responses: both('responses'), scores: both('scores') }),
    ]),
    defaultTargets: ['dataset'],
    profile: 'toy',
    ...BARE,
  };
}

const PAIR = { candidate: 'a', baseline: 'b' };
const NO_LIMITS = { maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined };

async function gate(
  toy: Toy & {
    readonly margin?: number;
    readonly step?: number;
    readonly atMost?: number;
    readonly limits?: BuildOptions['limits'];
    readonly respond?: (prompt: string) => CallFailure | string;
  },
) {
  const { margin = 0.1, step = 10, atMost = Number.POSITIVE_INFINITY, limits = NO_LIMITS, respond } = toy;
  const graph = graphOf(toy);
  const world = toyWorld();
  if (respond !== undefined) world.buyer.respond = respond;
  const kinds = [prompts, responses, scores] as readonly Kind[];
  const ports = { ...world.ports(), kinds: new Map(kinds.map((kind) => [kind.name, { kind, code: '1' }])) };
  const nodes = pairNodes(graph, graph.nodes.get('dataset')!, PAIR, 'judge');
  const told: GateLook[] = [];
  const signal = new AbortController().signal;
  const result = await runGate(
    { graph, ports },
    {
      question: { ...PAIR, dataset: 'dataset', on: 'judge', margin, alpha: 0.05, pairwise: false },
      nodes,
      step,
      atMost,
      build: {
        jobs: 8,
        onFailure: 'stop-new',
        force: new Set(),
        offline: false,
        retryFailed: false,
        limits,
        command: 'cje gate',
        interrupt: signal,
        kill: signal,
        named: new Set(),
      },
      onLook: (look) => told.push(look),
    },
  );
  // A gate builds again and again: what each build listens to it leaves.
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  return { result, told, sent: world.buyer.sent.length, builds: world.store.contents.builds };
}

const sizes = (looks: readonly GateLook[]) => looks.map(({ prompts: asked, missing }) => asked + missing);
const done = (result: Awaited<ReturnType<typeof gate>>['result']) => {
  if (typeof result === 'number') throw new Error(`ended with ${result}`);
  return result;
};

describe('a gate', () => {
  it('buys prompt after prompt until it is decided, and tells the sum of its builds', async () => {
    const { result, told, sent, builds } = await gate({ candidate: 0.6, margin: 0.2, step: 3 });
    const { verdict, end, looks, bought, billed, unknown, dataset, margin } = done(result);
    expect({ verdict, end, bought, unknown, dataset, margin }).toEqual({
      verdict: 'pass',
      end: 'decided',
      bought: sent,
      unknown: 0,
      dataset: 'dataset',
      margin: 0.2,
    });
    // Each call of 3 tokens at a cent and 2 at a dime.
    expect(billed).toBeCloseTo(sent * 0.23, 9);
    expect(looks).toEqual(told);
    expect(sent).toBe(2 * sizes(looks).at(-1)!);
    expect(sizes(looks)).toEqual(looks.map((_, index) => 3 * (index + 1)));
    expect(looks.map((look) => look.verdict)).toEqual([...looks.slice(1).map(() => 'undecided'), 'pass']);
    // The record of each look names the first one.
    expect(builds.map(({ gate: first }) => first)).toEqual(builds.map(() => builds.at(-1)!.id));
  });

  it('fails a candidate that loses more than the margin', async () => {
    const { result } = await gate({ candidate: 0, margin: 0.1, step: 50 });
    expect(done(result)).toMatchObject({ verdict: 'fail', end: 'decided' });
  });

  it('takes steps of so many prompts, then of a tenth of what is there, to the most that it may', async () => {
    const { result } = await gate({ margin: 0.001, step: 4, atMost: 62 });
    const { looks, verdict, end } = done(result);
    const steps = Array.from({ length: 10 }, (_, i) => 4 * (i + 1));
    expect(sizes(looks)).toEqual([...steps, 44, 49, 54, 60, 62]);
    expect([verdict, end]).toEqual(['undecided', 'no-more-prompts']);
  });

  it('ends where the pipeline has no more prompts; an order of more is no look', async () => {
    const exact = done((await gate({ margin: 0.001, samples: 20, step: 10 })).result);
    expect([sizes(exact.looks), exact.end]).toEqual([[10, 20], 'no-more-prompts']);
    const over = done((await gate({ margin: 0.001, samples: 25, step: 10 })).result);
    expect([sizes(over.looks), over.end, over.bought]).toEqual([[10, 20, 25], 'no-more-prompts', 50]);
  });

  it.each([
    ['of calls', { ...NO_LIMITS, maxCalls: 50 }, 50],
    ['of calls, met by a look', { ...NO_LIMITS, maxCalls: 40 }, 40],
    // A call of 23 cents reserves a dollar: the 41st finds 57 cents left.
    ['of dollars', { ...NO_LIMITS, maxCost: 10 }, 40],
  ])('holds a cap %s over all of its builds, and keeps the looks that it had', async (_, limits, most) => {
    const { result, sent } = await gate({ margin: 0.001, limits });
    const { end, verdict, looks, bought } = done(result);
    expect({ end, verdict, bought }).toEqual({ end: 'budget', verdict: 'undecided', bought: sent });
    expect(sizes(looks).at(-1)).toBe(Math.min(20, 10 * Math.floor(bought / 20)));
    expect(sent).toBe(most);
  });

  it('decides nothing where too many prompts lack something', async () => {
    const order = takenInOrder(Array.from({ length: 40 }, (_, i) => `q${i}`));
    const given = { candidate: 1, margin: 0.5, samples: 40, step: 40 };
    const two = done((await gate({ ...given, without: order.slice(0, 2) })).result);
    expect([two.verdict, two.end, two.looks[0]!.missing]).toEqual(['pass', 'decided', 2]);
    const three = done((await gate({ ...given, without: order.slice(0, 3) })).result);
    expect([three.verdict, three.end]).toEqual(['undecided', 'missing']);
    const open = done((await gate({ ...given, candidate: 0.5, margin: 0.001, without: order.slice(0, 3) })).result);
    expect([open.verdict, open.end]).toEqual(['undecided', 'missing']);
  });

  it('ends as its build did where that failed', async () => {
    const refused: CallFailure = { class: 'permanent', reason: 'refused', message: 'no' };
    const { result, told } = await gate({ respond: () => refused });
    expect([result, told]).toEqual([1, []]);
  });
});

describe('what the builds of a gate have spent', () => {
  const built = (bought: number, failed: number, billed: number, unknown?: number) => ({
    calls: { bought, cached: 0, failed },
    cost: { billed, saved: 0, reproduce: null, ...(unknown === undefined ? {} : { unknown }) },
  });

  it('leaves the rest of each limit: a call that failed was a call, and what may be billed is', () => {
    const spending = new GateSpending();
    const limits = { maxCost: 10, maxCalls: 100, unapprovedCost: 5 };
    expect(spending.left(limits)).toEqual(limits);
    spending.add(built(20, 3, 1.5, 0.25));
    spending.add(built(10, 0, 1, 0.25));
    spending.add(built(1, 0, 0.5));
    expect(spending.sums).toEqual({ bought: 31, billed: 3, unknown: 0.5 });
    expect(spending.left(limits)).toEqual({ maxCost: 6.5, maxCalls: 66, unapprovedCost: 1.5 });
    expect(spending.left({ ...NO_LIMITS, unapprovedCost: 2 })).toEqual({ ...NO_LIMITS, unapprovedCost: 0 });
    expect(spending.left(NO_LIMITS)).toEqual(NO_LIMITS);
  });

  it.each([
    ['all calls', { ...NO_LIMITS, maxCalls: 34 }],
    ['all dollars', { ...NO_LIMITS, maxCost: 3.5 }],
  ])('leaves nothing once it is %s', (_, limits) => {
    const spending = new GateSpending();
    spending.add(built(31, 3, 3, 0.5));
    expect(spending.left(limits)).toBeUndefined();
    expect(spending.left({ ...limits, maxCost: 3.75, maxCalls: 35 })).toMatchObject({ maxCost: 0.25, maxCalls: 1 });
  });
});
