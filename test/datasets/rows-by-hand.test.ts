/** Rows of a dataset, few enough to be followed from file to column by hand. */

import { describe, expect, it } from 'vitest';
import { FRESH, QUALITY } from '../../src/datasets/dataset-rows.ts';
import { evaluationData } from '../../src/datasets/evaluation-data.ts';
import type { SourceRecord } from '../../src/datasets/files/records.ts';
import { newLabels } from '../../src/datasets/import/calibration-set.ts';
import { Columns } from '../../src/datasets/import/columns.ts';
import { repeatedRows, SAME_AGAIN } from '../../src/datasets/import/odd-rows.ts';
import { readPropensity, readVariance } from '../../src/datasets/import/values.ts';
import { usageRow } from '../../src/datasets/rows.ts';
import { input } from '../kinds/support.ts';

describe('a dataset as columns', () => {
  const logged = (prompt_id: string, more: object = {}) => ({
    prompt_id,
    judge_score: 0.5,
    judge_variance: 0.01,
    oracle_label: null,
    response_words: 3,
    base_logprob: -2,
    target_logprobs: { a: -3, b: null },
    ...more,
  });
  const fresh = (policy: string, prompt_id: string, more: object = {}) => ({
    policy,
    prompt_id,
    draw_index: null,
    judge_score: 0.75,
    judge_variance: 0.02,
    oracle_label: null,
    response_words: 4,
    ...more,
  });
  const of = (logger: string | null, rows: readonly object[], draws: readonly object[]) =>
    evaluationData(
      input({
        rows,
        files: { [FRESH]: draws, [QUALITY]: JSON.stringify({ targets: ['a', 'b'], logger }) },
      }),
    );

  it('has what it lacks as NaN, and each part where it belongs', () => {
    const data = of(
      'p0',
      [logged('x', { oracle_label: 0.25 }), logged('y', { judge_score: null, base_logprob: null })],
      [
        fresh('a', 'x', { oracle_label: 0.5 }),
        fresh('a', 'x', { judge_variance: 0.03, response_words: null }),
        fresh('a', 'y', { draw_index: 7, label_propensity: 0.4 }),
        fresh('a', 'z', { part: 'calibration', oracle_label: 0.125 }),
        fresh('b', 'z', { part: 'probe', oracle_label: 0.75 }),
      ],
    );
    const { logged: log, freshDraws, calibrationSet, probes } = data;
    expect(data.pooled).toBeUndefined();
    expect({ ...log, targetLogprobs: Object.fromEntries(log.targetLogprobs) }).toEqual({
      promptIds: ['x', 'y'],
      judgeScores: Float64Array.of(0.5, Number.NaN),
      judgeVariances: Float64Array.of(0.01, 0.01),
      oracleLabels: Float64Array.of(0.25, Number.NaN),
      baseLogprobs: Float64Array.of(-2, Number.NaN),
      responseLengths: Float64Array.of(3, 3),
      targetLogprobs: { a: Float64Array.of(-3, -3), b: Float64Array.of(Number.NaN, Number.NaN) },
    });
    expect(Object.fromEntries(freshDraws)).toEqual({
      a: {
        promptIds: ['x', 'x', 'y'],
        drawIndexes: Int32Array.of(0, 1, 7),
        judgeScores: Float64Array.of(0.75, 0.75, 0.75),
        judgeVariances: Float64Array.of(0.02, 0.03, 0.02),
        oracleLabels: Float64Array.of(0.5, Number.NaN, Number.NaN),
        labelPropensities: Float64Array.of(Number.NaN, Number.NaN, 0.4),
        responseLengths: Float64Array.of(4, Number.NaN, 4),
      },
    });
    expect(calibrationSet).toMatchObject({ promptIds: ['z'], oracleLabels: Float64Array.of(0.125) });
    expect([...probes!].map(([policy, { oracleLabels }]) => [policy, ...oracleLabels])).toEqual([['b', 0.75]]);
  });

  it('without a log learns from the draws of all policies, and of nothing else', () => {
    const {
      pooled,
      logged: log,
      calibrationSet,
    } = of(null, [], [fresh('a', 'x'), fresh('b', 'x', { judge_score: 0.25 }), fresh('b', 'y', { part: 'probe' })]);
    expect([pooled, log.promptIds, calibrationSet]).toEqual([true, ['x', 'x'], undefined]);
    expect([...log.judgeScores]).toEqual([0.75, 0.25]);
    expect([...log.baseLogprobs]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('a calibration set beside a log', () => {
  const row = (prompt_id: string, judge_score: number, oracle_label: number | null) => ({
    policy: 'p0',
    prompt_id,
    draw_index: 0,
    judge_score,
    judge_variance: 0,
    oracle_label,
    response_words: null,
    base_logprob: null,
    target_logprobs: {},
  });

  it('adds its labels of responses that the log has not labelled; where both have one, the log’s counts', () => {
    const log = [row('x', 0.5, 0.25), row('y', 0.5, null)];
    const set = [row('x', 0.5, 0.75), row('x', 0.6, 1), row('y', 0.5, 0.5), row('z', 0.5, null)];
    const { rows, remark } = newLabels(set, log);
    expect(rows.map(({ prompt_id, oracle_label }) => [prompt_id, oracle_label])).toEqual([
      ['x', 1],
      ['y', 0.5],
    ]);
    // On [1, 5] they are four times as far apart.
    expect(remark?.([1, 5])).toBe(
      'the calibration set labels 1 of the log’s labelled responses once more, 1 otherwise, by up to 2; the log’s labels are taken',
    );
    expect(newLabels([row('x', 0.5, 0.25 + 1e-12)], log).remark?.([0, 1])).toContain('all alike');
    expect(newLabels([row('z', 0.5, 0.25)], log).remark).toBeNull();
  });
});

describe('rows that stand there again', () => {
  const rows = (...texts: readonly string[]): SourceRecord[] =>
    texts.map((text, index) => ({ at: { file: 'f', line: index + 1, row: index }, fields: { text } }));

  it('are mistakes where every row does so as often', () => {
    const { records, faults } = repeatedRows(rows('a', 'b', 'a', 'b'));
    expect(records.map(({ at }) => at.line)).toEqual([1, 2]);
    expect(faults).toEqual([
      {
        at: { file: 'f', line: 3, row: 2 },
        category: SAME_AGAIN,
        message: 'this is the same row as line 1, to the byte',
      },
      {
        at: { file: 'f', line: 4, row: 3 },
        category: SAME_AGAIN,
        message: 'this is the same row as line 2, to the byte',
      },
    ]);
  });

  it.each([
    [
      ['a', 'a'],
      '1 row repeats an earlier one of f, to the byte (line 2 is line 1 again): taken as draws of their own',
    ],
    [
      ['a', 'b', 'a'],
      '1 row repeats an earlier one of f, to the byte (line 3 is line 1 again): taken as draws of their own',
    ],
    [['a', 'b'], undefined],
  ])('are draws where only some do, or where there is one row: %j', (texts, note) => {
    const found = repeatedRows(rows(...texts));
    expect([found.records.length, found.faults, found.note]).toEqual([texts.length, [], note]);
  });

  it('several are counted, and rows of files without lines go by their number', () => {
    const unlined = rows('a', 'b', 'a', 'a').map((row) => ({
      ...row,
      at: { file: 'f', line: undefined, row: row.at.row },
    }));
    expect(repeatedRows(unlined).note).toBe(
      '2 rows repeat earlier ones of f, to the byte (row 3 is row 1 again): taken as draws of their own',
    );
  });
});

describe('numbers of a row', () => {
  it.each([
    [0, false],
    [1e-9, true],
    [1, true],
    [1.001, false],
    [-0.5, false],
    ['0.25', true],
  ])('the probability of a label %j: %s', (cell, ok) => {
    expect(readPropensity(cell, 'label_propensity').ok).toBe(ok);
  });

  it('a variance on [1, 5] is a sixteenth of it on [0, 1]', () => {
    expect(readVariance(0.5, 'judge_variance', [1, 5])).toEqual({ ok: true, value: 0.5 / 16 });
    expect(readVariance(-0.5, 'judge_variance', [1, 5]).ok).toBe(false);
  });
});

it('a usage counts what there is, and is none where nothing is counted', () => {
  const usage = (inputTokens: number, outputTokens: number) =>
    usageRow({ inputTokens, outputTokens, cachedInputTokens: 0 });
  expect([usage(3, 4), usage(0, 4), usage(3, 0), usage(0, 0)]).toEqual([
    { input: 3, output: 4 },
    { input: 0, output: 4 },
    { input: 3, output: 0 },
    null,
  ]);
});

it('a column of a map that no file has is named once, with the one that was meant', () => {
  const columns = new Columns({ judge_score: 'scor', target_logprobs: 'logps', prompt_id: 'id' });
  const table = { records: [], faults: [], columns: ['id', 'score', 'logprobs'] };
  expect(columns.unknown([table]).map(({ column }) => column)).toEqual(['scor', 'logps']);
  expect(columns.unknown([table])[0]!.hint).toContain('score');
  expect(columns.unknown([{ ...table, columns: ['id', 'scor', 'logps'] }])).toEqual([]);
});
