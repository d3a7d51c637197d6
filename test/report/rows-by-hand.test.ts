/** What the report counts and compares, on a few rows. */

import { describe, expect, it } from 'vitest';
import type { GridRow } from '../../src/datasets/grid-rows.ts';
import type { EstimatedRow, PairComparison, PolicyComparisons, RefusedRow } from '../../src/datasets/results.ts';
import { cellsCsv } from '../../src/report/files/grid-cells-csv.ts';
import { reach } from '../../src/report/model/cells.ts';
import { areSeparated, comparisonsOf, orderedPairs } from '../../src/report/model/comparisons.ts';
import { isSimulated, stageCosts, totalCost } from '../../src/report/model/costs.ts';
import type { CostLine, ReportData } from '../../src/report/model/data.ts';
import { gatesOf, scorersLabel } from '../../src/report/model/gates.ts';
import { GridTally } from '../../src/report/model/grid-score.ts';
import { headlineRanking, holdsTruth, rankPolicies, truthCoverage } from '../../src/report/model/ranking.ts';
import { ablationsText, otherWarnings, refusalsOf, warningsOf } from '../../src/report/model/refusals.ts';
import type { Prose } from '../../src/report/model/section.ts';
import { methodCellTables } from '../../src/report/model/tables/method-scores.ts';
import { bestLine, isTempered, orderLine, rankingLine, TEMPERED_MARK } from '../../src/report/model/words.ts';
import { gridMarkdown } from '../../src/report/render/markdown/grid.ts';
import { csvCell } from '../../src/text/csv.ts';
import { fakeData } from './fake-data.ts';

const read = (prose: Prose): string =>
  prose.map((run) => (typeof run === 'string' ? run : 'sign' in run ? ` ${run.sign} ` : '')).join('');

const template = fakeData();
const okRow = template.estimates.find((row): row is EstimatedRow => row.status === 'ok')!;
const refusedRow = template.estimates.find((row): row is RefusedRow => row.status === 'refused')!;
const ok = (policy: string, more: Partial<EstimatedRow> = {}): EstimatedRow => ({
  ...okRow,
  scorer: 'deterministic',
  ablation: 'dr-cpo',
  estimator: 'dr-cpo',
  policy,
  tempered: false,
  ...more,
});
const dataOf = (more: Partial<ReportData>): ReportData => ({ ...template, comparisons: [], ...more });

const pair = (a: string, b: string, difference: number, familyP: number): PairComparison => ({
  a,
  b,
  difference,
  standardError: 0.1,
  lower: difference - 0.2,
  upper: difference + 0.2,
  simultaneousLower: difference - 0.25,
  simultaneousUpper: difference + 0.35,
  pValue: familyP / 4,
  discoveryP: familyP / 2,
  familyP,
});
const comparisons = (pairs: readonly PairComparison[], confidence = 0.95): PolicyComparisons => ({
  scorer: 'deterministic',
  ablation: 'dr-cpo',
  confidence,
  pairs,
  ranks: ['b', 'c', 'a'].map((policy, index) => ({
    policy,
    rank: index + 1,
    bestRank: 1,
    worstRank: 3,
    probabilityOfBest: 0,
  })),
});

describe('pairs', () => {
  // 1 − 0.9375 is 0.0625 exactly.
  it.each([
    [0.0624, true],
    [0.0625, false],
  ])('with a family-wise p of %f at 93.75 %%: separated %s', (familyP, separated) => {
    const of = comparisons([pair('a', 'b', -0.3, familyP)], 0.9375);
    expect(areSeparated(of, 'a', 'b')).toBe(separated);
    expect(areSeparated(of, 'b', 'a')).toBe(separated);
    expect(orderedPairs(of)[0]!.separated).toBe(separated);
    expect(areSeparated(of, 'a', 'c')).toBeNull();
    expect(areSeparated(undefined, 'a', 'b')).toBeNull();
  });

  it('are told with the better policy first, their interval turned with them', () => {
    const [first, second] = orderedPairs(comparisons([pair('a', 'b', -0.3, 0.01), pair('b', 'c', 0.1, 0.5)]));
    expect(first).toMatchObject({
      better: 'b',
      worse: 'c',
      difference: 0.1,
      lower: expect.closeTo(-0.15, 12),
      upper: expect.closeTo(0.45, 12),
    });
    // −0.3 with −0.55 … 0.05 turned about: 0.3 with −0.05 … 0.55.
    expect(second).toMatchObject({
      better: 'b',
      worse: 'a',
      difference: 0.3,
      lower: expect.closeTo(-0.05, 12),
      upper: expect.closeTo(0.55, 12),
      familyP: 0.01,
      discoveryP: 0.005,
    });
  });

  it('of one better policy are told by the rank of the worse, in whatever order they come', () => {
    const [toC, toA] = [pair('b', 'c', 0.1, 0.5), pair('b', 'a', 0.3, 0.01)];
    for (const pairs of [
      [toC, toA],
      [toA, toC],
    ]) {
      expect(orderedPairs(comparisons(pairs)).map(({ worse }) => worse)).toEqual(['c', 'a']);
    }
  });

  it('are looked up by scorer and ablation, and are none where nothing was compared', () => {
    const data = { comparisons: [comparisons([pair('a', 'b', 0.1, 0.5)]), { ...comparisons([]), ablation: 'ips' }] };
    expect(comparisonsOf(data, 'deterministic', 'dr-cpo')).toBe(data.comparisons[0]);
    expect(comparisonsOf(data, 'deterministic', 'ips')).toBeUndefined();
    expect(comparisonsOf(data, 'other', 'dr-cpo')).toBeUndefined();
  });
});

