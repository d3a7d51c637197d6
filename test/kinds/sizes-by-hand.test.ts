/** How many rows and calls kinds say that they will make, and which of their inputs they refuse, without a pipeline about them. */

import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { digestText } from '../../src/core/digest.ts';
import type { InputSizes, WiredNode } from '../../src/core/kind.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import { dataset } from '../../src/kinds/dataset.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { gridSchema } from '../../src/kinds/grid/cells.ts';
import { grid } from '../../src/kinds/grid.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { oracle } from '../../src/kinds/oracle.ts';
import { policyOf, ref } from './forced-rows.ts';
import { input, inputs } from './support.ts';

const sizes = (many: Readonly<Record<string, number>>, one = 0): InputSizes => ({
  many: () => new Map(Object.entries(many)),
  one: () => one,
});

describe('a dataset', () => {
  type Params = Parameters<typeof dataset.expect>[0];
  const gates = gatesSchema.parse({ data: {}, overlap: {} });
  const given = (logger?: string) =>
    ({ scorer: 'judge', gates, seed: 1, ...(logger === undefined ? {} : { logger }) }) as Params;

  it('has the rows of its log, or of all policies without one', () => {
    const all = { a: 3, b: 1_998 };
    expect(dataset.expect(given('a'), sizes(all)).items).toBe(3);
    expect(dataset.expect(given('c'), sizes(all)).items).toBe(0);
    expect(dataset.expect(given(), sizes(all)).items).toBe(2_001);
  });

  it('is heavy from two thousand rows on', () => {
    expect(dataset.heavy!(given(), sizes({ a: 3, b: 1_996 }))).toBe(false);
    expect(dataset.heavy!(given(), sizes({ a: 3, b: 1_997 }))).toBe(true);
  });

  it('takes one answer a prompt of whoever wrote the log, and as many as there are of the others', () => {
    const nodes = (draws: Readonly<Record<string, number | undefined>>) =>
      Object.entries(draws).map(([label, of]) => ({
        name: `responses/${label}`,
        label,
        params: { draws: of },
      })) as never as WiredNode[];
    const faults = (draws: Readonly<Record<string, number | undefined>>, logger?: string) =>
      dataset.check!(given(logger), (name) => (name === 'responses' ? nodes(draws) : [])).map(({ message }) => message);
    expect(faults({ log: 1, a: 3 }, 'log')).toEqual([]);
    expect(faults({ log: undefined, a: 3 }, 'log')).toEqual([]);
    expect(faults({ log: 2, a: 1 }, 'log')).toEqual([
      "the log is one answer a prompt, and 'responses/log' gives several draws",
    ]);
    expect(faults({ log: 2, a: 1 })).toEqual([]);
    expect(faults({ a: 1 }, 'log')).toEqual(["there are no responses of the logger 'log'"]);
  });
});

it('a grid has a cell for each variant, coverage and seed', () => {
  type Params = Parameters<typeof grid.expect>[0];
  const settings = {
    oracle_coverages: [0.1, 0.2, 0.5],
    seeds: 7,
    reward_calibrations: ['monotone', 'two-stage'],
    covariates: null,
    own_label_coverage: 0,
  };
  const params = {
    name: 'n',
    ablation: ablationSchema.parse({ estimator: 'direct' }),
    gates: gatesSchema.parse({ data: {}, overlap: {} }),
    sample_size: 50,
    grid: settings,
  } as Params;
  expect(grid.expect(params, sizes({})).items).toBe(2 * 3 * 7);
  expect(grid.expect({ ...params, grid: { ...settings, reward_calibrations: null } } as Params, sizes({})).items).toBe(
    21,
  );
});

describe('log probabilities that check generation', () => {
  type Params = Parameters<typeof logprobs.items>[0];
  const params = (sample?: number) => ({ policy: policyOf(ref()), passes: 1, replicate: 0, sample }) as Params;
  const row = (prompt_id: string, more: object = { sampled: {} }) => ({
    prompt_id,
    status: 'ok',
    response: 'r',
    ...more,
  });
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const itemsOf = (sample: number | undefined, rows: readonly object[]) =>
    [...logprobs.items(params(sample), inputs({ responses: input({ rows }) }))].map(({ prompt_id }) => prompt_id);

  it('are of all responses, or of those few of which the tokens were kept whose digests are lowest', () => {
    const all = ids.map((id) => row(id));
    expect(itemsOf(undefined, all)).toEqual(ids);
    const ranked = [...ids].sort((a, b) => (digestText(a) < digestText(b) ? -1 : 1));
    expect(itemsOf(3, all)).toEqual(ranked.slice(0, 3));
    expect(itemsOf(3, [...all].reverse())).toEqual(ranked.slice(0, 3));
    const kept = all.map((each) => (each.prompt_id === ranked[0] ? row(ranked[0], {}) : each));
    expect(itemsOf(2, kept)).toEqual(ranked.slice(1, 3));
    expect(itemsOf(2, [row('a', { response: null, sampled: {} }), row('b')])).toEqual(['b']);
  });
});

describe('parameters at the edge of what they may be', () => {
  type Case = readonly [
    kind: string,
    params: z.ZodType,
    given: object,
    name: string,
    right: readonly unknown[],
    wrong: readonly unknown[],
  ];
  const ORACLE = { calibration_share: 0.5 };
  const cases: readonly Case[] = [
    ['oracle', oracle.params, ORACLE, 'calibration_share', [0, 1], [-0.001, 1.001]],
    ['oracle', oracle.params, ORACLE, 'validation_share', [0, 1], [-0.001, 1.001]],
    ['oracle', oracle.params, ORACLE, 'seed', [0], [-1]],
    ['oracle', oracle.params, ORACLE, 'replicate', [0], [-1]],
    ['a grid', gridSchema, { oracle_coverages: [0.5], seeds: 1 }, 'seeds', [1], [0, 1.5]],
    [
      'a grid',
      gridSchema,
      { oracle_coverages: [0.5], seeds: 1 },
      'oracle_coverages',
      [[0], [1]],
      [[-0.001], [1.001], []],
    ],
    ['a grid', gridSchema, { oracle_coverages: [0.5], seeds: 1 }, 'own_label_coverage', [0, 1], [1.001]],
  ];
  it.each(cases)('%s', (_, params, given, name, right, wrong) => {
    const isRight = (value: unknown) => params.safeParse({ ...given, [name]: value }).success;
    expect(right.map(isRight)).toEqual(right.map(() => true));
    expect(wrong.map(isRight)).toEqual(wrong.map(() => false));
  });
});
