import { describe, expect, test } from 'vitest';
import { fitSelected, fitWithout, labelledSlice, predictByFold } from '../../src/stats/calibration/cross-fit.ts';
import { calibrateRewards } from '../../src/stats/calibration/reward-calibration.ts';
import { fitTwoStage, predictReward, rewardIndex } from '../../src/stats/calibration/reward-function.ts';
import { splineBasis, splineValue } from '../../src/stats/calibration/spline.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import {
  type EstimatedPolicy,
  type EstimatorSettings,
  estimate,
  type RefusedPolicy,
  resolveConfig,
} from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { draws, evaluation, log, OPEN } from './support/hand-made.ts';

const inputs = (scores: readonly number[]) => inputsOf(Float64Array.from(scores), []);
const none = Number.NaN;

describe('diagnostics of a calibration', () => {
  // Two levels of score; labels 0.1, 0.3, 0.6, 0.9 give rewards 0.2 and 0.75.
  const scores = [0, 0, 1, 1, 0.5];
  const labels = Float64Array.of(0.1, 0.3, 0.6, 0.9, none);
  const fold = (ids: readonly string[]) => Int32Array.from(ids, (_, i) => i % 2);
  const fit = calibrateRewards(inputs(scores), labels, ['a', 'b', 'c', 'd', 'e'], {
    mode: 'monotone',
    folds: 2,
    seed: 1,
    jackknifeGroups: null,
    promptFolds: fold,
  });

  test('by hand: errors in sample and out of fold', () => {
    const { diagnostics } = fit;
    expect(diagnostics).toMatchObject({
      labels: 4,
      rewardRange: [expect.closeTo(0.2, 12), expect.closeTo(0.75, 12)],
      labelledScoreRange: [0, 1],
      distinctLevels: 2,
      collapsed: false,
    });
    // 0.1, 0.1, 0.15, 0.15.
    expect(diagnostics.rmse).toBeCloseTo(Math.sqrt((2 * 0.01 + 2 * 0.0225) / 4), 12);
    // Without its fold each is predicted by the other of its level: 0.2, 0.2, 0.3, 0.3 off.
    expect(diagnostics.outOfFoldRmse).toBeCloseTo(Math.sqrt((2 * 0.04 + 2 * 0.09) / 4), 12);
    // Predictions ∓0.3 about their fold's mean where labels are ∓0.25, and ∓0.25 where they are ∓0.3: 2 (0.075 + 0.075)/2
    // (0.09 + 0.0625).
    expect(diagnostics.slope).toBeCloseTo(0.3 / 0.305, 12);
    expect([...predictReward(fit.full, inputs([0, 0.5, 1]))]).toEqual(
      [0.2, 0.475, 0.75].map((v) => expect.closeTo(v, 12)),
    );
    expect(fit.jackknife).toHaveLength(2);
  });

  test('levels are told apart to a millionth', () => {
    const levels = (of: readonly number[]) =>
      calibrateRewards(inputs([0, 0.25, 0.5, 1]), Float64Array.from(of), ['a', 'b', 'c', 'd'], {
        mode: 'monotone',
        folds: 2,
        seed: 1,
        jackknifeGroups: null,
        promptFolds: fold,
      }).diagnostics.distinctLevels;
    expect(levels([0.1, 0.2, 0.3, 0.4])).toBe(4);
    expect(levels([0.1, 0.100002, 0.3, 0.3])).toBe(3);
    expect(levels([0.1, 0.1000001, 0.3, 0.3])).toBe(2);
  });

  test('a slope of predictions that do not differ within a fold is 1, with weights it is theirs', () => {
    const of = (scores: readonly number[], more: object) =>
      calibrateRewards(inputs(scores), Float64Array.of(0.1, 0.3, 0.6, 0.9), ['a', 'b', 'c', 'd'], {
        mode: 'monotone',
        folds: 2,
        seed: 1,
        jackknifeGroups: null,
        promptFolds: fold,
        ...more,
      }).diagnostics.slope;
    expect(of([0.5, 0.5, 0.5, 0.5], {})).toBe(1);
    // Weights 3 and 1 within either fold: about means a quarter of the way, ¾ · (0.6 · 0.5) and ¾ · (0.5 · 0.6) over ¾ ·
    // 0.36 and ¾ · 0.25.
    expect(of([0, 0, 1, 1], { labelWeights: Float64Array.of(3, 3, 1, 1) })).toBeCloseTo(0.6 / 0.61, 12);
    expect(of([0, 0, 1, 1], { labelWeights: Float64Array.of(3, 1, 1, 1) })).toBeCloseTo(
      (0.75 * 0.3 + 0.5 * 0.3) / (0.75 * 0.36 + 0.5 * 0.25),
      12,
    );
  });

  test('within is at most 0.1 off', () => {
    // 0.25 and 0.75 are off by 0.0625 and by 0.125 of the means of their levels.
    const near = calibrateRewards(
      inputs([0, 0, 1, 1]),
      Float64Array.of(0.1875, 0.3125, 0.625, 0.875),
      ['a', 'b', 'c', 'd'],
      {
        mode: 'monotone',
        folds: 2,
        seed: 1,
        jackknifeGroups: null,
        promptFolds: fold,
      },
    );
    expect(near.diagnostics.within).toBe(0.5);
    expect(near.diagnostics.outOfFoldWithin).toBe(0);
  });

  test('a fit without a fold that holds every label is the full fit', () => {
    const slice = labelledSlice(inputs([0, 1]), Float64Array.of(0.2, 0.8), null);
    const full = fitSelected('monotone', slice, Int32Array.of(0, 0), 1);
    expect(fitWithout(0, full, slice, Int32Array.of(0, 0))).toBe(full.full);
  });
});

