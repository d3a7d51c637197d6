import { describe, expect, test } from 'vitest';
import { ATTACKS, simulateAttack } from '../../bench/coverage/attacks.ts';
import {
  fewWithTheSpread,
  type LabelGap,
  otherLabels,
  type RareLabels,
  rareDifferenceVariance,
  rareInterval,
  unseenShifts,
  usualLabel,
} from '../../src/stats/diagnostics/rare-labels.ts';
import { compareAll, type EstimatedPolicy, estimate, type FreshDraws } from '../../src/stats/index.ts';
import { draws, evaluation, log } from './support/hand-made.ts';

describe('labels nearly all of one value', () => {
  test('the usual one has more than half of them', () => {
    expect(usualLabel([1, 1, 0])).toBe(1);
    expect(usualLabel([1, 0])).toBeNull();
    expect(usualLabel([0.1, 0.2, 0.3])).toBeNull();
  });

  test('a few may make the spread of labels no two of which are alike', () => {
    const near = (count: number, width: number) => Array.from({ length: count }, (_, i) => 0.2 + (width * i) / count);
    // Two far from forty others: (2 d²)²/(2 d⁴).
    expect(fewWithTheSpread([...near(40, 0.01), 0.9, 0.9])).toBeCloseTo(2, 2);
    // Spread evenly, or on both sides of a gap, all of them make it.
    expect(fewWithTheSpread(near(20, 0.5))).toBeNull();
    expect(fewWithTheSpread([...near(20, 0.01), ...near(20, 0.01).map((y) => y + 0.5)])).toBeNull();
    // Twelve far from a thousand are enough to know them.
    expect(fewWithTheSpread([...near(1000, 0.01), ...near(12, 0.01).map((y) => y + 0.5)])).toBeNull();
    expect(fewWithTheSpread(near(40, 0.04))).toBe(0);
    expect(fewWithTheSpread([0.5])).toBeNull();
    // Two of thirteen are few, two of twelve are not; ten of seventy are many.
    const apart = (count: number, of: number) => Array.from({ length: of }, (_, i) => (i < count ? 1 : 0));
    expect([fewWithTheSpread(apart(2, 13)), fewWithTheSpread(apart(2, 12))]).toEqual([2, null]);
    expect([fewWithTheSpread(apart(9, 70)), fewWithTheSpread(apart(10, 70))]).toEqual([9, null]);
    // Within a twentieth of the scale labels lie close together.
    expect([fewWithTheSpread([0.5, 0.52, 0.5499]), fewWithTheSpread([0.5, 0.52, 0.5501])]).toEqual([0, null]);
  });

  test('they are named, and widen what rests on them', () => {
    const data = simulateAttack({ ...ATTACKS.OUTLIERS!, policies: ['same'], prompts: 200 }, 2);
    for (const estimator of ['direct', 'direct-augmented'] as const) {
      const [p] = estimate({ estimator }, data).policies as EstimatedPolicy[];
      expect(p!.diagnostics.rareLabels!.usual).toBeNull();
      expect(p!.diagnostics.gates.find(({ gate }) => gate === 'rare-labels')).toMatchObject({
        verdict: 'warn',
        note: expect.stringContaining('fewer than 10 lie far from the others'),
      });
      // Labels of 0.04 on average: a standard error of 0.013 would be that of a normal law.
      expect(p!.standardError).toBeGreaterThan(0.016);
      expect(p!.interval[0]).toBeGreaterThanOrEqual(0);
    }
  });

  const gap = (below: number, above: number, count: number): LabelGap => ({ below, above, count, kind: 'correction' });

  test('answers beyond all labels may be there: three in k, as far off as the scale goes', () => {
    // 1 − 0.05^(1/20) = 0.13911.
    const [down, up] = unseenShifts(gap(0.7, 0.2, 20), 0.05);
    expect(down).toBeCloseTo(0.13911 * 0.7, 5);
    expect(up).toBeCloseTo(0.13911 * 0.2, 5);
    expect(unseenShifts(gap(0, 0, 20), 0.05)).toEqual([0, 0]);
  });

  /** All labels between 0.7 and 0.88: own ones, or the log's. */
  const closeTogether = (labels: number, own = false) => {
    const scores = Array.from({ length: 60 }, (_, i) => (i % 20) / 20);
    const near = scores.map((_, i) => (i < labels ? 0.7 + 0.2 * (((i * 7) % 10) / 10) : Number.NaN));
    const full = near.map((_, i) => 0.75 + 0.005 * (i % 20));
    const q = draws({ scores, labels: near.map((y) => y - 0.4) });
    return own
      ? evaluation(log({ scores, labels: full }), { p: draws({ scores, labels: near }), q })
      : evaluation(log({ scores, labels: near }), { p: draws({ scores }) });
  };

  test('where labels lie close together and are few, the interval reaches as far as answers beyond them could move it', () => {
    for (const labels of [20, 30, 40]) {
      const [p] = estimate({ estimator: 'direct' }, closeTogether(labels)).policies as EstimatedPolicy[];
      const told = p!.diagnostics.gates.find(({ gate }) => gate === 'unseen-labels')!;
      expect(told).toMatchObject({ verdict: 'warn', open: true });
      const share = 1 - 0.05 ** (1 / labels);
      expect(p!.estimate - p!.interval[0]).toBeCloseTo(share * 0.7, 12);
      expect(told.value).toBeCloseTo(share * 0.7, 12);
      // Upwards nothing lies far off.
      expect(p!.interval[1] - p!.estimate).toBeLessThan(Math.max(3 * p!.standardError, share * 0.13));
      expect(p!.standardError).toBeLessThan(0.05);
    }
  });

  test('that is said aloud where own labels are fewer than twenty, as differences do not know of it', () => {
    for (const [labels, open] of [
      [19, undefined],
      [20, true],
    ] as const) {
      const result = estimate({ estimator: 'direct-augmented' }, closeTogether(labels, true));
      const [p] = result.policies as EstimatedPolicy[];
      expect(p!.diagnostics.labelGap).toMatchObject({ count: labels, kind: 'correction' });
      expect(p!.diagnostics.gates.find(({ gate }) => gate === 'unseen-labels')!.open).toBe(open);
      expect(p!.estimate - p!.interval[0]).toBeCloseTo((1 - 0.05 ** (1 / labels)) * 0.7, 12);
      const [pair] = compareAll(result);
      expect(pair!.difference - pair!.interval[0]).toBeLessThan(0.05);
    }
  });

  test('the effective number of others is their share of the labels behind the estimate', () => {
    expect(otherLabels(0.9, 1, 50)).toBeCloseTo(5, 12);
    expect(otherLabels(0.1, 0, 50)).toBeCloseTo(5, 12);
    // Usual 0.75: others lie at most 0.75 away.
    expect(otherLabels(0.6, 0.75, 50)).toBeCloseTo(10, 12);
  });

  const support = {
    effective: 46,
    labels: 50,
    share: 0.92,
    blockShares: Float64Array.of(0.75, 0.25),
    blockLabels: Float64Array.of(40, 10),
    blockLevels: Float64Array.of(0.8, 0.9),
    meanScore: 0.5,
    labelledScoreVariance: 0.04,
    residualVariance: 0.01,
    slope: 1,
  };
  const by = { kind: 'calibration', support } as const;
  const rare: RareLabels = { usual: 0, others: 0, effective: 46, by };

  test('a calibration: two labels of either end join the k, variance ψ̃(1 − ψ̃)/(k + 4)', () => {
    const made = rareInterval(0.05, rare, 0.001, 0.05);
    const centre = (46 * 0.05 + 2) / 50;
    expect(made.centre).toBeCloseTo(centre, 12);
    expect(made.labelVariance).toBeCloseTo((centre * (1 - centre)) / 50, 12);
    expect([made.samplingVariance, made.degreesOfFreedom]).toEqual([0.001, Number.POSITIVE_INFINITY]);
    // At 99 % half the squared quantile, 3.317, joins at either end.
    expect(rareInterval(0, rare, 0, 0.01).centre).toBeCloseTo(3.3174483 / (46 + 2 * 3.3174483), 6);
  });

  test('a correction: residuals −f̄ and 1 − f̄ join, twice each', () => {
    const residuals = Float64Array.of(0.2, 0.2, -0.8, 0.2);
    const correction = {
      kind: 'correction',
      residuals,
      weights: null,
      meanPrediction: 0.8,
      predictionVariance: 0.002,
    } as const;
    const made = rareInterval(0.75, { ...rare, effective: 4, by: correction }, 9, 0.05);
    // Sum −0.2 of the four, −1.6 + 0.4 of the four that join.
    const all = [0.2, 0.2, -0.8, 0.2, -0.8, -0.8, 0.2, 0.2];
    const mean = all.reduce((s, v) => s + v, 0) / 8;
    expect(made.centre).toBeCloseTo(0.75 + mean - -0.05, 12);
    expect(made.labelVariance).toBeCloseTo(all.reduce((s, v) => s + (v - mean) ** 2, 0) / 7 / 8, 12);
    expect(made.samplingVariance).toBe(0.002);
    expect(made.degreesOfFreedom).toBe(7);
    // Weights in proportion say the same.
    const weighted = { ...correction, weights: Float64Array.of(3, 3, 3, 3) };
    expect(rareInterval(0.75, { ...rare, effective: 4, by: weighted }, 9, 0.05)).toEqual({
      ...made,
      centre: expect.closeTo(made.centre, 12),
      labelVariance: expect.closeTo(made.labelVariance, 12),
    });
  });

  test('a difference: weights of the labels, or at least what a straight line knows', () => {
    const other = { ...rare, by: { ...by, support: { ...support, blockShares: Float64Array.of(0.25, 0.75) } } };
    const p = (46 * 0.1 + 2) / 50;
    const variance = rareDifferenceVariance({ estimate: 0.05, rare }, { estimate: 0.1, rare: other }, 0.05);
    expect(variance).toBeCloseTo(p * (1 - p) * (0.25 / 40 + 0.25 / 10), 12);
    // One block for all: the weights are equal, and the scores' distance of 0.1 decides.
    const shifted = { ...rare, by: { ...by, support: { ...support, meanScore: 0.6 } } };
    expect(rareDifferenceVariance({ estimate: 0.1, rare }, { estimate: 0.1, rare: shifted }, 0.05)).toBeCloseTo(
      (p * (1 - p) * 0.01) / (50 * 0.04),
      12,
    );
  });
});

