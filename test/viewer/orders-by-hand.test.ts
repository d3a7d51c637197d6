/** The orders of prompts and two policies side by side, of three prompts for paper. */

import { describe, expect, it } from 'vitest';
import { headToHead } from '../../src/viewer/model/head-to-head.ts';
import { ordersOf, sortBy } from '../../src/viewer/model/item-order.ts';
import type { Column, Measures, PolicyColumns } from '../../src/viewer/model/measures.ts';

const NONE = Number.NaN;
const column = (...values: readonly number[]) => ({ values: Float64Array.from(values) }) as Column;
const policy = (
  name: string,
  scores: Readonly<Record<string, readonly number[]>>,
  more: Partial<PolicyColumns> = {},
): PolicyColumns => ({
  policy: name,
  response: undefined,
  logprob: undefined,
  label: undefined,
  ...more,
  scores: new Map(Object.entries(scores).map(([judge, values]) => [judge, column(...values)])),
});

const MEASURES: Measures = {
  ids: ['x', 'y', 'z'],
  indexOf: new Map(),
  policies: [
    policy('p0', { mild: [0.5, 0.5, 0.5], stern: [0.25, 0.5, NONE] }, { logprob: column(-3, -5, -7) }),
    policy('a', { mild: [0.75, 0.2, NONE] }, { logprob: column(-4, -2, NONE), label: column(0.5, 0.25, 1) }),
  ],
  others: [],
  scorers: ['mild', 'stern'],
  logger: 'p0',
  // From 0 to 1 the reward goes up half as fast, from a quarter.
  calibration: new Map([['mild', [[0, 0.25] as const, [1, 0.75] as const]]]),
  failures: Uint16Array.of(0, 2, 1),
  texts: [],
  prompt: undefined,
};

const order = (key: string, scorer: string | undefined = 'mild', measures = MEASURES) => {
  const found = ordersOf(measures, { a: 'a', b: 'p0' }).find((each) => each.key === key)!;
  const values = found.values(measures, scorer);
  return {
    values: [...values].map((value) => (Number.isNaN(value) ? null : Number(value.toFixed(9)))),
    sorted: sortBy(found, values, [0, 1, 2]).map((index) => measures.ids[index]),
  };
};

describe('the orders of prompts', () => {
  it('are by the differences of two policies, with and without their sign', () => {
    const values = [0.25, -0.3, null];
    expect(order('ahead')).toEqual({ values, sorted: ['x', 'y', 'z'] });
    expect(order('behind')).toEqual({ values, sorted: ['y', 'x', 'z'] });
    expect(order('apart')).toEqual({ values, sorted: ['y', 'x', 'z'] });
  });

  it('know no difference where floats leave one of equal numbers', () => {
    const tie = {
      ...MEASURES,
      policies: [policy('p0', { mild: [0.1 + 0.2, 0, 0] }), policy('a', { mild: [0.3, 0, 0] })],
    };
    const found = ordersOf(tie, { a: 'a', b: 'p0' }).find(({ key }) => key === 'ahead')!;
    expect([...found.values(tie, 'mild')].map((value) => value + 0)).toEqual([0, 0, 0]);
  });

  it('are by the log ratio of a target over the logger, largest first', () => {
    expect(order('weight:a')).toEqual({ values: [-1, 3, null], sorted: ['y', 'x', 'z'] });
  });

  it('are by how far the oracle is from the reward, or from the score where the judge has no calibration', () => {
    // Rewards 0.625 and 0.35 of 0.75 and 0.2.
    expect(order('disagreement')).toEqual({ values: [-0.125, -0.1, null], sorted: ['x', 'y', 'z'] });
    const plain = { ...MEASURES, calibration: new Map() };
    expect(order('disagreement', 'mild', plain)).toEqual({ values: [-0.25, 0.05, null], sorted: ['x', 'y', 'z'] });
  });

  it('are by how far judges are apart, where two have scored', () => {
    expect(order('judges')).toEqual({ values: [0.25, 0, null], sorted: ['x', 'y', 'z'] });
  });

  it('are by failures, and by scores from either end', () => {
    expect(order('failures')).toEqual({ values: [0, 2, 1], sorted: ['y', 'z', 'x'] });
    expect(order('low:a')).toEqual({ values: [0.75, 0.2, null], sorted: ['y', 'x', 'z'] });
    expect(order('high:a').sorted).toEqual(['x', 'y', 'z']);
  });
});

it('two policies side by side are counted where both have a score', () => {
  const found = headToHead(MEASURES, { a: 'a', b: 'p0', scorer: 'mild' });
  expect(found).toMatchObject({
    a: 'a',
    b: 'p0',
    points: [
      { id: 'x', a: 0.75, b: 0.5 },
      { id: 'y', a: 0.2, b: 0.5 },
    ],
    missing: 1,
    aBetter: 1,
    bBetter: 1,
    tied: 0,
    agreement: { n: 2, meanBefore: 0.5, meanAfter: 0.475 },
  });
  expect(headToHead(MEASURES, { a: 'a', b: 'a', scorer: undefined })).toMatchObject({ a: 'a', b: 'p0' });
  expect(headToHead(MEASURES, { a: 'a', b: 'p0', scorer: 'stern' })).toBeUndefined();
});
