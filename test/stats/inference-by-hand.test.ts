import { describe, expect, test } from 'vitest';
import type { BoundaryCard } from '../../src/stats/diagnostics/boundary.ts';
import { resolveConfig } from '../../src/stats/estimators/registry.ts';
import {
  correctedSkewness,
  extrapolationOf,
  inferenceOf,
  intervalOf,
  jointVariance,
  statisticOf,
  withRareLabels,
  withUnseenLabels,
} from '../../src/stats/inference/inference.ts';
import { type Computation, NO_EXTRAS } from '../../src/stats/study/computation.ts';
import type { EstimatorConfig } from '../../src/stats/study/config.ts';
import { groupTotals, sharedCovariance } from '../../src/stats/study/oracle-uncertainty.ts';

/** Student quantiles at 97.5 % of any table. */
const T = { 1: 12.706204736, 2: 4.30265273, 4: 2.776445105, infinite: 1.959963985 };

const computation = (variance: number, degreesOfFreedom: number, more: Partial<Computation> = {}): Computation => ({
  ...NO_EXTRAS,
  estimate: 0.5,
  influence: new Float64Array(5),
  promptIds: [],
  sampling: { variance, degreesOfFreedom, clusters: degreesOfFreedom + 1 },
  ...more,
});
const recommended = resolveConfig({ estimator: 'snips' });
const parity = resolveConfig({ estimator: 'dr-cpo', mode: 'parity' });
const widthOf = (partialIdentificationWidth: number): BoundaryCard => ({
  status: 'ok',
  outOfRange: 0,
  saturation: 0,
  partialIdentificationWidth,
  openBelow: partialIdentificationWidth / 4,
  openAbove: (3 * partialIdentificationWidth) / 4,
  labelledScoreRange: [0, 1],
});
const infer = (computed: Computation, config: EstimatorConfig = recommended, boundary: BoundaryCard | null = null) =>
  inferenceOf(computed, config, boundary);