describe('labels that are all 0', () => {
  const scores = Array.from({ length: 60 }, (_, i) => (i % 20) / 20);
  const labels = scores.map((_, i) => (i % 6 < 5 ? 0 : Number.NaN));
  const data = evaluation(log({ scores, labels }), {
    p: draws({ scores }),
    q: draws({ scores: scores.map((s) => Math.min(s + 0.1, 0.95)) }),
  });

  test('are named, with an interval that a handful of others would not leave', () => {
    const result = estimate({ estimator: 'direct' }, data);
    for (const p of result.policies) {
      if (p.status === 'refused') throw new Error(p.message);
      expect(p.estimate).toBe(0);
      expect(p.interval[0]).toBe(0);
      expect(p.interval[1]).toBeGreaterThanOrEqual(0.05);
      expect(p.diagnostics.gates.find(({ gate }) => gate === 'rare-labels')).toMatchObject({
        value: 0,
        note: expect.stringContaining('of 50 effective labels fewer than 10 differ from the most frequent one'),
      });
    }
    const [pair] = compareAll(result, { draws: 100, seed: 1 });
    expect(pair!.standardError).toBeGreaterThan(0.005);
  });

  test('or all but a few are: those that the estimate rests on count, and of several draws of a prompt one', () => {
    const few = labels.map((y, i) => (i === 5 || Number.isNaN(y) ? y : i % 25 === 3 ? 1 : 0));
    const own = evaluation(log({ scores, labels: few }), { p: draws({ scores }) });
    const rareOf = (estimator: 'direct' | 'direct-augmented', of = own) =>
      estimate({ estimator, rewardCalibration: 'monotone' }, of).policies[0]!.diagnostics.rareLabels;
    const { others, effective } = rareOf('direct')!;
    expect(others).toBeGreaterThan(1);
    expect(others).toBeLessThan(10);
    expect(effective).toBeGreaterThan(10);
    // 12 of 60 labels are unlike the others, two draws a prompt: 30 effective labels, of which 6.
    const ids = scores.map((_, i) => `q${i % 30}`);
    const twice = draws({ scores, ids, labels: scores.map((_, i) => (i % 5 === 0 ? 1 : 0)) });
    const repeated = evaluation(log({ scores: scores.slice(0, 30), labels: few.slice(0, 30) }), { p: twice });
    expect(rareOf('direct-augmented', repeated)).toMatchObject({ others: 6, effective: 30, usual: 0 });
  });

  test('keep that interval under the bootstrap, whose replicates know no other label', () => {
    const settings = { estimator: 'direct', rewardCalibration: 'monotone' } as const;
    const [analytic] = estimate(settings, data).policies;
    const [booted] = estimate({ ...settings, inference: 'bootstrap', replicates: 100 }, data).policies;
    expect(booted).toMatchObject({ status: 'ok', replicates: new Float64Array(100) });
    expect(analytic).toMatchObject({ status: 'ok', interval: [0, expect.any(Number)] });
    for (const field of ['interval', 'standardError'] as const) {
      expect((booted as EstimatedPolicy)[field]).toEqual((analytic as EstimatedPolicy)[field]);
    }
  });

  test('in parity stay as the library has them', () => {
    const [p] = estimate({ estimator: 'direct', mode: 'parity' }, data).policies;
    expect(p).toMatchObject({ standardError: 0 });
  });
});