describe('the choice of the mode', () => {
  const n = 60;
  const scores = Array.from({ length: n }, (_, i) => (i + 0.5) / n);
  const slice = (label: (s: number, i: number) => number) =>
    labelledSlice(inputs(scores), Float64Array.from(scores, label), null);
  const folds = Int32Array.from(scores, (_, i) => i % 5);
  const selected = (label: (s: number, i: number) => number) => fitSelected('auto', slice(label), folds, 5).selected;

  test('monotone where labels rise with the score, two-stage where they bend', () => {
    // A staircase is what an isotonic fit is best at, and what a spline rounds off.
    expect(selected((s) => Math.floor(4 * s) / 4)).toBe('monotone');
    expect(selected((s) => (s - 0.5) ** 2 * 4)).toBe('two-stage');
    expect(selected((s) => 1 - s)).toBe('two-stage');
  });

  describe.each(['margin', 'library'] as const)('by the rule %s', (rule) => {
    // The rule once more, row by row, on labels that rise with a bend of any strength and noise of any size.
    const choiceOn = (label: (s: number) => number) => {
      const of = slice((s) => Math.min(1, Math.max(0, label(s))));
      const errors = (mode: 'monotone' | 'two-stage') => {
        const fit = fitSelected(mode, of, folds, 5);
        return Array.from(predictByFold(fit.withoutFold, of.inputs, folds), (p, i) => (of.labels[i]! - p) ** 2);
      };
      const [monotone, twoStage] = [errors('monotone'), errors('two-stage')];
      const mean = (values: readonly number[]) => values.reduce((s, v) => s + v, 0) / values.length;
      // The delta method: the standard error of √m is that of m over 2 √m.
      const margin = (of: readonly number[]) => {
        const scatter = Math.sqrt(of.reduce((s, e) => s + (e - mean(of)) ** 2, 0) / (of.length - 1) / of.length);
        return scatter / (2 * Math.sqrt(mean(of)));
      };
      const closer = Math.sqrt(mean(twoStage)) < Math.sqrt(mean(monotone)) - margin(monotone);
      const thirds = [0, 20, 40].filter((from) => {
        const [one, two] = [monotone.slice(from, from + 20), twoStage.slice(from, from + 20)];
        return Math.sqrt(mean(two)) < Math.sqrt(mean(one)) - (rule === 'margin' ? margin(one) : 0);
      });
      const wanted = closer || thirds.length >= 2 ? 'two-stage' : 'monotone';
      expect(fitSelected('auto', of, folds, 5, rule).selected).toBe(wanted);
      return `${closer} ${thirds.length}`;
    };

    test('two-stage where its RMSE is smaller by one standard error of the other’s, or in two of three thirds of the scores', () => {
      const random = randomSource(7, 0);
      const choices = Array.from({ length: 60 }, () => {
        const [bend, noise] = [0.6 * random.uniform(), 0.4 * random.uniform()];
        return choiceOn((s) => 0.2 + 0.6 * s + bend * Math.sin(5 * s) + noise * (random.uniform() - 0.5));
      });
      // Stairs that end in a bend: two-stage is closer there alone, by more than a standard error (2.3 and 3.3) or less (0.5).
      const stairs = [14, 45, 94, 141].map((seed) => {
        const { uniform } = randomSource(seed, 0);
        const [bend, noise, end] = [uniform(), 0.3 * uniform(), uniform()];
        return choiceOn(
          (s) => (s < end ? Math.floor(6 * s) / 6 : 1 - bend * Math.abs(Math.sin(6 * s))) + noise * (uniform() - 0.5),
        );
      });
      if (rule === 'library') {
        expect(stairs).toEqual(['true 1', 'true 1', 'false 1', 'false 1']);
        // The thirds decide alone, and not at all.
        expect([...new Set(choices)]).toEqual(expect.arrayContaining(['false 0', 'false 1', 'false 2', 'true 3']));
      } else {
        expect(stairs).toEqual(['true 1', 'true 1', 'false 1', 'false 0']);
        expect([...new Set(choices)]).toEqual(
          expect.arrayContaining(['false 0', 'false 1', 'true 1', 'true 2', 'true 3']),
        );
      }
    });
  });

  test('equal scores stay in one third: the order of rows decides nothing, as it does by the library’s rule', () => {
    const dataSet = (seed: number) => {
      const { uniform } = randomSource(seed, 0);
      return Array.from({ length: n }, (_, i) => {
        const score = Math.round(10 * uniform()) / 10;
        return { score, fold: i % 5, label: Math.min(1, Math.max(0, 0.3 + 0.4 * score + 0.5 * (uniform() - 0.5))) };
      });
    };
    const choices = (rows: ReturnType<typeof dataSet>, rule: 'margin' | 'library') =>
      new Set(
        Array.from({ length: 8 }, (_, seed) => {
          const { uniform } = randomSource(seed, 1);
          const shuffled = rows.map((row) => ({ row, at: uniform() })).sort((a, b) => a.at - b.at);
          const of = labelledSlice(
            inputs(shuffled.map(({ row }) => row.score)),
            Float64Array.from(shuffled, ({ row }) => row.label),
            null,
          );
          return fitSelected(
            'auto',
            of,
            Int32Array.from(shuffled, ({ row }) => row.fold),
            5,
            rule,
          ).selected;
        }),
      );
    const dataSets = Array.from({ length: 12 }, (_, seed) => dataSet(seed));
    expect(dataSets.filter((rows) => choices(rows, 'margin').size > 1)).toHaveLength(0);
    expect(dataSets.filter((rows) => choices(rows, 'library').size > 1).length).toBeGreaterThan(0);
  });

  test('two-stage falls back below 20 labels', () => {
    const fitOf = (m: number, fallback: 'monotone' | 'rank') =>
      fitTwoStage(inputs(scores.slice(0, m)), Float64Array.from(scores.slice(0, m)), fallback).kind;
    expect(fitOf(20, 'rank')).toBe('two-stage');
    expect(fitOf(19, 'rank')).toBe('rank');
    expect(fitOf(19, 'monotone')).toBe('monotone');
  });

  test('a rank is (how many training values are at most it − ½)/m; with weights the weight up to it, less half the mean', () => {
    const fit = fitTwoStage(inputs([0.1, 0.2, 0.2, 0.4]), Float64Array.of(0, 0, 1, 1), 'rank');
    expect([...rewardIndex(fit, inputs([0, 0.1, 0.2, 0.3, 0.4]))]).toEqual([-0.125, 0.125, 0.625, 0.625, 0.875]);
    const weighted = fitTwoStage(inputs([0.1, 0.2, 0.4]), Float64Array.of(0, 0, 1), 'rank', Float64Array.of(1, 2, 3));
    // Up to 1, 3, 6 of 6, less ½ of 2.
    expect([...rewardIndex(weighted, inputs([0, 0.1, 0.2, 0.4]))]).toEqual(
      [-1, 0, 2, 5].map((v) => expect.closeTo(v / 6, 12)),
    );
  });
});

