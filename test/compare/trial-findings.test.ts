/** What a canary says of the rest, in sums for paper. */

import { describe, expect, it } from 'vitest';
import { findingsOf, restOf } from '../../src/compare/trial-findings.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Kind } from '../../src/core/kind.ts';

type Outcome = Parameters<typeof restOf>[0];
type TrialNode = Outcome['nodes'][number];
type PlannedNode = Outcome['plan']['nodes'][number];

const tried = (node: string, bought: number, cost: number, more: Partial<TrialNode> = {}): TrialNode => ({
  node,
  kind: 'scores',
  total: 9,
  invalidated: 9,
  sameInputs: true,
  items: [],
  planned: 9,
  bought,
  cost,
  unknown: 0,
  ...more,
});

describe('the rest after a canary', () => {
  /** @param nodes calls that the plan has, and the dollars that it expects */
  const rest = (
    nodes: Readonly<Record<string, readonly [calls: number, dollars: number | null]>>,
    canary: readonly TrialNode[],
    minutes = 6,
  ) => {
    const calls = Object.values(nodes).reduce((sum, [own]) => sum + own, 0);
    const planned: PlannedNode[] = Object.entries(nodes).map(([node, [own, expected]]) => ({
      node,
      calls: own,
      models: [{ expected }],
    })) as never;
    const plan = { nodes: planned, calls, minutes, exact: true } as never as Outcome['plan'];
    const bought = canary.reduce((sum, node) => sum + node.bought, 0);
    return restOf({ plan, nodes: canary, calls: { bought, failed: 0 }, cost: 0, unknown: 0, stopped: undefined });
  };

  it('costs as much a call as the canary paid, where it bought any; else what the plan expects', () => {
    // a: 8 left at 50 cents. b, of which nothing was bought, and c, which was not tried: as planned.
    const canary = [tried('a', 2, 1), tried('b', 0, 0)];
    expect(rest({ a: [10, 99], b: [4, 3], c: [6, 5] }, canary)).toEqual({
      calls: 18,
      dollars: 12,
      minutes: (6 * 18) / 20,
      exact: true,
    });
  });

  it('is nothing where the canary bought more than was planned', () => {
    expect(rest({ a: [2, 1] }, [tried('a', 3, 3)])).toMatchObject({ calls: 0, dollars: 0, minutes: 0 });
    expect(rest({ a: [0, 0] }, [])).toMatchObject({ calls: 0, minutes: 0 });
  });

  it('is of unknown cost where one price is', () => {
    expect(rest({ a: [2, null], b: [2, 1] }, []).dollars).toBeNull();
  });
});

describe('what a canary found', () => {
  const kind = { measures: [{ column: 'score', label: 'score', scale: 'unit', drawn: true }] } as never as Kind;
  const kinds = new Map([['scores', { kind, code: '1' }]]);
  const item = (before: JsonObject | null, after: JsonObject | null) =>
    ({ item: 'x', before, after }) as never as TrialNode['items'][number];

  it('is complete where a row is there and ok, and compared where both rows have the number', () => {
    const items = [
      item({ score: 0.25 }, { score: 0.75, status: 'ok' }),
      item({ score: null }, { score: 0.5, status: 'ok' }),
      item({ score: 0.5 }, { score: null, status: 'refused' }),
      item(null, null),
    ];
    expect(findingsOf(tried('a', 2, 1, { items }), kinds)).toMatchObject({
      items: 4,
      complete: 2,
      agreement: { n: 1, meanBefore: 0.25, meanAfter: 0.75, shift: 0.5 },
    });
    expect(findingsOf(tried('a', 0, 0, { items: items.slice(1) }), kinds).agreement).toBeNull();
  });
});
