/** What each column of the report's tables says of a row whose numbers all differ. */

import { describe, expect, it } from 'vitest';
import type { DatasetQuality, EstimatedRow, RefusedRow } from '../../src/datasets/results.ts';
import type { ReportData } from '../../src/report/model/data.ts';
import type { EstimateChange } from '../../src/report/model/difference.ts';
import { logprobQualities } from '../../src/report/model/gates.ts';
import { deltaText, intervalText, numberText, preciseSigned } from '../../src/report/model/number-text.ts';
import type { Ranking } from '../../src/report/model/ranking.ts';
import type { Cell, NumberForm, Table } from '../../src/report/model/table.ts';
import { changeTables } from '../../src/report/model/tables/changes.ts';
import { nodeCostTable, stageCostTable } from '../../src/report/model/tables/costs.ts';
import { allColumnsTable, estimatesTable } from '../../src/report/model/tables/estimates.ts';
import { gatesTable } from '../../src/report/model/tables/gates.ts';
import { datasetTables, overlapTable, qualityTables, transportTables } from '../../src/report/model/tables/quality.ts';
import { differencesTable, rankingTable } from '../../src/report/model/tables/ranking.ts';
import { fakeData } from './fake-data.ts';

const template = fakeData();
const dataOf = (more: Partial<ReportData>): ReportData => ({ ...template, ...more });

/** A cell in one line, with everything that it says. */
const said = (cell: Cell): string => {
  if (cell === null) return '';
  if ('list' in cell) return cell.list.map(said).join(cell.between);
  const marks = 'tempered' in cell && cell.tempered ? '†' : '';
  if ('text' in cell) return `${cell.text}${'brief' in cell ? ` (${cell.brief})` : ''}${marks}`;
  if ('value' in cell) return `${cell.value} ${cell.as}${marks}`;
  if ('lower' in cell) return `${cell.lower} to ${cell.upper} ${cell.as ?? 'decimal'}`;
  if ('estimate' in cell) return `${cell.estimate} ± ${cell.reach}${cell.misses ? ' misses' : ''}${marks}`;
  if ('refusedBy' in cell) return `refused by ${cell.refusedBy}`;
  return JSON.stringify(cell);
};
const headings = ({ columns }: Table) => columns.map(({ name }) => (typeof name === 'string' ? name : said(name)));
const lines = ({ rows }: Table) => rows.map(({ cells }) => cells.map(said));
/** Column by column, for a table of one row. */
const onlyRow = (table: Table) => {
  expect(table.rows).toHaveLength(1);
  return Object.fromEntries(headings(table).map((name, index) => [name, lines(table)[0]![index]]));
};

const ok: EstimatedRow = {
  status: 'ok',
  scorer: 'judge',
  ablation: 'dr-cpo',
  estimator: 'dr-cpo',
  policy: 'pi',
  n: 201,
  diagnostics: { ess: 11, rawEss: 12, meanRawWeight: 13, tailIndex: 14, maxWeightShare: 0.15 },
  tempered: false,
  estimate: 0.5,
  standardError: 0.21,
  samplingStandardError: 0.22,
  oracleStandardError: 0.23,
  sharedVariance: 0,
  extrapolationStandardError: 0.24,
  judgeStandardError: 0.25,
  lower: 0.375,
  upper: 0.625,
  degreesOfFreedom: 26,
  warnings: [],
};
const refused: RefusedRow = {
  status: 'refused',
  scorer: 'judge',
  ablation: 'ips',
  estimator: 'ips',
  policy: 'pi',
  n: 202,
  diagnostics: { ess: 31, rawEss: 32, meanRawWeight: 33, tailIndex: 34, maxWeightShare: 0.35 },
  tempered: false,
  gate: 'ess',
  reason: 'too few',
  collect: 'more',
};