describe('standard error and interval', () => {
  test('sampling alone: ψ ± t·SE on the sampling degrees of freedom', () => {
    const { standardError, interval, degreesOfFreedom } = infer(computation(0.0004, 4));
    expect(standardError).toBeCloseTo(0.02, 14);
    expect(degreesOfFreedom).toBe(4);
    expect(interval[0]).toBeCloseTo(0.5 - 0.02 * T[4], 9);
    expect(interval[1]).toBeCloseTo(0.5 + 0.02 * T[4], 9);
  });

  test('alpha decides the quantile: 90 % on one degree of freedom is tan(0.45 π)', () => {
    const { interval } = infer(computation(0.01, 1), { ...recommended, alpha: 0.1 });
    expect(interval[1] - 0.5).toBeCloseTo(0.1 * Math.tan(0.45 * Math.PI), 9);
    expect(0.5 - interval[0]).toBeCloseTo(0.1 * Math.tan(0.45 * Math.PI), 9);
  });

  // ψ^(−k) = 0.48, 0.50, 0.52: ⅔ · 2 · 0.0004 = 4/7500. Sampling 0.0004 = 3/7500. SE² = 7/7500.
  const withOracle = computation(0.0004, 4, { leaveOneOut: Float64Array.of(0.48, 0.5, 0.52) });

  test('the oracle term adds its variance, and its degrees of freedom by Welch–Satterthwaite', () => {
    const { standardError, degreesOfFreedom, components } = infer(withOracle);
    expect(standardError).toBeCloseTo(Math.sqrt(7 / 7500), 14);
    // 7² / (3²/4 + 4²/2).
    expect(degreesOfFreedom).toBeCloseTo(49 / 10.25, 10);
    expect(components.samplingVariance).toBeCloseTo(0.0004, 15);
    expect(components.oracleVariance).toBeCloseTo(4 / 7500, 15);
  });

  test('parity takes the smaller degrees of freedom, at least one', () => {
    const both = infer(withOracle, parity);
    expect(both.degreesOfFreedom).toBe(2);
    expect(both.interval[1] - 0.5).toBeCloseTo(T[2] * Math.sqrt(7 / 7500), 9);
    expect(
      infer({ ...withOracle, sampling: { variance: 1, degreesOfFreedom: 1, clusters: 2 } }, parity).degreesOfFreedom,
    ).toBe(1);
    const oneFold = computation(0.01, 4, { leaveOneOut: Float64Array.of(0.5) });
    expect(infer(oneFold, parity).interval[1] - 0.5).toBeCloseTo(0.1 * T[1], 8);
  });

  test('what lies beyond the labels adds width²/12 without taking degrees of freedom', () => {
    // 0.6² / 12 = 0.03 and 0.01: SE² = 0.04.
    const alone = infer(computation(0.01, 4), recommended, widthOf(0.6));
    expect(alone.standardError).toBeCloseTo(0.2, 14);
    expect(alone.components.extrapolationVariance).toBeCloseTo(0.03, 15);
    expect(alone.degreesOfFreedom).toBe(4);
    // 3 + 4 + 3 in 7500ths: √(12 · 3/7500) is the width.
    const three = infer(withOracle, recommended, widthOf(Math.sqrt(36 / 7500)));
    expect(three.standardError).toBeCloseTo(Math.sqrt(10 / 7500), 14);
    expect(three.degreesOfFreedom).toBeCloseTo(100 / 10.25, 9);
    expect(infer(withOracle, parity, widthOf(0.6)).components.extrapolationVariance).toBe(0);
  });

  test('a normal interval has infinite degrees of freedom, with an oracle term or without', () => {
    for (const computed of [
      computation(0.0004, 4, { normalInterval: true }),
      { ...withOracle, normalInterval: true },
    ]) {
      const { standardError, interval, degreesOfFreedom } = infer(computed);
      expect(degreesOfFreedom).toBe(Number.POSITIVE_INFINITY);
      expect((interval[1] - 0.5) / standardError).toBeCloseTo(T.infinite, 8);
    }
  });

  test('the judge’s variance is told only where it is asked for, and never widens', () => {
    const computed = computation(0.0004, 4, { judgeVariance: 0.09 });
    expect(infer(computed).components.judgeVariance).toBe(0);
    const aware = infer(computed, { ...recommended, judgeUncertainty: true });
    expect(aware.components.judgeVariance).toBe(0.09);
    expect(aware.standardError).toBeCloseTo(0.02, 14);
  });
});

