/** Sentences of a report on numbers at the edge of what they say. */

import { describe, expect, it } from 'vitest';
import type { EstimateRow } from '../../src/datasets/results.ts';
import { headlineOf } from '../../src/report/model/headline.ts';
import { preciseSigned } from '../../src/report/model/number-text.ts';
import { rankPolicies, turnedRanking } from '../../src/report/model/ranking.ts';
import { isTempered, pairLine, scoredLine } from '../../src/report/model/words.ts';
import { fakeData, POLICIES } from './fake-data.ts';

const data = fakeData();
const { ranking } = headlineOf(data)!;
const refusedRow = data.estimates.find(({ status }) => status === 'refused')!;

it.each([
  [-0.5, '-0.500'],
  [-0.0005, '-0.001'],
  [-0.00049, '-<0.001'],
  [0.25, '+0.250'],
])('a move of %d is told as %s', (delta, text) => {
  expect(preciseSigned(delta)).toBe(text);
});

it.each([
  [0.0009, 'p < 0.001'],
  [0.001, 'p = 0.001'],
  [0.005, 'p = 0.005'],
])('a pair with p %d says %s', (familyP, text) => {
  const pair = { better: 'a', worse: 'b', difference: 0.125, lower: 0.0625, upper: 0.25, standardError: 0.1 };
  expect(pairLine({ ...pair, familyP, discoveryP: 1, separated: true })).toContain(text);
});

it('two policies that the judge alone has scored are told with the higher one first', () => {
  const pair = { better: 'a', worse: 'b', difference: 0.125, lower: 0.0625, upper: 0.25, standardError: 0.1 };
  const of = { ...pair, familyP: 1, discoveryP: 1, separated: false };
  expect(scoredLine(of)).toBe('The judge scores a above b by 0.125 [0.063, 0.250].');
  expect(scoredLine(of, (policy) => policy.toUpperCase())).toBe('The judge scores A above B by 0.125 [0.063, 0.250].');
});

it('a report is tempered where one policy of one dataset is, or one estimate', () => {
  const quality = data.quality.map((of, index) => ({
    ...of,
    logprobs: of.logprobs.map((policy, at) => ({ ...policy, tempered: index === 1 && at === 1 })),
  }));
  const estimates = data.estimates.map((row, index): EstimateRow => ({ ...row, tempered: index === 3 }));
  expect([data, { ...data, quality }, { ...data, estimates }].map(isTempered)).toEqual([false, true, true]);
});

describe('a ranking is turned', () => {
  /** The leading estimates, highest first in this order. */
  const ordered = (order: readonly string[]) => ({
    ...data,
    estimates: data.estimates.map((row): EstimateRow => {
      const leads = row.scorer === ranking.scorer && row.ablation === ranking.ablation && row.status === 'ok';
      return leads ? { ...row, estimate: 1 - order.indexOf(row.policy) / 10 } : row;
    }),
  });
  const [a, b, c, d] = POLICIES;
  const turned = (before: readonly string[], now: readonly string[]) =>
    turnedRanking(ordered(before), rankPolicies(ordered(now), ranking.scorer, ranking.ablation)) !== undefined;

  it('where any two neighbours of before change places, and not only with the first', () => {
    expect(turned([a, b, c, d], [a, b, c, d])).toBe(false);
    expect(turned([a, b, c, d], [b, a, c, d])).toBe(true);
    expect(turned([a, b, c, d], [a, c, b, d])).toBe(true);
    expect(turned([a, b, c, d], [a, b, d, c])).toBe(true);
  });
});

describe('the remedy of a headline', () => {
  /** Of the leading ablation, the policies that each gate refuses; all other ablations refuse all by the last gate. */
  const remedyOf = (gates: Readonly<Record<string, string>>, others: 'estimate' | 'refuse') => {
    const refused = (row: EstimateRow, gate: string) => {
      const { scorer, ablation, estimator, policy } = row;
      return { ...refusedRow, gate, scorer, ablation, estimator, policy } as EstimateRow;
    };
    const estimates = data.estimates.map((row): EstimateRow => {
      const gate = gates[row.policy];
      if (row.ablation !== ranking.ablation) return others === 'refuse' ? refused(row, 'too-few-rows') : row;
      return gate === undefined ? row : refused(row, gate);
    });
    return headlineOf({ ...data, estimates })!.remedy;
  };
  const [a, b, c] = POLICIES;

  it('is of the gate that refuses most policies', () => {
    const gates = { [a]: 'heavy-tail', [b]: 'low-label-support', [c]: 'low-label-support' };
    expect(remedyOf(gates, 'refuse')).toMatchObject({ gate: 'low-label-support', policies: [b, c] });
  });

  it('is another estimate where one policy lacks its own, and not where several do', () => {
    expect(remedyOf({ [a]: 'heavy-tail' }, 'estimate')).toMatchObject({ policies: [a], detour: true });
    expect(remedyOf({ [a]: 'heavy-tail', [b]: 'heavy-tail' }, 'estimate')).not.toHaveProperty('detour');
  });
});