describe('truth', () => {
  const data = dataOf({ truth: { available: true, population: 'prompt law', values: { a: 0.5 } } });

  it.each([
    [0.4, 0.6, true],
    [0.5, 0.6, true],
    [0.4, 0.5, true],
    [0.51, 0.6, false],
    [0.4, 0.49, false],
  ])('of 0.5 in [%f, %f]: %s', (lower, upper, inside) => {
    expect(holdsTruth(data, ok('a', { lower, upper }))).toBe(inside);
    expect(truthCoverage(data, [ok('a', { lower, upper }), ok('x', { lower: 0, upper: 1 })])).toEqual({
      inside: inside ? 1 : 0,
      known: 1,
    });
  });

  it('is unknown for others, and where no world is simulated', () => {
    expect(holdsTruth(data, ok('b'))).toBeNull();
    expect(holdsTruth({ ...data, truth: { ...data.truth, available: false } }, ok('a'))).toBeNull();
  });

  it('orders pairs; equal values are no pair', () => {
    const of = dataOf({
      policies: ['a', 'b', 'c'],
      estimates: [ok('a', { estimate: 0.3 }), ok('b', { estimate: 0.6 }), ok('c', { estimate: 0.5 })],
      truth: { available: true, population: null, values: { a: 0.4, b: 0.4, c: 0.5 } },
    });
    // Estimated b > c > a; truly c is above both: c–a agrees, b–c does not.
    const ranking = rankPolicies(of, 'deterministic', 'dr-cpo');
    expect(ranking.order).toEqual({ pairs: 2, agreeing: 1 });
    expect(orderLine(ranking)).toBe('1 of 2 pairs are in the true order.');
  });
});

describe('the ranking', () => {
  it('without comparisons goes by whether an interval lies wholly above the next', () => {
    const data = (lower: number) =>
      dataOf({
        policies: ['a', 'b'],
        estimates: [ok('a', { estimate: 0.6, lower, upper: 0.7 }), ok('b', { estimate: 0.4, lower: 0.3, upper: 0.5 })],
      });
    const above = (lower: number) =>
      rankPolicies(data(lower), 'deterministic', 'dr-cpo').ranked.map(({ aboveNext }) => aboveNext);
    expect(above(0.51)).toEqual([true, null]);
    expect(above(0.5)).toEqual([false, null]);
  });

  it('leads with the estimator that uses most, and with its plain form before a variant', () => {
    const of = (...estimates: EstimatedRow[]) => headlineRanking(dataOf({ policies: ['a'], estimates }))!.ablation;
    const bare = ok('a', { ablation: 'dr-cpo-uncalibrated' });
    const weighing = ok('a', { ablation: 'ips', estimator: 'ips' });
    const variant = ok('a', { ablation: 'ips-uncalibrated', estimator: 'ips' });
    const strange = ok('a', { ablation: 'strange', estimator: 'strange' });
    expect(of(bare, ok('a'))).toBe('dr-cpo');
    expect(of(weighing, bare)).toBe('dr-cpo-uncalibrated');
    expect(of(variant, weighing)).toBe('ips');
    expect(of(strange, variant)).toBe('ips-uncalibrated');
  });

  it('marks what is tempered, and names a best policy from half a percent on', () => {
    const data = dataOf({
      policies: ['a', 'b', 'c'],
      estimates: [ok('a', { estimate: 0.3 }), ok('b', { estimate: 0.6, tempered: true }), ok('c', { estimate: 0.5 })],
      comparisons: [
        {
          ...comparisons([pair('b', 'c', 0.1, 0.01), pair('c', 'a', 0.2, 0.5), pair('a', 'b', -0.3, 0.01)]),
          ranks: [
            { policy: 'b', rank: 1, bestRank: 1, worstRank: 1, probabilityOfBest: 0.991 },
            { policy: 'c', rank: 2, bestRank: 2, worstRank: 3, probabilityOfBest: 0.005 },
            { policy: 'a', rank: 3, bestRank: 2, worstRank: 3, probabilityOfBest: 0.004 },
          ],
        },
      ],
    });
    const ranking = headlineRanking(data)!;
    expect(read(rankingLine(ranking))).toBe(`b${TEMPERED_MARK} > c ≈ a`);
    expect(bestLine(ranking)).toBe('Best with probability: b 0.99, c 0.01.');
    expect(isTempered({ ...data, quality: [] })).toBe(true);
    expect(isTempered({ ...data, quality: [], estimates: [ok('a')] })).toBe(false);
  });
});