describe('splines', () => {
  test('knots are min(8, ⌊m/4⌋), equally spaced; none for fewer than two, or one value', () => {
    const basis = (m: number) => splineBasis(Array.from({ length: m }, (_, i) => i / (m - 1)));
    expect(basis(7)).toBeNull();
    expect(basis(8)).toMatchObject({ columns: 3, spacing: 1, low: 0, high: 1 });
    expect(basis(20)).toMatchObject({ columns: 6, spacing: 0.25 });
    expect(basis(32)).toMatchObject({ columns: 9, spacing: expect.closeTo(1 / 7, 12) });
    expect(basis(100)).toMatchObject({ columns: 9 });
    expect(splineBasis(new Float64Array(40).fill(0.5))).toBeNull();
  });

  test('cubic bumps by hand: 1/6, 4/6, 1/6 at a knot and 1/48, 23/48, 23/48, 1/48 half way', () => {
    const basis = splineBasis(Array.from({ length: 20 }, (_, i) => i / 19))!;
    const at = (value: number) =>
      Array.from({ length: basis.columns }, (_, j) => {
        const one = new Float64Array(basis.columns);
        one[j] = 1;
        return splineValue(basis, one, 0, value);
      });
    expect(at(0.25)).toEqual([0, 1 / 6, 4 / 6, 1 / 6, 0, 0].map((v) => expect.closeTo(v, 12)));
    expect(at(0.375)).toEqual([0, 1 / 48, 23 / 48, 23 / 48, 1 / 48, 0].map((v) => expect.closeTo(v, 12)));
    // Beyond the knots the boundary's values; the last column is left out.
    expect(at(-3)).toEqual(at(0));
    expect(at(9)).toEqual(at(1));
    expect(at(1)).toEqual([0, 0, 0, 0, 1 / 6, 4 / 6].map((v) => expect.closeTo(v, 12)));
  });
});

