import { describe, expect, it } from 'vitest';
import type { EstimatedRow, EstimateRow, RefusedRow, ReportData } from '../../src/report/data.ts';
import { headlineRanking, rankPolicies, truthCoverage, unseparated } from '../../src/report/ranking.ts';
import { rankingLine, separationLine } from '../../src/report/words.ts';
import { fakeData } from './fake-data.ts';

const template = fakeData();
const okRow = template.estimates.find((row): row is EstimatedRow => row.status === 'ok')!;
const refusedRow = template.estimates.find((row): row is RefusedRow => row.status === 'refused')!;

const cell = (policy: string, estimate: number, half: number, rest: Partial<EstimatedRow> = {}): EstimatedRow => ({
  ...okRow,
  scorer: 'deterministic',
  ablation: 'dr-cpo',
  estimator: 'dr-cpo',
  policy,
  estimate,
  lower: estimate - half,
  upper: estimate + half,
  ...rest,
});
const refused = (policy: string, rest: Partial<RefusedRow> = {}): RefusedRow => ({
  ...refusedRow,
  scorer: 'deterministic',
  ablation: 'dr-cpo',
  estimator: 'dr-cpo',
  policy,
  ...rest,
});
const dataOf = (estimates: readonly EstimateRow[], rest: Partial<ReportData> = {}): ReportData => ({
  ...template,
  policies: ['a', 'b', 'c', 'd'],
  truth: { available: false, population: null, values: {} },
  estimates,
  ...rest,
});

describe('rankPolicies', () => {
  it('orders by the estimate, says which neighbours overlap, and keeps refused and absent policies apart', () => {
    const data = dataOf([cell('a', 0.4, 0.02), cell('b', 0.7, 0.05), cell('c', 0.66, 0.05), refused('d')], {
      policies: ['a', 'b', 'c', 'd', 'e'],
    });
    const ranking = rankPolicies(data, 'deterministic', 'dr-cpo');
    expect(ranking.ranked.map(({ rank, row, aboveNext }) => [rank, row.policy, aboveNext])).toEqual([
      [1, 'b', false],
      [2, 'c', true],
      [3, 'a', null],
    ]);
    expect(ranking.refused.map(({ policy }) => policy)).toEqual(['d']);
    expect(ranking.absent).toEqual(['e']);
    expect(unseparated(ranking).map(([better, worse]) => [better.row.policy, worse.row.policy])).toEqual([['b', 'c']]);
    expect(rankingLine(ranking)).toBe('b ≈ c > a');
    expect(separationLine(ranking)).toContain('b and c');
  });

  it('counts intervals that touch as overlapping', () => {
    const data = dataOf([cell('a', 0.5, 0.25), cell('b', 1, 0.25)]);
    expect(rankPolicies(data, 'deterministic', 'dr-cpo').ranked[0]?.aboveNext).toBe(false);
  });

  it('keeps the pipeline’s order between equal estimates', () => {
    const data = dataOf([cell('c', 0.5, 0.1), cell('a', 0.5, 0.1), cell('b', 0.5, 0.1)]);
    const names = rankPolicies(data, 'deterministic', 'dr-cpo').ranked.map(({ row }) => row.policy);
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it('compares the order with the truth, pair by pair', () => {
    const truth = { available: true, population: 'prompt law', values: { a: 0.3, b: 0.5, c: 0.6 } } as const;
    const data = dataOf([cell('a', 0.4, 0.1), cell('b', 0.7, 0.1), cell('c', 0.6, 0.1)], { truth });
    expect(rankPolicies(data, 'deterministic', 'dr-cpo').order).toEqual({ pairs: 3, agreeing: 2 });
  });

  it('knows no order where the truth is unknown', () => {
    const data = dataOf([cell('a', 0.4, 0.1), cell('b', 0.7, 0.1)]);
    expect(rankPolicies(data, 'deterministic', 'dr-cpo').order).toBeNull();
  });
});

describe('headlineRanking', () => {
  it('is by dr-cpo and the deterministic scorer, whatever comes first', () => {
    const rows = [
      cell('a', 0.1, 0.1, { scorer: 'uncertainty' }),
      cell('a', 0.2, 0.1, { ablation: 'snips', estimator: 'snips' }),
      cell('a', 0.3, 0.1, { ablation: 'dr-cpo-uncalibrated' }),
      cell('a', 0.4, 0.1),
    ];
    const ranking = headlineRanking(dataOf(rows))!;
    expect([ranking.scorer, ranking.ablation, ranking.insteadOf]).toEqual(['deterministic', 'dr-cpo', null]);
  });

  it('takes the scorer there is when there is no deterministic one', () => {
    expect(headlineRanking(dataOf([cell('a', 0.1, 0.1, { scorer: 'other' })]))?.scorer).toBe('other');
  });

  it('passes to the next best when the best gave no estimate, and says for which', () => {
    const rows = [
      cell('a', 0.2, 0.1, { ablation: 'ips', estimator: 'ips' }),
      cell('a', 0.2, 0.1, { ablation: 'snips-uncalibrated', estimator: 'snips' }),
      refused('a', { gate: 'no_labels' }),
    ];
    const ranking = headlineRanking(dataOf(rows))!;
    expect([ranking.ablation, ranking.insteadOf]).toEqual(['snips-uncalibrated', 'dr-cpo']);
  });

  it('shows the refusals when every estimate is refused', () => {
    const ranking = headlineRanking(dataOf([refused('a'), refused('b')]))!;
    expect(ranking.ranked).toEqual([]);
    expect(ranking.refused).toHaveLength(2);
    expect(ranking.insteadOf).toBeNull();
  });

  it('is nothing without rows', () => {
    expect(headlineRanking(dataOf([]))).toBeUndefined();
  });
});

describe('truthCoverage', () => {
  it('counts intervals that hold the truth among those whose truth is known', () => {
    const truth = { available: true, population: 'prompt law', values: { a: 0.5, b: 0.9 } } as const;
    const rows = [cell('a', 0.45, 0.05), cell('b', 0.5, 0.1), cell('c', 0.5, 0.1)];
    expect(truthCoverage(dataOf(rows, { truth }), rows)).toEqual({ inside: 1, known: 2 });
  });
});