describe('refusals, warnings and gates', () => {
  const refused = (ablation: string, scorer: string, more: Partial<RefusedRow> = {}): RefusedRow => ({
    ...refusedRow,
    policy: 'a',
    gate: 'ess',
    collect: 'more',
    reason: ablation,
    ablation,
    scorer,
    ...more,
  });

  it('of one cause are told once, with whom they refused', () => {
    const groups = refusalsOf([
      refused('ips', 's'),
      ok('a'),
      refused('ips', 't'),
      refused('mrdr', 's'),
      refused('tmle', 's', { gate: 'rows' }),
    ]);
    expect(groups.map(({ gate, reason, ablations }) => [gate, reason, ablations.length])).toEqual([
      ['ess', 'ips', 3],
      ['rows', 'tmle', 1],
    ]);
    expect(ablationsText(groups[0]!, ['s', 't'])).toBe('ips; mrdr (s)');
  });

  const low = 'its weights leave 12 % of the rows effective, less than 30 % (ess-fraction)';
  const lower = low.replace('12', '11');
  const ofGate = (text: string) => ({ gate: 'ess-fraction', open: false, text });

  it('tell a warning once a policy and text, so that a value stands beside the estimates it is of', () => {
    const ofNone = (text: string) => ({ gate: null, open: false, text });
    const rows = [
      ok('a', { warnings: [ofGate(low), ofNone('all labels are equal')] }),
      ok('a', { ablation: 'mrdr', warnings: [ofGate(lower)] }),
      ok('a', { ablation: 'tmle', warnings: [ofGate(low)] }),
      ok('b', { warnings: [ofGate(low)] }),
      refusedRow,
    ];
    const told = warningsOf(rows);
    const { ablation: first } = rows[0]!;
    expect(
      told.map(({ policy, text, ablations }) => [policy, text, ablations.map(({ ablation }) => ablation)]),
    ).toEqual([
      ['a', low, [first, 'tmle']],
      ['a', 'all labels are equal', [first]],
      ['a', lower, ['mrdr']],
      ['b', low, [first]],
    ]);
    expect(ablationsText(told[0]!, [rows[0]!.scorer])).toBe(`${first}, tmle`);
  });

  it('tell on the first screen a gate once a policy, in the words of what leads', () => {
    const rows = [
      ok('a', { ablation: 'mrdr', warnings: [ofGate(lower)] }),
      ok('a', { ablation: 'lead', warnings: [ofGate(low)] }),
      ok('b', { ablation: 'mrdr', warnings: [ofGate(lower)] }),
      ok('b', { ablation: 'tmle', warnings: [ofGate(low)] }),
    ];
    const { own, rest } = otherWarnings(rows, { scorer: rows[0]!.scorer, ablation: 'lead' });
    const words = (of: typeof own) => of.map(({ policy, text }) => [policy, text]);
    expect([words(own), words(rest)]).toEqual([[['a', low]], [['b', lower]]]);
  });

  it('show a gate once where datasets agree, failed ones first', () => {
    const gate = (name: string, passed: boolean, value: number) => ({
      gate: name,
      policy: 'p',
      passed,
      value,
      bound: '',
    });
    const [quality] = template.quality;
    const data = dataOf({
      quality: [
        { ...quality!, scorer: 's', gates: [gate('one', true, 1), gate('two', false, 0)] },
        { ...quality!, scorer: 't', gates: [gate('one', true, 1), gate('two', false, 0.5)] },
      ],
    });
    const shared = gatesOf(data);
    expect(shared.map((of) => [of.result.gate, of.result.value, scorersLabel(of, data)])).toEqual([
      ['two', 0, 's'],
      ['two', 0.5, 't'],
      ['one', 1, 'all'],
    ]);
  });
});

