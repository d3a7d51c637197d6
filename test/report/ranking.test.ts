import { describe, expect, it } from 'vitest';
import type { EstimatedRow, EstimateRow, RefusedRow } from '../../src/datasets/results.ts';
import { orderedPairs } from '../../src/report/model/comparisons.ts';
import type { ReportData } from '../../src/report/model/data.ts';
import { headlineOf } from '../../src/report/model/headline.ts';
import { headlineRanking, rankPolicies, truthCoverage, unseparated } from '../../src/report/model/ranking.ts';
import type { Prose } from '../../src/report/model/section.ts';
import { sensitivityOf } from '../../src/report/model/sensitivity.ts';
import { bestLine, rankingLine, separationLine } from '../../src/report/model/words.ts';
import { fakeData } from './fake-data.ts';

const read = (prose: Prose): string =>
  prose.map((run) => (typeof run === 'string' ? run : 'sign' in run ? ` ${run.sign} ` : '')).join('');

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
  comparisons: [],
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
    expect(read(rankingLine(ranking))).toBe('b ≈ c > a');
    expect(separationLine(ranking)).toContain('b and c');
  });

  it('without comparisons separates by the whole of an interval, not by its middle', () => {
    // [0.65, 1.15] of an estimate of 0.9 against up to 0.66, and up to 0.64.
    const aboveNext = (half: number) =>
      rankPolicies(dataOf([cell('a', 0.9, 0.25), cell('b', 0.6, half)]), 'deterministic', 'dr-cpo').ranked[0]
        ?.aboveNext;
    expect([aboveNext(0.06), aboveNext(0.04)]).toEqual([false, true]);
  });

  it('goes by paired comparisons where there are any, whatever the intervals do', () => {
    const pair = (a: string, b: string, difference: number, familyP: number) => ({
      a,
      b,
      difference,
      standardError: 0.01,
      lower: difference - 0.02,
      upper: difference + 0.02,
      simultaneousLower: difference - 0.03,
      simultaneousUpper: difference + 0.03,
      pValue: familyP / 3,
      discoveryP: familyP / 2,
      familyP,
    });
    const rank = (policy: string, place: number, probabilityOfBest: number) => ({
      policy,
      rank: place,
      bestRank: place,
      worstRank: place,
      probabilityOfBest,
    });
    const data = dataOf([cell('a', 0.4, 0.2), cell('b', 0.7, 0.2), cell('c', 0.66, 0.001)], {
      comparisons: [
        {
          scorer: 'deterministic',
          ablation: 'dr-cpo',
          confidence: 0.95,
          pairs: [pair('a', 'b', -0.3, 0.001), pair('a', 'c', -0.26, 0.02), pair('b', 'c', 0.04, 0.07)],
          ranks: [rank('b', 1, 0.93), rank('c', 2, 0.069), rank('a', 3, 0.001)],
        },
      ],
    });
    const ranking = rankPolicies(data, 'deterministic', 'dr-cpo');
    expect(read(rankingLine(ranking))).toBe('b ≈ c > a');
    expect(separationLine(ranking)).toBe('Separated at 95 % family-wise: b > a; c > a. Not separated: b and c.');
    expect(bestLine(ranking)).toBe('Best of these 3 with probability: b 0.93, c 0.07.');
    const [first] = orderedPairs(ranking.comparisons!);
    expect(first).toMatchObject({ better: 'b', worse: 'c', difference: 0.04, separated: false });
    const last = orderedPairs(ranking.comparisons!)[1]!;
    expect(last).toMatchObject({ better: 'b', worse: 'a', difference: 0.3, separated: true });
    expect(last.lower).toBeCloseTo(0.27, 12);
    expect(last.upper).toBeCloseTo(0.33, 12);
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

describe('sensitivity', () => {
  const rows = [cell('a', 0.9, 0.05), cell('b', 0.7, 0.05), cell('c', 0.68, 0.1), refused('d')];

  it('is how far an interval may be widened before it meets another policy’s', () => {
    // a from 0.85 on, b up to 0.75, c from 0.58 to 0.78.
    const [a, b, c] = rows.map((row) => (row.status === 'ok' ? sensitivityOf(row, rows) : undefined));
    expect(a).toBeCloseTo(0.07, 12);
    expect([b, c]).toEqual([0, 0]);
  });

  it('looks at one estimator of one scorer, and is unknown without another policy', () => {
    const others = [cell('b', 0.9, 0.05, { ablation: 'snips' }), cell('b', 0.9, 0.05, { scorer: 'panel' })];
    expect(sensitivityOf(cell('a', 0.9, 0.05), [cell('a', 0.9, 0.05), ...others, refused('d')])).toBeNull();
  });
});

describe('headlineRanking', () => {
  it('leads with what own labels correct where it estimates every policy, and else not', () => {
    const own = { ablation: 'mine', estimator: 'direct-augmented' };
    const rows = [cell('a', 0.5, 0.1), cell('b', 0.6, 0.1), cell('a', 0.5, 0.1, own), cell('b', 0.6, 0.1, own)];
    const policies = { policies: ['a', 'b'] };
    expect(headlineRanking(dataOf(rows, policies))).toMatchObject({ ablation: 'mine', insteadOf: null });
    expect(headlineRanking(dataOf(rows.slice(0, 3), policies))!.ablation).toBe('dr-cpo');
    expect(headlineRanking(dataOf([...rows.slice(0, 3), refused('b', own)], policies))!.ablation).toBe('dr-cpo');
  });

  it('is by the first scorer of the pipeline and the first of the estimators that lead', () => {
    const rows = [
      cell('a', 0.2, 0.1, { ablation: 'snips', estimator: 'snips' }),
      cell('a', 0.3, 0.1, { ablation: 'dr-cpo-uncalibrated' }),
      cell('a', 0.4, 0.1),
      cell('a', 0.1, 0.1, { scorer: 'uncertainty' }),
    ];
    const ranking = headlineRanking(dataOf(rows))!;
    expect([ranking.scorer, ranking.ablation, ranking.insteadOf]).toEqual(['deterministic', 'dr-cpo', null]);
    expect(headlineRanking(dataOf(rows.toReversed()))!.scorer).toBe('uncertainty');
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

  it('passes one policy alone by for an estimator that compares two', () => {
    const next = { ablation: 'snips', estimator: 'snips' };
    const rows = [cell('a', 0.6, 0.1), refused('b'), cell('a', 0.5, 0.1, next), cell('b', 0.4, 0.1, next)];
    expect(headlineRanking(dataOf(rows))).toMatchObject({ ablation: 'snips', insteadOf: 'dr-cpo' });
    expect(headlineOf(dataOf(rows))!.insteadOf).toMatch(/^dr-cpo is refused for b: /);
    expect(headlineRanking(dataOf(rows.slice(0, 3)))).toMatchObject({ ablation: 'dr-cpo', insteadOf: null });
    // The judge's own word never leads.
    const naive = { ablation: 'naive', estimator: 'naive' };
    const word = [...rows.slice(0, 2), cell('a', 0.5, 0.1, naive), cell('b', 0.4, 0.1, naive)];
    expect(headlineRanking(dataOf(word))).toMatchObject({ ablation: 'dr-cpo', insteadOf: null });
  });

  it('claims no difference where the judge’s word is all there is', () => {
    const naive = { ablation: 'naive', estimator: 'naive' };
    const word = [cell('a', 0.5, 0.01, naive), cell('b', 0.4, 0.01, naive)];
    const comparisons = [{ ...template.comparisons[0]!, scorer: 'deterministic', ablation: 'naive' }];
    const few = { gate: 'too-few-oracle-labels', reason: '2 labelled prompts; the calibration needs 4' };
    const lacking = headlineOf(dataOf([refused('a', few), refused('b', few), ...word], { comparisons }))!;
    expect(lacking.ranking).toMatchObject({ judgeAlone: true, comparisons: undefined });
    expect(lacking.ranking.ranked.map(({ rank }) => rank)).toEqual([null, null]);
    expect(lacking.ranking.ranked.map(({ aboveNext }) => aboveNext)).toEqual([null, null]);
    expect([lacking.pair, bestLine(lacking.ranking), separationLine(lacking.ranking)]).toEqual([undefined, '', '']);
    expect(lacking.unknown).toMatch(/^No difference is claimed: .* \(2 labelled prompts; the calibration needs 4\)\.$/);
    // Asked for alone it says how the judge scores, and that no label backs it.
    const alone = headlineOf(dataOf(word, { comparisons }))!;
    expect(alone.ranking.judgeAlone).toBe(true);
    const claims = alone.ranking.ranked.map(({ aboveNext, probabilityOfBest }) => [aboveNext, probabilityOfBest]);
    expect(claims).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(alone.unknown).toBe('These are the judge’s scores alone: no label says what they are worth.');
    // A variant without calibration is the judge's word too, and a refusal for want of overlap says nothing of labels.
    const plain = { ablation: 'snips-uncalibrated', estimator: 'snips', oracleStandardError: 0 };
    const uncalibrated = (gate: string) =>
      headlineRanking(dataOf([refused('a', { gate }), cell('a', 0.2, 0.1, plain), cell('b', 0.1, 0.1, plain)]))!;
    expect(uncalibrated('no-oracle-labels').judgeAlone).toBe(true);
    expect(uncalibrated('heavy-tail').judgeAlone).toBe(false);
    const calibrated = { ...plain, oracleStandardError: 0.01 };
    const rows = [refused('a', few), cell('a', 0.2, 0.1, calibrated)];
    expect(headlineRanking(dataOf(rows))!.judgeAlone).toBe(false);
  });

  it('does not lead with an ablation that has nothing but the policy that wrote the log', () => {
    const plain = { ablation: 'snips-uncalibrated', estimator: 'snips' };
    const rows = [cell('log', 0.5, 0.1), refused('a'), cell('a', 0.2, 0.1, plain), cell('log', 0.5, 0.1, plain)];
    const data = dataOf(rows, { policies: ['a', 'log'], logger: 'log' });
    const ranking = headlineRanking(data)!;
    expect([ranking.ablation, ranking.insteadOf]).toEqual(['snips-uncalibrated', 'dr-cpo']);
    // Where no other has more, it is better than none.
    const alone = headlineRanking({ ...data, estimates: rows.slice(0, 2) })!;
    expect([alone.ablation, alone.ranked.map(({ row }) => row.policy)]).toEqual(['dr-cpo', ['log']]);
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