describe('a number', () => {
  it.each<[number | null, NumberForm, string]>([
    [0.25, 'decimal', '0.250'],
    [1234, 'count', '1,234'],
    [0.25, 'margin', '± 0.250'],
    // Below a tenth four decimals, from a tenth on three digits; either sign.
    [0.0999, 'error', '0.0999'],
    [-0.05, 'error', '-0.0500'],
    [0.125, 'error', '0.125'],
    [-2.5, 'error', '-2.50'],
    [0.5, 'rate', '50.0 %'],
  ])('%f as %s is %s', (value, form, text) => {
    expect(
      numberText(value, form)
        .replace(/\u00a0/g, ' ')
        .replace('−', '-'),
    ).toBe(text);
  });

  it('is a dash where there is none, in every form', () => {
    const dash = numberText(null, 'decimal');
    for (const form of ['count', 'margin', 'error', 'rate'] as const) expect(numberText(null, form)).toBe(dash);
    for (const [lower, upper] of [
      [null, 1],
      [0, null],
      [null, null],
    ] as const) {
      expect(intervalText(lower, upper, 'decimal')).toBe(dash);
      expect(intervalText(lower, upper, 'significant')).toBe(dash);
    }
    expect(intervalText(0.5, 2, 'significant')).toBe('[0.500, 2]');
  });

  it('that moved by less than three decimals show still says which way', () => {
    expect([0.00049, -0.00049].map(preciseSigned)).toEqual(['+<0.001', '-<0.001']);
    expect(preciseSigned(0.0005)).toBe('+0.001');
    expect([null, 0].map(deltaText)).toEqual(['·', '± changed']);
    expect(deltaText(0.016)).toBe('+0.016 ▲');
    expect(deltaText(-0.0001)).toBe('-<0.001 ▼');
  });
});

describe('tables of estimates', () => {
  const data = dataOf({
    policies: ['pi', 'rho'],
    estimates: [ok, refused, { ...ok, policy: 'rho', estimate: 0.875, lower: 0.5625, upper: 1, tempered: true }],
    truth: { available: true, population: 'prompt law', values: { pi: 0.5, rho: 0.5 } },
  });

  it('have the further end of the interval after ±, mark what misses the truth, and count what holds it', () => {
    expect(lines(estimatesTable(data, 'judge'))).toEqual([
      ['dr-cpo', '0.5 ± 0.125', '0.875 ± 0.3125 misses†', '1 of 2'],
      ['ips', 'refused by ess', '', '–'],
      ['Truth (truth)', '{"truth":0.5}', '{"truth":0.5}', ''],
    ]);
    expect(estimatesTable(data, 'judge').rows.at(-1)!.role).toBe('truth');
  });

  it('say nothing of the truth where it is unknown', () => {
    const unknown = { ...data, truth: { available: false, population: null, values: {} } } as const;
    expect(headings(estimatesTable(unknown, 'judge'))).toEqual(['Ablation', 'pi', 'rho']);
    expect(lines(estimatesTable(unknown, 'judge'))).toHaveLength(2);
    expect(lines(estimatesTable(data, 'another'))).toHaveLength(1);
  });

  it('have every part of an estimate in its own column, and of a refusal its gate', () => {
    const table = allColumnsTable({ ...data, estimates: [ok, { ...ok, scorer: 'other' }] }, 'judge');
    expect(onlyRow(table)).toEqual({
      Ablation: 'dr-cpo',
      Policy: 'pi',
      Estimate: '0.5 decimal',
      '95 % interval': '0.375 to 0.625 decimal',
      Sensitivity: 'null decimal',
      SE: '0.21 decimal',
      'Sampling SE': '0.22 decimal',
      'Oracle SE': '0.23 decimal',
      'Extrapolation SE': '0.24 decimal',
      'Judge’s SE': '0.25 decimal',
      df: '26 count',
      n: '201 count',
      ESS: '11 significant',
      'Raw ESS': '12 significant',
      'Mean raw weight': '13 significant',
      'Tail index': '14 significant',
      'Largest share': '0.15 percent',
    });
    expect(onlyRow(allColumnsTable({ ...data, estimates: [refused] }, 'judge'))).toMatchObject({
      Estimate: 'refused by ess',
      SE: '',
      df: '',
      n: '202 count',
      'Raw ESS': '32 significant',
    });
    expect(
      onlyRow(allColumnsTable({ ...data, estimates: [{ ...ok, degreesOfFreedom: null }] }, 'judge')),
    ).toMatchObject({ df: '∞' });
  });
});