describe('costs', () => {
  const line = (
    node: string,
    dollars: number | null,
    calls: number,
    identity = 'simulator:1',
    model = 'm',
  ): CostLine => ({
    node,
    dollars,
    tally: { identity, model, calls, inputTokens: 10 * calls, cachedInputTokens: 0, outputTokens: calls },
  });

  it('add up by stage; one unknown price makes the sum unknown', () => {
    const data = dataOf({
      costs: [line('scores/a', 1, 2), line('oracle', 0.5, 1, 'simulator:1', 'o'), line('scores/b', 0.25, 3)],
    });
    expect(stageCosts(data)).toMatchObject([
      { name: 'scores', calls: 5, inputTokens: 50, outputTokens: 5, dollars: 1.25, models: ['m'] },
      { name: 'oracle', calls: 1, dollars: 0.5, models: ['o'] },
    ]);
    expect(totalCost(data)).toMatchObject({ calls: 6, dollars: 1.75, models: ['m', 'o'] });
    const unknown = dataOf({ costs: [line('scores/a', 1, 2), line('scores/b', null, 3)] });
    expect(totalCost(unknown).dollars).toBeNull();
    expect(totalCost(dataOf({ costs: [] })).dollars).toBe(0);
  });

  it('are simulated where every call was', () => {
    expect(isSimulated(dataOf({ costs: [line('a', 1, 1), line('b', 1, 1)] }))).toBe(true);
    expect(isSimulated(dataOf({ costs: [line('a', 1, 1), line('b', 1, 1, 'openai')] }))).toBe(false);
    expect(isSimulated(dataOf({ costs: [] }))).toBe(false);
  });
});

it('half a width is half of upper less lower; a CSV cell reads back', () => {
  expect(reach({ estimate: 0.5, lower: 0.25, upper: 0.75 })).toBe(0.25);
  expect(reach({ estimate: 0.5, lower: 0.25, upper: 0.625 })).toBe(0.25);
  expect(reach({ estimate: 0.5, lower: 0.375, upper: 1 })).toBe(0.5);
  expect([null, true, 0.1, Number.NaN, 'a,b', '=1', 'plain', 'a "b"'].map(csvCell)).toEqual([
    '',
    'true',
    '0.1',
    '',
    '"a,b"',
    "'=1",
    'plain',
    '"a ""b"""',
  ]);
});