describe('how many labels a calibration takes', () => {
  const n = 40;
  const scores = Array.from({ length: n }, (_, i) => i / n);
  const own = { p: draws({ scores }) };
  const withLabels = (m: number, ids?: readonly string[]) =>
    evaluation(
      log({
        scores,
        labels: scores.map((s, i) => (i < m ? s : none)),
        weights: { p: scores.map(() => 1) },
        ...(ids ? { ids } : {}),
      }),
      own,
    );
  const run = (m: number, settings: Partial<EstimatorSettings> = {}, ids?: readonly string[]) =>
    estimate({ estimator: 'direct', rewardCalibration: 'monotone', gates: OPEN, ...settings }, withLabels(m, ids));

  test.each([
    // Labelled prompts, folds, jackknife groups.
    [4, 2, 4],
    [5, 2, 5],
    [6, 3, 6],
    [9, 4, 9],
    [10, 5, 10],
    [39, 5, 39],
    [40, 5, 40],
  ])('%d labelled prompts: folds keep two each, and up to 40 are groups by themselves', (m, folds, groups) => {
    const result = run(m);
    expect(result.calibration!.folds).toBe(folds);
    expect((result.policies[0] as EstimatedPolicy).oracleJackknife).toHaveLength(groups);
  });

  test('recommended needs four labelled prompts, parity two labels a fold', () => {
    expect(run(3).policies[0]).toMatchObject({
      code: 'too-few-oracle-labels',
      message: '3 labelled prompts; the calibration needs 4',
    });
    expect((run(3).policies[0] as RefusedPolicy).whatToCollect).toContain('at least 1 more');
    expect(run(0).policies[0]).toMatchObject({ code: 'no-oracle-labels' });
    expect(run(9, { mode: 'parity' }).policies[0]).toMatchObject({
      code: 'too-few-oracle-labels',
      message: expect.stringContaining('needs 10'),
    });
    expect(run(10, { mode: 'parity' }).policies[0]!.status).toBe('ok');
    expect(run(5, { mode: 'parity', folds: 3 }).policies[0]!.status).toBe('refused');
    expect(run(6, { mode: 'parity', folds: 3 }).policies[0]!.status).toBe('ok');
    // Prompts count, not rows: six labelled rows of three prompts.
    const ids = scores.map((_, i) => `q${i < 6 ? i % 3 : i}`);
    expect(run(6, {}, ids).policies[0]).toMatchObject({ code: 'too-few-oracle-labels' });
  });

  test('jackknife groups are at most those asked for', () => {
    const groups = (jackknifeGroups: number | null) =>
      (run(40, { jackknifeGroups }).policies[0] as EstimatedPolicy).oracleJackknife!.length;
    expect([groups(2), groups(7), groups(30), groups(null)]).toEqual([2, 7, 20, 5]);
    // More prompts than groups: two each at least.
    expect(groups(39)).toBe(20);
  });

  test('a judge of one score on all labelled rows says nothing', () => {
    const flat = evaluation(
      log({ scores: scores.map((s, i) => (i < 10 ? 0.5 : s)), labels: scores.map((s, i) => (i < 10 ? s : none)) }),
      own,
    );
    const settings = { estimator: 'direct', gates: OPEN } as const;
    expect(estimate(settings, flat).policies[0]).toMatchObject({ code: 'uninformative-judge' });
    expect(estimate({ ...settings, mode: 'parity' }, flat).policies[0]!.status).toBe('ok');
  });

  test('the curve has 101 points from 0 to 1', () => {
    const { curve } = run(40).calibration!;
    expect(curve).toHaveLength(101);
    expect([curve[0]![0], curve[50]![0], curve[100]![0]]).toEqual([0, 0.5, 1]);
    expect(curve[50]![1]).toBeCloseTo(0.5, 12);
  });
});

