/** Prompts, labels and cuts of a gate that are few enough to be counted by hand. */

import { describe, expect, it } from 'vitest';
import type { Graph, GraphInput, GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { takenInOrder } from '../../src/datasets/sample.ts';
import { gatePrompts } from '../../src/decide/gate-prompts.ts';
import { lacksTooMuch } from '../../src/decide/gate-result.ts';
import { type PairNodes, pairGraph } from '../../src/decide/pair-graph.ts';
import { BARE } from '../helpers/toy.ts';
import { input } from '../kinds/support.ts';

const PAIR = { candidate: 'a', baseline: 'b' };
const NODES: PairNodes = {
  responses: { candidate: 'responses/a', baseline: 'responses/b' },
  scores: { candidate: 'scores/a', baseline: 'scores/b' },
  labels: undefined,
};

/** By policy, the prompts that were asked, and those of them that have a score. */
function read(
  asked: Readonly<Record<'a' | 'b', readonly string[]>>,
  scored: Readonly<Record<'a' | 'b', readonly string[]>> = asked,
  labels: readonly JsonObject[] = [],
) {
  const rows = (ids: readonly string[], more: JsonObject) =>
    input({ rows: ids.map((id) => ({ prompt_id: id, ...more })) });
  const nodes = new Map([
    ['responses/a', rows(asked.a, { status: 'ok', response: 'r' })],
    ['responses/b', rows(asked.b, { status: 'ok', response: 'r' })],
    ['scores/a', rows(scored.a, { score: 0.75 })],
    ['scores/b', rows(scored.b, { score: 0.25 })],
    ['labels', input({ rows: labels })],
  ]);
  return (node: string) => nodes.get(node)!;
}

const [p1, p2, p3, p4, p5] = takenInOrder(['one', 'two', 'three', 'four', 'five']) as [
  string,
  string,
  string,
  string,
  string,
];

describe('the prompts of a gate', () => {
  it('are those of both; what only one policy was asked is missing, but for the end, which is still to come', () => {
    const at = (a: readonly string[], b: readonly string[]) => {
      const { prompts, missing, taken } = gatePrompts(PAIR, NODES, read({ a, b }));
      return [prompts.length, missing, taken];
    };
    expect(at([p1, p2, p3, p4, p5], [p1, p2, p3, p4, p5])).toEqual([5, 0, 5]);
    expect(at([p1, p2, p3, p4, p5], [p1, p2, p3])).toEqual([3, 0, 5]);
    expect(at([p1, p2], [p5, p4, p3, p2, p1])).toEqual([2, 0, 5]);
    expect(at([p1, p3, p4], [p1, p2, p3])).toEqual([2, 1, 3]);
    expect(at([p1, p2], [p3, p4])).toEqual([0, 0, 2]);
  });

  it('lack something where either side has no score', () => {
    const all = [p1, p2, p3, p4, p5];
    const found = gatePrompts(PAIR, NODES, read({ a: all, b: all }, { a: [p1, p2, p3, p5], b: [p2, p3, p4, p5] }));
    expect([found.prompts.length, found.missing]).toEqual([3, 2]);
    expect(found.prompts[0]).toEqual({ candidate: [{ score: 0.75 }], baseline: [{ score: 0.25 }] });
  });

  it.each([
    [95, 5, false],
    [94, 6, true],
    [19, 1, false],
    [18, 1, true],
    [0, 0, false],
  ])('are too few where more than a twentieth lacks something: %i and %i that do', (prompts, missing, tooMuch) => {
    expect(lacksTooMuch({ prompts, missing })).toBe(tooMuch);
  });
});

describe('the labels of a gate', () => {
  const ids = takenInOrder(Array.from({ length: 100 }, (_, i) => `q${i}`));
  const label = (policy: string, id: string, value: number | null = 1) => ({
    policy,
    prompt_id: id,
    status: value === null ? 'refused' : 'ok',
    label: value,
  });
  const plan = { logger: undefined, calibrationShare: 1, validationShare: 1, seed: 1, validationSeed: 1 } as const;
  const labelled = (share: number): PairNodes => ({
    ...NODES,
    labels: { node: 'labels', plan, propensities: { candidate: share, baseline: 1 }, asked: false },
  });
  /** The first so many of the candidate's answers have a label, and all of the baseline's. */
  const found = (share: number, count: number) =>
    gatePrompts(
      PAIR,
      labelled(share),
      read({ a: ids, b: ids }, undefined, [
        ...ids.slice(0, count).map((id) => label('a', id)),
        ...ids.map((id) => label('b', id)),
      ]),
    );

  // 4 standard deviations of a binomial law, and one.
  it.each([
    [0.5, 29, 71],
    [0.1, 0, 23],
    [0.8, 63, 97],
  ])('are as many as a share of %d lets expect, of 100: from %i to %i', (share, least, most) => {
    for (const count of [least, Math.round(100 * share), most]) {
      expect(found(share, count).labels).toEqual({ candidate: count, baseline: 100 });
    }
    expect(() => found(share, most + 1)).toThrow(
      `${most + 1} of 100 answers of a have a label, where about ${100 * share} should`,
    );
    if (least > 0) expect(() => found(share, least - 1)).toThrow(`${least - 1} of 100 answers of a`);
  });

  it('are missing where they were due and did not come; where they were drawn they need not come', () => {
    const rows = (value: number | null | undefined) => [
      ...ids.map((id) => label('b', id)),
      ...ids.slice(1).map((id) => label('a', id)),
      ...(value === undefined ? [] : [label('a', ids[0]!, value)]),
    ];
    const at = (share: number, value: number | null | undefined) => {
      const { prompts, missing, labels } = gatePrompts(
        PAIR,
        labelled(share),
        read({ a: ids, b: ids }, undefined, rows(value)),
      );
      return [prompts.length, missing, labels.candidate];
    };
    expect(at(1, 0.5)).toEqual([100, 0, 100]);
    // One that was asked for in vain, and one of which nothing is said.
    expect(at(1, null)).toEqual([99, 1, 99]);
    expect(at(1, undefined)).toEqual([99, 1, 99]);
    expect(at(0.99, null)).toEqual([99, 1, 99]);
    expect(at(0.99, undefined)).toEqual([100, 0, 99]);
  });
});

describe('the part of a pipeline that a gate makes', () => {
  const one = (node: string): GraphInput => ({ arity: 'one', nodes: [{ label: '', node }] });
  const by = (...labels: string[]): GraphInput => ({
    arity: 'many',
    nodes: labels.map((each) => ({ label: each, node: `responses/${each}` })),
  });
  function graphOf(nodes: Readonly<Record<string, Pick<GraphNode, 'kind' | 'inputs'>>>): Graph {
    const all = Object.entries(nodes).map(([name, node]): [string, GraphNode] => [
      name,
      { name, stage: name, params: {}, tolerate: 0, place: { file: 'pipeline.yaml' }, ...node },
    ]);
    return {
      name: 'gated',
      nodes: new Map(all),
      defaultTargets: [],
      profile: 'sim',
      ...BARE,
    };
  }
  const scored = { 'scores/a': { kind: 'scores', inputs: {} }, 'scores/b': { kind: 'scores', inputs: {} } };

  it('takes fewer prompts where they are listed, and not again where a table reads that list', () => {
    const graph = graphOf({
      prompts: { kind: 'prompts', inputs: {} },
      own: { kind: 'table-responses', inputs: {} },
      wired: { kind: 'table-responses', inputs: { prompts: one('prompts') } },
      'scores/a': { kind: 'scores', inputs: { responses: one('wired') } },
      'scores/b': { kind: 'scores', inputs: {} },
    });
    const { graph: cut, grows } = pairGraph(graph, PAIR, NODES, 7);
    const first = (name: string) => cut.nodes.get(name)!.params.first;
    expect([first('prompts'), first('own'), first('wired'), grows]).toEqual([7, 7, undefined, true]);
    expect(pairGraph(graphOf({ own: { kind: 'import', inputs: {} }, ...scored }), PAIR, NODES, 7).grows).toBe(false);
  });

  it('leaves out what only others read, and labels that people gave as they are', () => {
    const graph = graphOf({
      'responses/a': { kind: 'responses', inputs: {} },
      'responses/b': { kind: 'responses', inputs: {} },
      'responses/c': { kind: 'responses', inputs: {} },
      ...scored,
      labels: { kind: 'table-labels', inputs: { responses: by('a', 'b', 'c'), extra: by('a', 'c') } },
    });
    const nodes = (asked: boolean): PairNodes => ({
      ...NODES,
      labels: {
        node: 'labels',
        plan: { logger: undefined, calibrationShare: 1, validationShare: 1, seed: 1, validationSeed: 1 },
        propensities: { candidate: 1, baseline: 1 },
        asked,
      },
    });
    const cut = (asked: boolean) => pairGraph(graph, PAIR, nodes(asked), 7).graph.nodes.get('labels')!;
    const labels = (of: GraphInput) => of.nodes.map(({ label: each }) => each);
    expect(labels(cut(false).inputs.responses!)).toEqual(['a', 'b']);
    // What is of one of the two alone is another kind of input.
    expect(labels(cut(false).inputs.extra!)).toEqual(['a', 'c']);
    expect(cut(false).params).toEqual({});
    expect(cut(true).params).toEqual({ choose: 'each' });
  });
});