describe('correction for skewness', () => {
  // Nine of −1 and one of 9: Σφ³ = 729 − 9 = 720, over 10³ and SE³ = 1 is 0.72.
  const influence = Float64Array.of(-1, -1, -1, -1, -1, -1, -1, -1, -1, 9);
  const promptIds = Array.from(influence, (_, i) => `q${i}`);
  const skewed = computation(1, 9, { influence, promptIds, skewed: true, normalInterval: true });

  test('stretches the side of the long tail and shortens the other', () => {
    const { interval } = infer(skewed);
    // (3/0.72)(∛(1 + 0.72 · (1.95996 − 0.12)) − 1) = 4.16667 · (∛2.32477 − 1) = 4.16667 · 0.32472.
    expect(0.5 - interval[0]).toBeCloseTo(1.353, 3);
    // (3/0.72)(∛(1 − 0.72 · (1.95996 + 0.12)) − 1) = −4.16667 · (∛0.49757 + 1) = −4.16667 · 1.79241.
    expect(interval[1] - 0.5).toBeCloseTo(7.4684, 3);
  });

  test('is mirrored where the tail is', () => {
    const { interval } = infer({ ...skewed, influence: influence.map((v) => -v) });
    expect(interval[1] - 0.5).toBeCloseTo(1.353, 3);
    expect(0.5 - interval[0]).toBeCloseTo(7.4684, 3);
  });

  test('divides by the whole standard error: the oracle term is taken as symmetric', () => {
    // 0.75 of sampling and ½ · (0.5² + 0.5²) = 0.25 of the oracle make the same SE = 1.
    const { interval } = infer({
      ...skewed,
      sampling: { variance: 0.75, degreesOfFreedom: 9, clusters: 10 },
      leaveOneOut: Float64Array.of(0, 1),
    });
    expect(0.5 - interval[0]).toBeCloseTo(1.353, 3);
    // Twice the standard error divides the skewness by 8, to 0.09: 33.3333 · (∛(1 + 0.09 · 1.94496) − 1) = 33.3333 · 0.05524.
    const wide = infer({ ...skewed, sampling: { variance: 4, degreesOfFreedom: 9, clusters: 10 } });
    expect((0.5 - wide.interval[0]) / 2).toBeCloseTo(1.8414, 3);
  });

  const byLabels = { ...skewed, skewed: false };
  // (3/0.3)(1 − ∛(1 − 0.3 · (1.95996 + 0.05))) = 10 · (1 − ∛0.39701).
  const STRETCHED = 2.6504;

  test('by labels makes the side of the long tail longer, as far as few of them can know it', () => {
    const { interval, skewness } = infer(byLabels);
    expect(skewness).toBe(0.3);
    expect(0.5 - interval[0]).toBeCloseTo(T.infinite, 8);
    expect(interval[1] - 0.5).toBeCloseTo(STRETCHED, 3);
    expect(infer({ ...byLabels, influence: influence.map((v) => -v) }).interval[0]).toBeCloseTo(0.5 - STRETCHED, 3);
  });

  test('reads what groups of labels do to the calibration, alone and with what their prompts contribute', () => {
    // ψ^(−k) of five groups: ⅘ · (four of 0.05² and 0.2²) = 0.04, contributions −⅘ of each: 0.512 · (0.2³ − 4 · 0.05³) =
    // 0.00384 by 25/12 over 0.008.
    const leaveOneOut = Float64Array.of(0.55, 0.55, 0.55, 0.55, 0.3);
    const flat = { ...byLabels, influence: new Float64Array(10), sampling: { ...byLabels.sampling, variance: 0 } };
    expect(infer({ ...flat, leaveOneOut }).skewness).toBe(0.3);
    expect(infer({ ...flat, leaveOneOut: leaveOneOut.map((psi) => 1 - psi) }).skewness).toBe(-0.3);
    const parts = { leaveOneOut, standardError: 0.4 };
    const by = { byWeights: true, quantile: 2 };
    const cubes = (0.16 ** 3 - 4 * 0.04 ** 3) * (25 / 12);
    expect(correctedSkewness(new Float64Array(10), { ...parts, totals: null }, by)).toBeCloseTo(cubes / 0.064, 12);
    // The group that lacks most contributes 0.1 by its prompts too: (0.1 + 0.16)³ − 0.1³, and the others (−0.025 − 0.04)³ + 0.025³.
    const totals = Float64Array.of(-0.025, -0.025, -0.025, -0.025, 0.1);
    const joint = (0.26 ** 3 - 0.1 ** 3 + 4 * (0.025 ** 3 - 0.065 ** 3)) * (25 / 12);
    expect(correctedSkewness(new Float64Array(10), { ...parts, totals }, by)).toBeCloseTo(joint / 0.064, 12);
  });

  test('by labels lengthens no side without bound where few degrees of freedom make the quantile large', () => {
    const errors = { leaveOneOut: null, totals: null, standardError: 0.1 };
    const of = (quantile: number) => correctedSkewness(Float64Array.of(0.2), errors, { byWeights: false, quantile });
    // (0.2/0.1)³ = 8 of it, kept to 0.3 and to 0.8 over the quantile.
    expect([of(2), of(8 / 3), of(4), of(16)]).toEqual([0.3, expect.closeTo(0.3, 14), 0.2, 0.05]);
    // Where the cube of the standard error is no number any more, nothing is corrected.
    expect(
      correctedSkewness(new Float64Array(1), { ...errors, standardError: 1e-120 }, { byWeights: true, quantile: 2 }),
    ).toBe(0);
  });

  test('is left out where nobody would notice it, in parity, and without skewness', () => {
    const symmetric = [
      infer({ ...byLabels, influence: influence.map((v) => 0.6 * v) }),
      infer(skewed, parity),
      infer({ ...skewed, influence: Float64Array.of(-1, 1) }),
    ];
    for (const { interval } of symmetric) {
      expect(interval[1] - 0.5).toBeCloseTo(T.infinite, 8);
      expect(0.5 - interval[0]).toBeCloseTo(T.infinite, 8);
    }
    expect(infer(computation(0, 9, { influence, skewed: true })).interval).toEqual([0.5, 0.5]);
  });
});