describe('the table of changes', () => {
  const name = { scorer: 'judge', ablation: 'dr-cpo' };
  const otherwise: RefusedRow = { ...refused, gate: 'tail' };
  const changes: EstimateChange[] = [
    { ...name, policy: 'd', type: 'removed', before: ok },
    { ...name, policy: 'a', type: 'moved', before: ok, after: ok, delta: 0.125 },
    { ...name, policy: 'b', type: 'newly-refused', before: ok, after: refused },
    { ...name, policy: 'c', type: 'newly-estimated', before: refused, after: ok },
    { ...name, policy: 'e', type: 'refused-otherwise', before: refused, after: otherwise },
    { ...name, policy: 'f', type: 'added', after: ok },
    { ...name, policy: 'g', type: 'added', after: refused },
    { ...name, ablation: 'ips', policy: 'a', type: 'moved', before: ok, after: ok, delta: 0 },
  ];

  it('says what became of each cell, in the order of the pipeline’s policies', () => {
    const [table, ...others] = changeTables(changes, ['a', 'b', 'same', 'c', 'd', 'e', 'f']);
    expect(others).toEqual([]);
    expect(headings(table!)).toEqual(['Δ judge', 'a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const gone = [
      '{"delta":null}',
      '{"delta":null}',
      '{"delta":null}',
      '{"delta":null}',
      '{"delta":null}',
      '{"delta":null}',
    ];
    expect(lines(table!)).toEqual([
      [
        'dr-cpo',
        '{"delta":0.125}',
        'now refused: ess (refused)',
        'now 0.5 decimal',
        'removed (gone)',
        'refused: tail (refused)',
        'new 0.5 decimal',
        'new',
      ],
      ['ips', '{"delta":0}', ...gone],
    ]);
  });
});

describe('the ranking in numbers', () => {
  const ranked = [
    { rank: 1, row: { ...ok, tempered: true }, aboveNext: true, probabilityOfBest: 0.75, truth: 0.625 },
    { rank: 2, row: { ...ok, policy: 'rho', estimate: 0.25 }, aboveNext: false, probabilityOfBest: 0.25, truth: null },
    { rank: 3, row: { ...ok, policy: 'sigma', estimate: 0.125 }, aboveNext: null, probabilityOfBest: 0, truth: null },
  ];
  const comparisons = {
    scorer: 'judge',
    ablation: 'dr-cpo',
    confidence: 0.95,
    pairs: [
      {
        a: 'pi',
        b: 'rho',
        difference: 0.25,
        standardError: 0.1,
        lower: 0.05,
        upper: 0.45,
        simultaneousLower: 0.03,
        simultaneousUpper: 0.47,
        pValue: 0.01,
        discoveryP: 0.02,
        familyP: 0.04,
      },
    ],
    ranks: [],
  };
  const ranking = (more: Partial<Ranking>): Ranking => ({
    scorer: 'judge',
    ablation: 'dr-cpo',
    estimator: 'dr-cpo',
    judgeAlone: false,
    ranked,
    refused: [],
    absent: [],
    order: null,
    comparisons,
    insteadOf: null,
    ...more,
  });

  it('says of each policy its numbers, and whether the comparisons or the intervals set it above the next', () => {
    const table = rankingTable(ranking({}));
    expect(headings(table).slice(-3)).toEqual(['Against the next', 'P(best)', 'Truth']);
    expect(lines(table)).toEqual([
      [
        '1 count',
        'pi',
        '0.5 decimal†',
        '0.375 to 0.625 decimal',
        '0 decimal',
        '0.21 decimal',
        '201 count',
        'separated',
        '0.75 decimal',
        '0.625 decimal',
      ],
      [
        '2 count',
        'rho',
        '0.25 decimal',
        '0.375 to 0.625 decimal',
        '0 decimal',
        '0.21 decimal',
        '201 count',
        'not separated',
        '0.25 decimal',
        'null decimal',
      ],
      [
        '3 count',
        'sigma',
        '0.125 decimal',
        '0.375 to 0.625 decimal',
        '0 decimal',
        '0.21 decimal',
        '201 count',
        '',
        '0 decimal',
        'null decimal',
      ],
    ]);
    const alone = rankingTable(
      ranking({ comparisons: undefined, ranked: ranked.map((of) => ({ ...of, truth: null })) }),
    );
    expect(headings(alone).at(-1)).toBe('Against the next');
    expect(lines(alone).map((line) => line.at(-1))).toEqual(['interval lies above', 'intervals overlap', '']);
  });

  it('has the differences with intervals that hold together', () => {
    expect(onlyRow(differencesTable(ranking({}), { logger: null, policies: [] })!)).toEqual({
      Pair: 'pi − rho',
      Difference: '0.25 decimal',
      'Standard error': '0.1 decimal',
      '95 % interval': '0.03 to 0.47 decimal',
      'p, family-wise': '0.04 significant',
      'p, discoveries': '0.02 significant',
      '': 'separated',
    });
    expect(differencesTable(ranking({ comparisons: undefined }), { logger: null, policies: [] })).toBeUndefined();
  });
});

describe('tables of the data', () => {
  const quality: DatasetQuality = {
    ...template.quality[0]!,
    scorer: 'judge',
    rows: 101,
    labels: { calibration: 51, validation: { pi: 7, rho: 1234 } },
    missing: { 'a score': 3 },
    logprobs: [{ policy: 'pi', usable: 98, zeroRate: 0.02, statuses: { ok: 98, refused: 2 }, tempered: true }],
    weights: [
      {
        policy: 'pi',
        n: 98,
        mean: 1.5,
        meanLower: 1.25,
        meanUpper: 1.75,
        ess: 49,
        typicality: { coverage: 0.625, factor: 2.5 },
        logRatioQuantiles: [],
        histogram: [],
        histogramFrom: 0,
        histogramTo: 1,
      },
    ],
    scores: [{ policy: 'pi', n: 97, mean: 0.5, standardDeviation: 0.125, unparseable: 4, histogram: [] }],
    transport: [
      {
        policy: 'pi',
        state: 'fail',
        labels: 21,
        bias: 0.125,
        lower: 0.1,
        upper: 0.15,
        margin: 0.05,
        detectableBias: 0.03,
        labelsToPass: 90,
      },
    ],
    gates: [
      { gate: 'zero_rate', policy: 'pi', passed: true, value: 0.02, bound: '< 0.04' },
      { gate: 'clone_ess', policy: null, passed: false, value: 0.5, bound: '≥ 0.9 n', note: 'why' },
    ],
  };
  const [logprobs, weights, scores, transport] = datasetTables(quality);

  it('tell each dataset’s measurements', () => {
    expect(onlyRow(logprobs!)).toEqual({
      Policy: 'pi†',
      'Usable rows': '98 count',
      'Zero rate': '0.02 percent',
      'Against generation': 'unchecked',
      Statuses: 'ok 98, refused 2',
    });
    expect(onlyRow(weights!)).toEqual({
      Policy: 'pi',
      n: '98 count',
      'Mean raw weight': '1.5 significant',
      '95 % interval': '1.25 to 1.75 significant',
      ESS: '49 significant',
      'ESS share': '0.5 percent',
      Typical: '0.625 percent',
      'Efficiency factor': '2.5 significant',
    });
    expect(onlyRow(scores!)).toEqual({
      Policy: 'pi',
      n: '97 count',
      Mean: '0.5 decimal',
      SD: '0.125 decimal',
      Unparseable: '4 count',
    });
    expect(onlyRow(transport!)).toEqual({
      Policy: 'pi',
      State: 'FAIL',
      'Own labels': '21 count',
      Bias: '0.125 decimal',
      '95 % interval': '0.1 to 0.15 decimal',
      Margin: '0.05 margin',
      'Detectable bias': '0.03 decimal',
      'Labels to pass': '90 count',
    });
  });

  it('say which law log probabilities are of, and how closely, where one is not that of temperature 1', () => {
    const [measured] = quality.logprobs;
    const law = (temperature: number, topP: number) => ({
      ...measured!,
      asSampled: { temperature, topP, bound: 0.125 },
    });
    const [table] = datasetTables({ ...quality, logprobs: [law(0.5, 1), law(1, 0.9), measured!] });
    expect(lines(table!).map((cells) => cells[headings(table!).indexOf('Of')])).toEqual([
      'temperature 0.5, within 0.125 nats',
      'top_p 0.9, within 0.125 nats',
      'temperature 1',
    ]);
  });

  it('say how forced values compare with generated ones', () => {
    const nothing = { informative: 7, median: 0.5, agreements: {} };
    const consistency: NonNullable<DatasetQuality['consistency']> = [
      { ...nothing, policy: 'rho', rows: 1, slope: 2, largest: 3 },
      { ...nothing, policy: 'pi', rows: 12, slope: 0.99951, largest: 0.0625 },
    ];
    const against = (of: typeof consistency) =>
      onlyRow(datasetTables({ ...quality, consistency: of })[0]!)['Against generation'];
    expect(against(consistency)).toBe('slope 0.9995, at most 0.0625 nats apart in 12 rows');
    expect(against([{ ...consistency[1]!, slope: null }])).toBe('slope –, at most 0.0625 nats apart in 12 rows');
    expect(against(consistency.slice(0, 1))).toBe('unchecked');
  });

  it('say of a pairwise judge what its order of answers did', () => {
    const positions: NonNullable<DatasetQuality['positions']> = [
      {
        policy: 'pi',
        prompts: 9,
        bias: 0.25,
        lower: 0.125,
        upper: 0.375,
        consistent: 0.5,
        consistentLower: 0.4,
        consistentUpper: 0.6,
      },
    ];
    const table = datasetTables({ ...quality, positions })[3]!;
    expect(lines(table)).toEqual([
      ['pi', '9 count', '0.25 decimal', '0.125 to 0.375 decimal', '0.5 percent', '0.4 to 0.6 decimal'],
    ]);
    expect(qualityTables(dataOf({ quality: [{ ...quality, positions }] })).map(lines)).toContainEqual(lines(table));
  });

  it('say nothing of weights that are not there', () => {
    const none = { ...quality, weights: [{ ...quality.weights[0]!, n: 0, ess: 0, typicality: null }] };
    expect(onlyRow(datasetTables(none)[1]!)).toMatchObject({ 'ESS share': 'null percent', Typical: 'null percent' });
    // 49 of 98 rows.
    expect(onlyRow(overlapTable(quality, 'Overlap'))).toMatchObject({
      rows: '98 count',
      ESS: '50 %',
      'mean weight': '1.5 decimal',
      '95 % interval': '1.25 to 1.75 decimal',
    });
  });

  it('tell once what scorers have in common, and leave out what was not measured', () => {
    const other = {
      ...quality,
      scorer: 'other',
      missing: {},
      labels: { calibration: 5, validation: {} },
      transport: [],
    };
    const apart = { ...quality, scorer: 'apart', logprobs: [] };
    expect(logprobQualities(dataOf({ quality: [quality, other, apart] })).map(({ scorers: of }) => of)).toEqual([
      ['judge', 'other'],
      ['apart'],
    ]);
    const [counted, ...measured] = qualityTables(dataOf({ quality: [quality, other, apart] }));
    expect(headings(counted!)).toEqual([
      'Scorer',
      'Rows',
      'Calibration labels',
      'Validation labels',
      'Without a score',
    ]);
    expect(lines(counted!)).toEqual([
      ['judge', '101 count', '51 count', 'pi 7, rho 1,234', '3 count'],
      ['other', '101 count', '5 count', 'none', '0 count'],
      ['apart', '101 count', '51 count', 'pi 7, rho 1,234', '3 count'],
    ]);
    expect(measured).toHaveLength(1);
    expect(measured[0]!.note).not.toContain('Scorers:');
    const differ = { ...apart, logprobs: [{ ...quality.logprobs[0]!, usable: 97 }] };
    const both = qualityTables(dataOf({ quality: [quality, other, differ] })).slice(1);
    expect(both.map(({ note }) => note!.split('. ').at(-1))).toEqual(['Scorers: judge, other.', 'Scorers: apart.']);
    expect(transportTables(dataOf({ quality: [quality, other] })).map(lines)).toEqual([lines(transport!)]);
    const audited = transportTables(dataOf({ quality: [other, quality, { ...apart, logger: null }] }));
    expect(audited.map(lines)).toEqual([lines(transport!), lines(transport!)]);
    expect(audited.map(({ note }) => note!.startsWith('The calibration is learnt on the logged'))).toEqual([
      true,
      false,
    ]);
  });

  it('say of a probe that its labels enter nothing else, where any policy has one', () => {
    const both = [
      quality.transport[0]!,
      { ...quality.transport[0]!, policy: 'rho', labels: 1_021, probe: true as const },
    ];
    const [table] = transportTables(dataOf({ quality: [{ ...quality, transport: both }] }));
    expect(table!.note).toMatch(/ Labels of a probe enter nothing else\.$/);
    expect(lines(table!).map((cells) => cells[2])).toEqual(['21 count', '1,021, probe']);
    expect(transportTables(dataOf({ quality: [quality] }))[0]!.note).not.toContain('probe');
  });

  it('say of an audit whose labels the calibration is learnt on: the log’s, or everybody’s', () => {
    const note = (logger: string | null) => transportTables(dataOf({ quality: [{ ...quality, logger }] }))[0]!.note;
    expect(note('p0')).toContain('the logged policy’s labels');
    expect(note(null)).toContain('labels of all policies');
    expect(note(null)).not.toContain('logged');
  });

  it('have failed gates first, and name scorers where they differ', () => {
    const table = gatesTable(dataOf({ quality: [quality] }));
    expect(lines(table)).toEqual([
      ['✗ failed (failed)', 'clone_ess', 'all ()', '0.5 significant', '≥ 0.9 n', '✗ failed (failed)', 'all', 'why'],
      ['✓ passed (passed)', 'zero_rate', 'pi', '0.02 significant', '< 0.04', '✓ passed (passed)', 'all', ''],
    ]);
  });
});

describe('tables of costs', () => {
  it('have calls, tokens and dollars in their columns, and their sum last', () => {
    const table = nodeCostTable(template);
    expect(headings(table)).toEqual(['Node', 'Models', 'Calls', 'Input tokens', 'Output tokens', 'Cost']);
    const [first] = template.costs;
    const { tally } = first!;
    expect(lines(table)[0]!.slice(2)).toEqual([
      `${tally.calls} count`,
      `${tally.inputTokens} count`,
      `${tally.outputTokens} count`,
      `${first!.dollars} dollars`,
    ]);
    const stages = stageCostTable(template);
    const sum = template.costs.reduce((total, { tally: { calls } }) => total + calls, 0);
    expect(stages.rows.at(-1)).toMatchObject({ role: 'total' });
    expect(lines(stages).at(-1)!.slice(1, 3)).toEqual(['', `${sum} count`]);
    expect(headings(stages)[0]).toBe('Stage');
  });
});