describe('a grid', () => {
  const row = (
    policy: string,
    held: number,
    estimate: number,
    lower: number,
    upper: number,
    more: object = {},
  ): GridRow => ({
    ablation: 'direct',
    estimator: 'direct',
    reward_calibration: 'auto',
    covariates: '',
    sample_size: 100,
    oracle_coverage: 0.25,
    seed: 0,
    policy,
    held,
    held_error: 0.1,
    status: 'ok',
    estimate,
    standard_error: 0.01,
    lower,
    upper,
    covered: lower <= held && held <= upper,
    n: 100,
    ...more,
  });
  const score = (...rows: GridRow[]) => {
    const tally = new GridTally();
    for (const one of rows) tally.add(one);
    return tally.methods()[0]!;
  };

  it('punishes a miss on either side by 40 times its distance', () => {
    // Width 0.2; the truth 0.05 above, 0.05 below, and inside.
    expect(score(row('a', 0.65, 0.5, 0.4, 0.6)).intervalScore).toBeCloseTo(0.2 + 40 * 0.05, 12);
    expect(score(row('a', 0.35, 0.5, 0.4, 0.6)).intervalScore).toBeCloseTo(0.2 + 40 * 0.05, 12);
    expect(score(row('a', 0.45, 0.5, 0.4, 0.6)).intervalScore).toBeCloseTo(0.2, 12);
  });

  it('takes what the held labels’ own error explains off the mean squared error, but no more', () => {
    expect(score(row('a', 0.5, 0.7, 0, 1)).rmseDebiased).toBeCloseTo(Math.sqrt(0.04 - 0.01), 12);
    expect(score(row('a', 0.5, 0.55, 0, 1)).rmseDebiased).toBe(0);
  });

  it('averages standard errors geometrically', () => {
    expect(
      score(row('a', 0.5, 0.5, 0, 1, { standard_error: 0.01 }), row('b', 0.5, 0.5, 0, 1, { standard_error: 0.04 }))
        .standardError,
    ).toBeCloseTo(0.02, 12);
  });

  it('takes tau-b over the pairs that either side orders', () => {
    // Held a > b = c; estimates b > a > c: a–b discordant, a–c concordant, b–c ordered by the estimates alone.
    const { kendallTau, pairwiseAccuracy, topOneAccuracy } = score(
      row('a', 0.6, 0.5, 0, 1),
      row('b', 0.4, 0.7, 0, 1),
      row('c', 0.4, 0.3, 0, 1),
    );
    expect(kendallTau).toBeCloseTo(0 / Math.sqrt(3 * 2), 12);
    expect(pairwiseAccuracy).toBe(0.5);
    expect(topOneAccuracy).toBe(0);
    // All discordant: −1; a–b and a–c concordant, b–c tied in truth: 2/√(3 · 2).
    expect(score(row('a', 0.6, 0.1, 0, 1), row('b', 0.4, 0.2, 0, 1)).kendallTau).toBe(-1);
    expect(score(row('a', 0.6, 0.9, 0, 1), row('b', 0.4, 0.7, 0, 1), row('c', 0.4, 0.3, 0, 1)).kendallTau).toBeCloseTo(
      2 / Math.sqrt(6),
      12,
    );
    expect(score(row('a', 0.6, 0.5, 0, 1)).kendallTau).toBeNull();
  });

  it('lists methods by their debiased error, those without any last', () => {
    const of = (ablation: string, rmseDebiased: number | null) => ({
      ...score(row('a', 0.5, 0.5, 0, 1)),
      ablation,
      rmseDebiased,
    });
    const methods = [of('none', null), of('far', 0.2), of('near', 0.1)];
    expect(methodCellTables(methods, []).map(({ title }) => title)).toEqual([['near'], ['far'], ['none']]);
  });

  it('tells a method’s own cells, by size and by the share of labels', () => {
    const tally = new GridTally();
    // Errors 0.25, 0.5 and 0.125; the second interval misses.
    tally.add(row('a', 0.5, 0.75, 0.5, 1));
    tally.add(row('a', 0.5, 1, 0.75, 1, { oracle_coverage: 0.5 }));
    tally.add(row('a', 0.5, 0.625, 0.5, 1, { ablation: 'other', sample_size: 1000 }));
    const tables = methodCellTables(tally.methods(), tally.cells());
    const prompts = (value: number) => ({ value, as: 'count' });
    const cell = (rmse: number, coverage: number) => ({
      list: [
        { value: rmse, as: 'error' },
        { value: coverage, as: 'rate' },
      ],
      between: ', ',
    });
    expect(tables.map(({ title, rows }) => [title, rows.map(({ cells }) => cells)])).toEqual([
      [
        ['other'],
        [
          [prompts(100), null, null],
          [prompts(1000), cell(0.125, 1), null],
        ],
      ],
      [
        ['direct'],
        [
          [prompts(100), cell(0.25, 1), cell(0.5, 0)],
          [prompts(1000), null, null],
        ],
      ],
    ]);
  });

  it('writes every score in its own column', () => {
    const tally = new GridTally();
    tally.add(row('a', 0.5, 0.75, 0.5, 1));
    const [cell] = tally.cells();
    const [header, line] = cellsCsv([cell!])
      .split('\n')
      .map((text) => text.split(','));
    const value = (name: string) => line![header!.indexOf(name)];
    expect([value('sample_size'), value('oracle_coverage'), value('cells'), value('refused')]).toEqual([
      '100',
      '0.25',
      '1',
      '0',
    ]);
    expect([value('bias'), value('rmse'), value('coverage'), value('meanWidth'), value('kendallTau')]).toEqual([
      '0.25',
      '0.25',
      '1',
      '0.5',
      '',
    ]);
    const markdown = gridMarkdown('T', tally.methods(), [cell!]);
    expect(markdown).toContain('| 100 | 0.250, 100.0 % |');
  });
});