describe('the skewness that is corrected for', () => {
  const of = (cube: number, quantile = 2, byWeights = false) =>
    correctedSkewness(
      Float64Array.of(Math.cbrt(cube)),
      { leaveOneOut: null, totals: null, standardError: 1 },
      { byWeights, quantile },
    );

  test('of labels is noticed from 0.2 on, and known up to 0.3, or to 0.8 over the quantile', () => {
    expect([of(0.1999), of(-0.1999)]).toEqual([0, 0]);
    expect([of(0.2001), of(-0.2001)]).toEqual([expect.closeTo(0.2001, 9), expect.closeTo(-0.2001, 9)]);
    expect([of(0.5), of(-0.5)]).toEqual([0.3, -0.3]);
    expect([of(0.5, 4), of(-0.5, 4)]).toEqual([0.2, -0.2]);
  });

  test('of weights is all of it', () => {
    expect([of(0.1, 2, true), of(-0.9, 2, true)]).toEqual([expect.closeTo(0.1, 9), expect.closeTo(-0.9, 9)]);
  });
});

describe('the statistic of a skewed estimate', () => {
  test('by hand: g(x) = a/6 + ((1 + a x/3)³ − 1)/a', () => {
    const of = (x: number, skewness: number) => statisticOf(x, { skewness, byWeights: true });
    // 0.3/6 + (1.2³ − 1)/0.3 and 0.3/6 + (0.8³ − 1)/0.3.
    expect(of(2, 0.3)).toBeCloseTo(0.05 + 0.728 / 0.3, 12);
    expect(of(-2, 0.3)).toBeCloseTo(0.05 - 0.488 / 0.3, 12);
    expect(of(2, -0.3)).toBeCloseTo(-(0.05 - 0.488 / 0.3), 12);
    expect(of(2, 0)).toBe(2);
  });

  test('of labels never makes a difference clearer than it is without the correction', () => {
    const of = (x: number) => statisticOf(x, { skewness: 0.3, byWeights: false });
    expect(of(2)).toBe(2);
    expect(of(-2)).toBeCloseTo(0.05 - 0.488 / 0.3, 12);
  });

  test('lies at the quantile just where the interval ends at 0', () => {
    for (const byWeights of [true, false]) {
      for (const skewness of [-0.29, 0.3]) {
        const [low, high] = intervalOf(0, 1, { quantile: 1.96, skewness, byWeights });
        // An estimate as far above 0 as the lower end lies below it, and one as far below as the upper end lies above.
        expect(statisticOf(-low, { skewness, byWeights })).toBeCloseTo(1.96, 9);
        expect(statisticOf(-high, { skewness, byWeights })).toBeCloseTo(-1.96, 9);
      }
    }
  });
});