describe('scores of one value, under naive', () => {
  const passed = Array.from({ length: 40 }, () => 1);
  const data = (of: Record<string, FreshDraws>) => evaluation(log({ scores: [0.2, 0.8] }), of);

  test('leave an interval of a check’s 40 passes, as labels would, and warn', () => {
    const result = estimate({ estimator: 'naive' }, data({ p: draws({ scores: passed }) }));
    // (40 + 2)/44 ± t₄₃ SE, of 42 ones and two zeros; 1 is its upper end.
    const centre = 42 / 44;
    const standardError = Math.sqrt((centre * (1 - centre)) / 43);
    expect(result.policies[0]).toMatchObject({
      status: 'ok',
      estimate: 1,
      interval: [expect.closeTo(centre - 2.016692 * standardError, 6), 1],
      components: { samplingVariance: expect.closeTo(standardError ** 2, 12), oracleVariance: 0 },
      diagnostics: { gates: expect.arrayContaining([expect.objectContaining({ gate: 'rare-labels', on: 'scores' })]) },
    });
  });

  test('widen a difference, and several draws of a prompt count as one', () => {
    const ids = passed.map((_, i) => `q${i % 20}`);
    const result = estimate(
      { estimator: 'naive' },
      data({ p: draws({ scores: passed, ids }), q: draws({ scores: passed.map(() => 0.5) }) }),
    );
    const [p, q] = result.policies as EstimatedPolicy[];
    expect(p!.diagnostics.rareLabels).toMatchObject({ usual: 1, others: 0, effective: 20 });
    const [pair] = compareAll(result, { draws: 100, seed: 1 });
    expect(pair!.standardError).toBeCloseTo(Math.hypot(p!.standardError, q!.standardError), 12);
  });

  test('are no matter where ten differ', () => {
    const scores = passed.map((_, i) => (i % 4 === 0 ? 0 : 1));
    const [p] = estimate({ estimator: 'naive' }, data({ p: draws({ scores }) })).policies;
    expect(p!.diagnostics.rareLabels).toBeNull();
  });
});
