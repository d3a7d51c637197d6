/** What a dataset's calls cost apiece, from the records of the nodes that it joins. */

import { expect, it } from 'vitest';
import type { GraphNode } from '../../src/core/graph.ts';
import type { CallTally, Summary } from '../../src/core/summary.ts';
import { paidPrices } from '../../src/datasets/planning/paid-prices.ts';

const inputs = Object.fromEntries(
  Object.entries({ responses: ['r1', 'r2'], logprobs: ['l'], scores: ['s'], oracle: ['o'] }).map(([name, nodes]) => [
    name,
    { arity: 'many' as const, nodes: nodes.map((node) => ({ label: node, node })) },
  ]),
);
const dataset: GraphNode = {
  name: 'd',
  stage: 'd',
  kind: 'dataset',
  params: {},
  inputs,
  tolerate: 0,
  place: { file: 'pipeline.yaml' },
};
const tally = (model: string, calls: number): CallTally => ({
  identity: 'somewhere',
  model,
  calls,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
});
const summary = (items: number, ...calls: CallTally[]): Summary => ({ items, statuses: {}, calls });
const records: Record<string, Summary> = {
  r1: summary(10, tally('a', 10), tally('b', 5)),
  r2: summary(30, tally('a', 30)),
  l: summary(80, tally('a', 7)),
  s: summary(40, tally('b', 2)),
  o: summary(4, tally('b', 3)),
};
/** A call of `a` costs 0.01, one of `b` 0.04; another model has no price. */
const pricesOf = (of: Record<string, Summary | undefined>) =>
  paidPrices(
    { nodes: new Map([['d', dataset]]) },
    'd',
    (node) => {
      const found = of[node];
      return found && { summary: found };
    },
    {
      cost: (_, model, usage) => {
        const price = { a: 0.01, b: 0.04 }[model];
        return price === undefined || !('calls' in usage) ? undefined : price * Number(usage.calls);
      },
    },
  );

it('are all dollars over the responses, and the oracle’s over its labels', () => {
  // 0.1 + 0.2 + 0.3 for 40 responses, 0.07 for log probabilities, 0.08 for scores; 0.12 for 4 labels.
  const { score, label } = pricesOf(records);
  expect(score).toBeCloseTo(0.75 / 40, 12);
  expect(label).toBeCloseTo(0.03, 12);
});

it('are unknown where a node is unbuilt, a model has no price, or nothing was paid', () => {
  for (const node of ['r1', 'r2', 'l', 's']) {
    expect(pricesOf({ ...records, [node]: undefined })).toEqual({ score: undefined, label: expect.closeTo(0.03, 12) });
  }
  expect(pricesOf({ ...records, s: summary(40, tally('c', 2)) }).score).toBeUndefined();
  expect(pricesOf({ ...records, o: undefined })).toEqual({ score: expect.closeTo(0.75 / 40, 12), label: undefined });
  expect(pricesOf({ ...records, o: summary(4) }).label).toBeUndefined();
  expect(pricesOf({ ...records, o: summary(0) }).label).toBeUndefined();
  const free = { r1: summary(10), r2: summary(30), l: summary(80), s: summary(40), o: summary(4) };
  expect(pricesOf(free)).toEqual({ score: undefined, label: undefined });
});
