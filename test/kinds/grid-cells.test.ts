import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { cellCount, type GridTask, gridRows, gridSchema } from '../../src/kinds/grid/cells.ts';
import { labelledData } from './labelled-data.ts';

const gates = gatesSchema.parse({ data: {}, overlap: {} });
const task = (estimator: string, grid: object, more: Partial<GridTask> = {}): GridTask => ({
  name: 'method',
  ablation: ablationSchema.parse({ estimator }),
  gates,
  sampleSize: 40,
  grid: gridSchema.parse({ oracle_coverages: [0.5, 1], seeds: 2, ...grid }),
  ...more,
});
const data = labelledData({ prompts: 80 });

describe('gridRows', () => {
  it('makes a row for each seed, coverage and policy, against the mean of all held labels', () => {
    const rows = [...gridRows(task('direct', {}), data)].flat();
    expect(rows.map(({ seed, oracle_coverage, policy }) => `${seed} ${oracle_coverage} ${policy}`)).toEqual([
      '0 0.5 near',
      '0 0.5 far',
      '0 1 near',
      '0 1 far',
      '1 0.5 near',
      '1 0.5 far',
      '1 1 near',
      '1 1 far',
    ]);
    const labels = data.freshDraws.get('far')!.oracleLabels;
    const held = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    const squares = labels.reduce((sum, label) => sum + (label - held) ** 2, 0);
    for (const row of rows) {
      if (row.policy === 'far') {
        expect(row.held).toBeCloseTo(held, 14);
        expect(row.held_error).toBeCloseTo(Math.sqrt(squares / (labels.length - 1) / labels.length), 14);
      }
      if (row.status !== 'ok') throw new Error(`refused: ${row.gate}`);
      expect(row.covered).toBe(row.lower <= row.held && row.held <= row.upper);
      expect(Math.abs(row.estimate - row.held)).toBeLessThan(6 * row.standard_error);
      expect(row.n).toBe(40);
    }
    expect(cellCount(task('direct', {}))).toBe(4);
  });

  it('counts a truth as missed on either side of an interval', () => {
    const truths: Readonly<Record<string, number>> = { near: 1, far: 0 };
    const freshDraws = new Map(
      [...data.freshDraws].map(([policy, draws]) => [
        policy,
        { ...draws, oracleLabels: new Float64Array(draws.oracleLabels.length).fill(truths[policy]!) },
      ]),
    );
    for (const row of [...gridRows(task('direct', {}), { ...data, freshDraws })].flat()) {
      if (row.status !== 'ok') throw new Error(`refused: ${row.gate}`);
      if (row.policy === 'near') expect(row.upper).toBeLessThan(row.held);
      else expect(row.lower).toBeGreaterThan(row.held);
      expect(row.covered).toBe(false);
    }
  });

  it('gives the same rows again, and cells do not depend on the others', () => {
    const rows = [...gridRows(task('snips', {}), data)].flat();
    expect([...gridRows(task('snips', {}), data)].flat()).toEqual(rows);
    const estimates = (seed: number) =>
      rows.filter((row) => row.seed === seed).map((row) => 'estimate' in row && row.estimate);
    expect(estimates(1)).not.toEqual(estimates(0));
    const half = [...gridRows(task('snips', { oracle_coverages: [1] }), data)].flat();
    expect(rows.filter(({ oracle_coverage }) => oracle_coverage === 1)).toEqual(half);
  });

  it('goes on from the seed at which another has stopped', () => {
    const all = [...gridRows(task('direct', {}), data)];
    expect([...gridRows(task('direct', {}), data, 1)]).toEqual(all.slice(1));
    expect([...gridRows(task('direct', {}), data, 2)]).toEqual([]);
  });

  it('tries calibrations and covariates that go together, and one that reads neither once', () => {
    const axes = { reward_calibrations: ['none', 'monotone', 'two-stage'], covariates: [[], ['response_length']] };
    const methods = (estimator: string) => [
      ...new Set(
        [...gridRows(task(estimator, axes), data)].flat().map((row) => `${row.reward_calibration} ${row.covariates}`),
      ),
    ];
    expect(methods('direct')).toEqual(['none ', 'monotone ', 'two-stage ', 'two-stage response_length']);
    expect(cellCount(task('direct', axes))).toBe(16);
    expect(methods('naive')).toEqual(['auto ']);
  });

  it('shows estimators that read own labels the wanted share of them', () => {
    const rows = (own_label_coverage: number) =>
      [...gridRows(task('direct-augmented', { own_label_coverage }), data)].flat();
    expect(rows(0).map((row) => row.status === 'refused' && row.gate)).toEqual(Array(8).fill('too-few-own-labels'));
    expect(rows(0.5).every((row) => row.status === 'ok')).toBe(true);
  });

  it('refuses more prompts than there are, and labels that are not there', () => {
    const fail = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        if (error instanceof ProblemError) return error.problems[0]!;
        throw error;
      }
      throw new Error('nothing was refused');
    };
    expect(fail(() => [...gridRows(task('direct', {}, { sampleSize: 81 }), data)].flat()).headline).toBe(
      'the grid draws 81 prompts, and the dataset has 80',
    );
    const half = labelledData({ prompts: 80, ownLabelled: 0.5 });
    expect(fail(() => [...gridRows(task('direct', {}), half)].flat()).headline).toBe(
      'a grid holds estimates against labels, and the responses of near lack them',
    );
    const freshDraws = new Map([...data.freshDraws].filter(([policy]) => policy !== 'far'));
    expect(fail(() => [...gridRows(task('direct', {}), { ...data, freshDraws })]).headline).toContain(
      'the responses of far lack them',
    );
    // Four of 80 may be missing.
    const lacking = (count: number) => {
      const oracleLabels = data.logged.oracleLabels.map((label, i) => (i < count ? Number.NaN : label));
      return gridRows(task('direct', {}), { ...data, logged: { ...data.logged, oracleLabels } });
    };
    expect([...lacking(4)].flat()).toHaveLength(8);
    expect(fail(() => [...lacking(5)]).headline).toContain('the logged responses lack them');
  });
});