describe('prompts that are evaluated and have labels', () => {
  // Prompts a and b are groups 0 and 1, c has no label. Totals (0.4 + 0.2)/4 and −0.2/4, centred: ±0.1.
  const groups = new Map([
    ['a', 0],
    ['b', 1],
  ]);
  const influence = [0.4, 0.2, -0.2, -0.4];
  const ids = ['a', 'a', 'b', 'c'];

  test('totals of groups, and their covariance with the jackknife', () => {
    const totals = groupTotals(influence, ids, groups, 2)!;
    expect([...totals]).toEqual([0.1, -0.1].map((v) => expect.closeTo(v, 14)));
    // Without a's labels the estimate falls by 0.03, without b's it rises: −(0.1 · −0.03 + −0.1 · 0.03).
    expect(sharedCovariance(totals, Float64Array.of(0.47, 0.53))).toBeCloseTo(0.006, 14);
    expect(groupTotals(influence, ['x', 'x', 'y', 'z'], groups, 2)).toBeNull();
  });

  test('sampling + oracle + twice the covariance, and degrees of freedom from the groups', () => {
    const totals = Float64Array.of(0.1, -0.1);
    const leaveOneOut = Float64Array.of(0.47, 0.53);
    const sampling = { variance: 0.05, degreesOfFreedom: 10 };
    const joint = jointVariance(sampling, leaveOneOut, totals);
    // Oracle ½ · 2 · 0.0009; the groups' part of sampling 2 · 0.02.
    const [oracle, ofLabelled] = [0.0009, 0.04];
    expect(joint.variance).toBeCloseTo(0.05 + oracle + 0.012, 14);
    const together = ofLabelled + oracle + 0.012;
    expect(joint.degreesOfFreedom).toBeCloseTo(
      joint.variance ** 2 / (0.05 ** 2 / 10 + (together ** 2 - ofLabelled ** 2) / 1),
      12,
    );
    expect(
      inferenceOf(
        { ...computation(0.05, 10, { leaveOneOut }), influence: Float64Array.from(influence), promptIds: ids },
        recommended,
        null,
        groups,
      ),
    ).toMatchObject({
      standardError: expect.closeTo(Math.sqrt(joint.variance), 14),
      components: { sharedVariance: expect.closeTo(0.012, 14) },
    });
  });

  test('nothing shared is Welch and Satterthwaite; opposite errors cancel, and like ones add up', () => {
    const sampling = { variance: 0.04, degreesOfFreedom: 3 };
    expect(jointVariance(sampling, Float64Array.of(0.47, 0.53), null)).toEqual(
      expect.objectContaining({ variance: expect.closeTo(0.0409, 14) }),
    );
    // Perfectly opposite: (√0.04 − √0.04)² = 0; perfectly alike: (√0.04 + √0.04)² = 0.16.
    const moved = Float64Array.of(0.7, 0.3);
    expect(jointVariance(sampling, moved, Float64Array.of(0.1, -0.1)).variance).toBeCloseTo(0, 14);
    expect(jointVariance(sampling, moved, Float64Array.of(-0.1, 0.1)).variance).toBeCloseTo(0.16, 14);
  });
});