describe('settings', () => {
  test('defaults of both modes', () => {
    expect(resolveConfig({ estimator: 'dr-cpo' })).toMatchObject({
      mode: 'recommended',
      rewardCalibration: 'auto',
      options: { weights: 'raw' },
      weightClip: null,
      folds: 5,
      seed: 42,
      alpha: 0.05,
      oracleUncertainty: true,
      jackknifeGroups: 40,
      inference: 'analytic',
      replicates: 2000,
      judgeUncertainty: false,
      deletion: 'per-policy',
      onMissingJudgeScore: 'refuse',
      onMissingFreshDraw: 'refuse',
    });
    const parity = (estimator: EstimatorSettings['estimator']) => resolveConfig({ estimator, mode: 'parity' });
    expect(parity('dr-cpo')).toMatchObject({
      options: { weights: 'calibrated' },
      jackknifeGroups: null,
      deletion: 'list-wise',
      oracleUncertainty: true,
    });
    expect(resolveConfig({ estimator: 'mrdr' }).options).toMatchObject({ mrdrWeighting: 'w' });
    expect(resolveConfig({ estimator: 'tmle' }).options).toMatchObject({ tmleLink: 'logit' });
    expect(parity('snips').oracleUncertainty).toBe(false);
    expect(parity('ips').oracleUncertainty).toBe(false);
    expect(resolveConfig({ estimator: 'snips' }).oracleUncertainty).toBe(true);
  });

  const resolves = (settings: Partial<EstimatorSettings>) => () => resolveConfig({ estimator: 'direct', ...settings });
  test.each<[Partial<EstimatorSettings>, Partial<EstimatorSettings>, string]>([
    [{ folds: 2 }, { folds: 1 }, 'folds'],
    [{ folds: 50 }, { folds: 51 }, 'folds'],
    [{ folds: 3 }, { folds: 2.5 }, 'folds'],
    [{ jackknifeGroups: 2 }, { jackknifeGroups: 1 }, 'jackknifeGroups'],
    [{ jackknifeGroups: null }, { jackknifeGroups: 2.5 }, 'jackknifeGroups'],
    [{ seed: 0 }, { seed: 0.5 }, 'seed'],
    [{ alpha: 0.999 }, { alpha: 1 }, 'alpha'],
    [{ alpha: 0.001 }, { alpha: 0 }, 'alpha'],
    [{ weightClip: 0.1 }, { weightClip: 0 }, 'weightClip'],
    [{ replicates: 100 }, { replicates: 99 }, 'replicates'],
    [{ replicates: 101 }, { replicates: 100.5 }, 'replicates'],
    [{ inference: 'bootstrap' }, { inference: 'bootstrap', estimator: 'dr-cpo' }, 'bootstrap'],
    [
      { inference: 'bootstrap', estimator: 'direct-augmented' },
      { inference: 'bootstrap', mode: 'parity' },
      'bootstrap',
    ],
    [
      { covariates: ['response_length'], rewardCalibration: 'two-stage' },
      { covariates: ['response_length'], rewardCalibration: 'monotone' },
      'covariates',
    ],
    [{ covariates: ['response_length'] }, { covariates: ['response_length'], rewardCalibration: 'none' }, 'covariates'],
  ])('%j holds, %j does not', (good, bad, name) => {
    expect(resolves(good)).not.toThrow();
    expect(resolves(bad)).toThrow(name);
  });
});