describe('labels nearly all of one value', () => {
  const support = {
    effective: 46,
    labels: 50,
    share: 0.92,
    blockShares: Float64Array.of(1),
    blockLabels: Float64Array.of(50),
    blockLevels: Float64Array.of(0.5),
    meanScore: 0.5,
    labelledScoreVariance: 0.04,
    residualVariance: 0.01,
    slope: 1,
  };
  const calibration = { kind: 'calibration', support } as const;
  // Its own error is 0.0001 of sampling and ½ · 2 · 0.02² of the calibration.
  const given = infer(computation(0.0001, 4, { leaveOneOut: Float64Array.of(0.48, 0.52) }));

  test('the interval is about ψ̃ = (kψ + 2)/(k + 4), and ends where the scale does', () => {
    const rare = { usual: 1, others: 0, effective: 46, by: calibration };
    const { interval, standardError, degreesOfFreedom } = withRareLabels(given, 1, rare, { alpha: 0.05 });
    const centre = 48 / 50;
    expect(degreesOfFreedom).toBe(Number.POSITIVE_INFINITY);
    expect(standardError).toBeCloseTo(Math.sqrt(0.0001 + (centre * (1 - centre)) / 50), 14);
    expect(interval).toEqual([expect.closeTo(centre - T.infinite * standardError, 8), 1]);
    const low = withRareLabels(given, 0, { ...rare, usual: 0 }, { alpha: 0.05 });
    expect(low.interval).toEqual([0, expect.closeTo(1 - centre + T.infinite * standardError, 8)]);
  });

  test('never has less error than the jackknife says', () => {
    const rare = { usual: 1, others: 0, effective: 46, by: calibration };
    const unsure = { ...given, standardError: 0.3 };
    expect(withRareLabels(unsure, 1, rare, { alpha: 0.05 })).toMatchObject({
      standardError: 0.3,
      interval: [expect.closeTo(48 / 50 - T.infinite * 0.3, 8), 1],
    });
  });

  test('its parts add up, what lies beyond the labels apart from what these cause', () => {
    const rare = { usual: 1, others: 0, effective: 46, by: calibration };
    const open = { ...given, components: { ...given.components, extrapolationVariance: 0.0003 } };
    const { standardError, components } = withRareLabels(open, 1, rare, { alpha: 0.05 });
    const ofLabels = ((48 / 50) * (2 / 50)) / 50;
    expect(standardError ** 2).toBeCloseTo(0.0001 + ofLabels + 0.0003, 14);
    expect(components).toMatchObject({
      samplingVariance: expect.closeTo(0.0001, 14),
      oracleVariance: expect.closeTo(ofLabels, 14),
      extrapolationVariance: 0.0003,
      sharedVariance: 0,
    });
    // Scores as they are have no labels: all of it is sampling's.
    const scores = { kind: 'scores', scores: Float64Array.of(1, 1, 1, 0) } as const;
    const plain = { ...given, components: { ...given.components, oracleVariance: 0, extrapolationVariance: 0 } };
    const naive = withRareLabels(plain, 0.75, { usual: 1, others: 1, effective: 4, by: scores }, { alpha: 0.05 });
    expect(naive.components.samplingVariance).toBeCloseTo(naive.standardError ** 2, 14);
    expect(naive.components.oracleVariance).toBeCloseTo(0, 14);
  });

  test('a correction has the calibration’s error beside its own, a calibration’s labels are that error', () => {
    const residuals = Float64Array.of(0.2, 0.2, -0.8, 0.2);
    const correction = { kind: 'correction', residuals, weights: null, meanPrediction: 0.8 } as const;
    const rare = { usual: 0, others: 1, effective: 4, by: { ...correction, predictionVariance: 0.002 } };
    const { standardError, components } = withRareLabels(given, 0.75, rare, { alpha: 0.05 });
    // Five of 0.2 and three of −0.8 with those that join: mean −0.175, Σ 5 · 0.375² + 3 · 0.625² = 1.875 over 7 · 8.
    expect(components.samplingVariance).toBe(0.002);
    expect(standardError ** 2).toBeCloseTo(0.002 + 1.875 / 56 + 2 * 0.5 * 0.02 ** 2, 14);
  });
});

test('a difference leaves open what the two policies do not have in common at either end', () => {
  expect(extrapolationOf([0.3, 0.3])).toBeCloseTo(0.03, 14);
  expect(extrapolationOf([0.3, 0.3], [0.3, 0.3])).toBe(0);
  expect(extrapolationOf([0.4, 0.1], [0.1, 0.4])).toBeCloseTo(0.03, 14);
});

describe('the interval of a level', () => {
  // None of 20 labels is seen of answers whose share is 1 − 0.05^(1/20) = 0.13911: down by 0.2 · 0.13911, up by 0.3 · 0.13911.
  const gap = { below: 0.2, above: 0.3, count: 20, kind: 'correction' } as const;
  const reached = (interval: readonly [number, number], of: typeof gap | null = gap) =>
    withUnseenLabels(interval, 0.5, of, 0.05);

  test('reaches as far as answers that no label shows could move it, where that is further', () => {
    expect(reached([0.49, 0.51])).toEqual([expect.closeTo(0.472178, 6), expect.closeTo(0.541733, 6)]);
    expect(reached([0.4, 0.6])).toEqual([0.4, 0.6]);
  });

  test('ends with the scale, on which every mean of labels lies; of what no labels are behind it is left', () => {
    expect(reached([-0.02, 0.9])).toEqual([0, 0.9]);
    expect(reached([0.1, 1.03])).toEqual([0.1, 1]);
    expect(reached([-0.02, 1.03], null)).toEqual([-0.02, 1.03]);
  });
});