test('settings are taken at the ends of their ranges, and refused beyond', () => {
  const takes = (settings: object) => {
    try {
      resolveConfig({ estimator: 'direct', ...settings });
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  };
  const ends: readonly (readonly [name: string, inside: readonly number[], beyond: readonly number[]])[] = [
    ['folds', [2, 50], [1, 51, 2.5]],
    ['jackknifeGroups', [2], [1]],
    ['replicates', [100, 100_000], [99, 100_001]],
    ['alpha', [0.001, 0.999], [0, 1]],
    ['seed', [0], [-1, 0.5]],
    ['weightClip', [0.5], [0]],
  ];
  for (const [name, inside, beyond] of ends) {
    expect([name, inside.map((value) => takes({ [name]: value }))]).toEqual([name, inside.map(() => true)]);
    expect([name, beyond.map((value) => takes({ [name]: value }))]).toEqual([name, beyond.map(() => false)]);
  }
});

describe('values off their scale', () => {
  const scores = [0, 0.5, 1, 0.25];
  const run = (change: Partial<Parameters<typeof log>[0]>, logprobs: readonly number[] = [-1, -1, -1, -1]) => {
    const rows = log({ scores, ...change });
    const logged = { ...rows, targetLogprobs: new Map([['p', Float64Array.from(logprobs)]]) };
    return estimate({ estimator: 'snips', rewardCalibration: 'none', gates: OPEN }, evaluation(logged)).policies[0]!;
  };

  test('are refused just beyond it, and taken at its ends', () => {
    expect(run({}).status).toBe('ok');
    expect(run({ labels: [0, 1, none, none] }).status).toBe('ok');
    expect(run({ labels: [0, 1.0001, none, none] })).toMatchObject({ code: 'scores-out-of-scale' });
    expect(run({ labels: [-0.0001, 1, none, none] })).toMatchObject({ code: 'scores-out-of-scale' });
    expect(run({ scores: [0, 0.5, 1.0001, 0.25] })).toMatchObject({
      code: 'scores-out-of-scale',
      message: expect.stringContaining('on 1 logged rows: 2'),
    });
    expect(run({ scores: [-0.0001, 0.5, 1, 0.25] })).toMatchObject({ code: 'scores-out-of-scale' });
    expect(run({}, [0, -10, -10, -10]).status).toBe('ok');
    expect(run({}, [1e-9, -10, -10, -10])).toMatchObject({ code: 'bad-input' });
    expect(run({}, [Number.NEGATIVE_INFINITY, -10, -10, -10])).toMatchObject({ code: 'bad-input' });
    expect(run({ ids: ['a', '', 'c', 'd'] })).toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('rows 1'),
    });
  });

  test('of own draws are that policy’s refusal', () => {
    const own = (values: readonly number[]) =>
      estimate(
        { estimator: 'direct', rewardCalibration: 'none', gates: OPEN },
        evaluation(log({ scores }), { p: draws({ scores: values }) }),
      ).policies[0]!;
    expect(own([0, 1]).status).toBe('ok');
    expect(own([0, 1.01])).toMatchObject({ code: 'scores-out-of-scale' });
    expect(own([0, none])).toMatchObject({ code: 'missing-judge-scores' });
    expect(own([])).toMatchObject({ code: 'no-fresh-draws' });
  });
});
