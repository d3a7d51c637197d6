import { describe, expect, test } from 'vitest';
import { originalCalibratedWeights, originalWeights } from '../../src/stats/compat/original/original-weights.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import { labelSupport } from '../../src/stats/diagnostics/label-support.ts';
import { bhattacharyyaAffinity } from '../../src/stats/diagnostics/score-overlap.ts';
import { targetTypicality } from '../../src/stats/diagnostics/target-typicality.ts';
import { minimumVarianceMixture } from '../../src/stats/numeric/simplex.ts';
import { effectiveSampleSize, hillTailIndex, weightDiagnostics } from '../../src/stats/weights/diagnostics.ts';
import {
  clipWeights,
  rawWeights,
  selfNormalisedWeights,
  toMeanOne,
} from '../../src/stats/weights/importance-weights.ts';
import {
  crossFitStabilisation,
  fitStabilisation,
  stabilisedWeights,
} from '../../src/stats/weights/weight-stabilisation.ts';

const numbers = (values: ArrayLike<number>, digits = 12) => Array.from(values, (v) => expect.closeTo(v, digits));

describe('weights', () => {
  test('exp of the log ratio; self-normalised to mean one; clipped and brought back to mean one', () => {
    const ratios = [0, Math.log(2), Math.log(3)];
    expect([...rawWeights(ratios)]).toEqual(numbers([1, 2, 3]));
    expect([...selfNormalisedWeights(ratios)]).toEqual(numbers([0.5, 1, 1.5]));
    expect([...clipWeights(Float64Array.of(0.5, 1, 1.5), 1)]).toEqual(numbers([0.6, 1.2, 1.2]));
    expect([...toMeanOne(Float64Array.of(0, 0))]).toEqual([0, 0]);
    expect(rawWeights([710])[0]).toBe(rawWeights([709.782712893384])[0]);
  });

  test('effective rows (Σw)²/Σw²', () => {
    expect(effectiveSampleSize([1, 1, 1, 1])).toBe(4);
    expect(effectiveSampleSize([3, 1])).toBeCloseTo(1.6, 14);
    expect(effectiveSampleSize([0, 0])).toBe(0);
  });

  test('every diagnostic of 20 weights by hand', () => {
    // Eighteen of 0.5, one of 3 and one of 8: sum 20, squares 4.5 + 9 + 64 = 77.5, mean 1.
    const d = weightDiagnostics(Float64Array.from([...new Array<number>(18).fill(0.5), 3, 8]));
    expect(d.ess).toBeCloseTo(400 / 77.5, 12);
    expect(d.essFraction).toBeCloseTo(20 / 77.5, 12);
    expect(d.mean).toBeCloseTo(1, 12);
    expect(d.maximum).toBe(8);
    expect(d.maximumShare).toBeCloseTo(0.4, 12);
    // 5 % of 20 rows is one.
    expect(d.topFivePercentShare).toBeCloseTo(0.4, 12);
    // Σ(w − 1)² = 77.5 − 20 = 57.5.
    expect(d.coefficientOfVariation).toBeCloseTo(Math.sqrt(57.5 / 20), 12);
    expect(d.meanStandardError).toBeCloseTo(Math.sqrt(57.5 / 19 / 20), 12);
    expect(d.hellingerAffinity).toBeCloseTo((18 * Math.sqrt(0.5) + Math.sqrt(3) + Math.sqrt(8)) / 20, 12);
    expect(d.nearZeroShare).toBe(0);
    expect(d.tailIndex).toEqual({ kind: 'unavailable', reason: 'too-few-rows' });
  });

  test('the top 5 % of 40 rows are two; near zero is below 1e-10; scale matters only to mean and maximum', () => {
    const weights = Float64Array.from([...new Array<number>(36).fill(1), 1e-11, 1e-9, 6, 4]);
    const d = weightDiagnostics(weights);
    expect(d.topFivePercentShare).toBeCloseTo(10 / 46, 9);
    expect(d.nearZeroShare).toBe(1 / 40);
    const scaled = weightDiagnostics(weights.map((w) => 10 * w));
    expect(scaled.mean).toBeCloseTo(10 * d.mean, 9);
    expect(scaled.meanStandardError).toBeCloseTo(10 * d.meanStandardError, 9);
    expect([scaled.maximum, scaled.ess, scaled.coefficientOfVariation]).toEqual(
      numbers([60, d.ess, d.coefficientOfVariation], 9),
    );
    expect(weightDiagnostics(Float64Array.of(1e-10, 9e-11, 1, 1)).nearZeroShare).toBe(1 / 4);
    expect(weightDiagnostics(new Float64Array(3))).toMatchObject({
      ess: 0,
      maximumShare: 0,
      topFivePercentShare: 0,
      coefficientOfVariation: 0,
    });
    expect(weightDiagnostics(new Float64Array())).toMatchObject({
      essFraction: 0,
      nearZeroShare: 0,
      hellingerAffinity: 0,
    });
  });

  test('Hill’s index by hand: k over the sum of logs above the threshold', () => {
    const of = (n: number, top: readonly number[], rest = 1) =>
      hillTailIndex([...new Array<number>(n - top.length).fill(rest), ...top]);
    // 50 rows: k = min(max(10, 2), 5) = 5; threshold 1; logs of 2, 2, 4, 4, 4 are 8 ln 2.
    expect(of(50, [2, 2, 4, 4, 4])).toEqual({
      kind: 'estimated',
      value: expect.closeTo(5 / (8 * Math.log(2)), 12),
      topRows: 5,
    });
    expect(of(49, [2, 2, 4, 4, 4])).toEqual({ kind: 'unavailable', reason: 'too-few-rows' });
    // 300 rows: k = min(max(10, 15), 30) = 15.
    expect(of(300, new Array<number>(15).fill(Math.E))).toEqual({
      kind: 'estimated',
      value: expect.closeTo(1, 12),
      topRows: 15,
    });
    // 150 rows: k = min(max(10, 7), 15) = 10.
    expect(of(150, new Array<number>(10).fill(Math.E))).toMatchObject({ topRows: 10 });
    // The threshold counts: e over 2 at every one of five.
    expect(of(50, new Array<number>(5).fill(2 * Math.E), 2)).toMatchObject({ value: expect.closeTo(1, 12) });
    expect(of(50, [1, 1, 1, 1, 1])).toEqual({ kind: 'uniform' });
    expect(of(50, [2, 2, 4, 4, 4], 0)).toEqual({ kind: 'unavailable', reason: 'zero-in-tail' });
  });
});

describe('overlap', () => {
  test('Bhattacharyya affinity on twenty bins over the joint range', () => {
    // Shares ½, ½ against ¼, ¾ in the first and the last bin.
    expect(bhattacharyyaAffinity([0, 1], [0, 1, 1, 1])).toBeCloseTo(Math.sqrt(1 / 8) + Math.sqrt(3 / 8), 12);
    expect(bhattacharyyaAffinity([0, 1], [0, 1], [1, 3])).toBeCloseTo(Math.sqrt(1 / 8) + Math.sqrt(3 / 8), 12);
    // Bins are 0.05 wide and hold their lower edge: 0.05 is in the second with 0.09, not with 0.04.
    expect(bhattacharyyaAffinity([0.05, 1], [0.09, 0])).toBeCloseTo(0.5, 12);
    expect(bhattacharyyaAffinity([0.05, 1], [0.04, 0])).toBe(0);
    // From 10 to 30 they are 1 wide: 28.5 is in the last but one.
    expect(bhattacharyyaAffinity([10, 28.5], [30, 29.5])).toBe(0);
    expect(bhattacharyyaAffinity([10, 28.5], [30, 28])).toBeCloseTo(0.5, 12);
  });

  test('target typicality by hand', () => {
    // Surprisals per word 1, 2, 3, 4; weights 4, 3, 2.5, 0.5 of 10: mass 0.4, 0.7, 0.95 reaches 0.9 at the third.
    const t = targetTypicality([-10, -20, -30, -40], [10, 10, 10, 10], Float64Array.of(4, 3, 2.5, 0.5));
    expect(t.coverage).toBe(0.75);
    expect(t.targetMass).toBeCloseTo(0.95, 12);
    expect(t.coveragePenalty).toBeCloseTo(0.95 / Math.sqrt(0.75), 12);
    // Inside 4, 3, 2.5 about 9.5/3: Σ(w/c − 1)²/3 = Σw²·9/9.5²/3 − 1 = 31.25 · 3/90.25 − 1.
    expect(t.chiSquare).toBeCloseTo(93.75 / 90.25 - 1, 12);
    expect(t.factor).toBeCloseTo((0.95 / Math.sqrt(0.75)) * Math.sqrt(93.75 / 90.25), 12);
    // 0.9 itself is reached; ties at the threshold are inside.
    expect(targetTypicality([-1, -2, -3], [1, 1, 1], Float64Array.of(5, 4, 1)).coverage).toBeCloseTo(2 / 3, 12);
    expect(targetTypicality([-1, -2, -2, -3], [1, 1, 1, 1], Float64Array.of(5, 4, 0.5, 0.5)).coverage).toBe(0.75);
    // By length: −30 over 30 words is the least surprising; a length below 1 counts as 1.
    expect(targetTypicality([-30, -2, -3], [30, 1, 0], Float64Array.of(9, 0.5, 0.5)).coverage).toBeCloseTo(1 / 3, 12);
  });

  test('label support: Kish’s number is not above the number of labels, shares are of all labels', () => {
    const fit = {
      kind: 'monotone',
      isotonic: { x: Float64Array.of(0, 1), y: Float64Array.of(0.2, 0.8), increasing: true },
    } as const;
    const labelled = inputsOf(Float64Array.of(0, 0, 0, 1), []);
    const support = (scores: readonly number[], weights?: readonly number[]) =>
      labelSupport(fit, labelled, inputsOf(Float64Array.from(scores), []), weights);
    // All on one label; half on three and half on one: 4/(4/4 · (1/3 + 1)) = 3; a quarter up: ¾ on three, ¼ on one.
    expect(support([1, 1])).toMatchObject({ effective: 1, labels: 4, share: 0.25 });
    expect(support([0, 1]).effective).toBeCloseTo(4 / (1 / 3 + 1), 12);
    expect(support([0.25]).effective).toBeCloseTo(1 / (0.5625 / 3 + 0.0625), 12);
    expect(support([0, 1], [3, 1]).effective).toBeCloseTo(4, 12);
    expect(support([-5, 7]).effective).toBeCloseTo(3, 12);
  });
});

describe('mixtures and stabilisation', () => {
  test('minimum variance on three: the most negative share is dropped first', () => {
    const options = { tolerance: 1e-10, maximumDrops: 20 };
    // Independent variances 1, 2, 4: weights 4 : 2 : 1.
    expect([
      ...minimumVarianceMixture(
        [
          [1, 0, 0],
          [0, 2, 0],
          [0, 0, 4],
        ],
        options,
      ),
    ]).toEqual(numbers([4 / 7, 2 / 7, 1 / 7]));
    // The third correlates with the first beyond its own deviation: Σ⁻¹1 has a negative third entry; what is left is 2 : 1.
    expect([
      ...minimumVarianceMixture(
        [
          [1, 0, 2],
          [0, 2, 0],
          [2, 0, 9],
        ],
        options,
      ),
    ]).toEqual(numbers([2 / 3, 1 / 3, 0]));
  });

  test('the first candidate is dropped as well as the last', () => {
    // The three candidates from behind.
    const sigma = [
      [9, 0, 2],
      [0, 2, 0],
      [2, 0, 1],
    ];
    expect([...minimumVarianceMixture(sigma, { tolerance: 1e-10, maximumDrops: 20 })]).toEqual(
      numbers([0, 1 / 3, 2 / 3]),
    );
  });

  const index = Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  const inner = Int32Array.from(index, (_, i) => i % 5);
  const rewards = Float64Array.of(0.5, 0.1, 0.4, 0.2, 0.6, 0.3, 0.7, 0.9, 0.8, 0.4);

  test('weights that rise with the index: the increasing projection is themselves, the decreasing one the constant 1', () => {
    const weights = Float64Array.from(index, (i) => (i + 0.5) / 5);
    const fit = fitStabilisation({ weights, index, rewards }, { innerFolds: inner })!;
    expect([...fit.increasing.y]).toEqual(numbers(weights));
    expect([...fit.decreasing.y]).toEqual(numbers([1, 1]));
    expect(fit.indexRange).toEqual([0, 9]);
    const [up, down] = fit.mixture;
    const expected = Array.from(weights, (w) => up! * w + down!);
    expect([...stabilisedWeights(fit, index)]).toEqual(numbers(expected, 9));
  });

  test('a mixture that varies by more than 1 is shrunk towards 1 until it varies by 1', () => {
    // Nearly all weight on the last row: the increasing projection is the weights, the decreasing one the constant 1.
    const weights = Float64Array.from(index, (i) => (i === 9 ? 9.1 : 0.1));
    const typical = Float64Array.of(0.2, 0.6, 0.2, 0.6, 0.4, 0, 0.5, 0.6, 0.5, 0.8);
    const fit = fitStabilisation({ weights, index, rewards: typical }, { innerFolds: inner })!;
    const [up, down] = fit.mixture;
    // Mean 1, so the variance is up² · (9 · 0.9² + 8.1²)/10 = up² · 7.29.
    expect(up! + down!).toBeCloseTo(1, 12);
    const variance = up! ** 2 * 7.29;
    expect(variance).toBeGreaterThan(1);
    expect(fit.shrinkage).toBeCloseTo(1 - Math.sqrt(1 / variance), 9);
    const used = stabilisedWeights(fit, index);
    expect(used.reduce((sum, v) => sum + (v - 1) ** 2, 0) / 10).toBeCloseTo(1, 9);
  });

  test('rows of a sixth inner fold count as without influence', () => {
    const weights = Float64Array.from(index, (i) => (i + 0.5) / 5);
    const six = Int32Array.from(index, (_, i) => i % 6);
    const fit = fitStabilisation({ weights, index, rewards }, { innerFolds: six })!;
    expect(fit.sigma.every((row) => row.every(Number.isFinite))).toBe(true);
    // Whatever the number: an eighth fold is read no more than a sixth.
    const eight = six.map((fold) => (fold === 5 ? 7 : fold));
    expect(fit.sigma).toEqual(fitStabilisation({ weights, index, rewards }, { innerFolds: eight })!.sigma);
    expect(fit.mixture[0]! + fit.mixture[1]!).toBeCloseTo(1, 12);
  });

  test('index values beyond the training range take its ends', () => {
    const weights = Float64Array.from(index, (i) => (i + 0.5) / 5);
    const fit = fitStabilisation({ weights, index, rewards }, { innerFolds: inner })!;
    const ratio = (values: readonly number[]) => {
      const u = stabilisedWeights(fit, Float64Array.from(values));
      return u[1]! / u[0]!;
    };
    expect(ratio([-3, 12])).toBeCloseTo(ratio([0, 9]), 12);
  });

  test('zero and infinite weights cannot be projected', () => {
    const flat = new Float64Array(10).fill(1);
    for (const bad of [0, Number.POSITIVE_INFINITY, Number.NaN, -1]) {
      expect(
        fitStabilisation({ weights: flat.map((w, i) => (i === 3 ? bad : w)), index, rewards }, { innerFolds: inner }),
      ).toBeNull();
    }
  });

  test('a fold keeps its raw weights without ten training or two test rows', () => {
    const rows = (n: number) => ({
      weights: Float64Array.from({ length: n }, (_, i) => (2 * (i + 0.5)) / n),
      index: Float64Array.from({ length: n }, (_, i) => (i * 7) % n),
      rewards: Float64Array.from({ length: n }, (_, i) => ((i * 3) % n) / n),
    });
    const fitted = (n: number, test: number) =>
      crossFitStabilisation(
        rows(n),
        Int32Array.from({ length: n }, (_, i) => (i < test ? 1 : 0)),
        2,
        (training) => training.map((_, i) => i % 5),
      ).fits.map((fit) => fit !== null);
    // Fold 0 trains on the test rows of fold 1 and the other way round.
    expect(fitted(12, 2)).toEqual([false, true]);
    expect(fitted(11, 2)).toEqual([false, false]);
    expect(fitted(12, 1)).toEqual([false, false]);
    expect(fitted(20, 10)).toEqual([true, true]);
  });

  test('training means are weighted by the raw weights of the other folds', () => {
    const w = Float64Array.of(1, 3, 2, 2);
    const r = Float64Array.of(0.2, 0.6, 0.4, 0.8);
    const result = crossFitStabilisation(
      { weights: w, index: r, rewards: r },
      Int32Array.of(0, 0, 1, 1),
      2,
      (rows) => rows,
    );
    // Without fold 0: (0.8 + 1.6)/4 and mean 2; without fold 1: (0.2 + 1.8)/4 and mean 2.
    expect([...result.trainingMeans]).toEqual(numbers([0.6, 0.5]));
    expect([...result.trainingWeightMeans]).toEqual(numbers([2, 2]));
    expect([...result.weights]).toEqual(numbers([0.5, 1.5, 1, 1]));
  });
});

describe('the original experiment’s weights', () => {
  test('log ratios are clipped at ±20', () => {
    expect([...originalWeights(Float64Array.of(-25, 0, 25))]).toEqual([Math.exp(-20), 1, Math.exp(20)]);
  });

  test('five folds of ten: ranks q = j/9 become 2q/(1 + q), to mean one, whatever the magnitudes', () => {
    const targets = Array.from({ length: 10 }, (_, j) => (2 * (j / 9)) / (1 + j / 9));
    const mean = targets.reduce((s, t) => s + t, 0) / 10;
    const out = originalCalibratedWeights(
      Float64Array.from({ length: 50 }, (_, i) => 1 + i / 50),
      42,
    );
    const sorted = [...out].sort((x, y) => x - y);
    expect(sorted).toEqual(
      numbers(
        targets.flatMap((t) => new Array<number>(5).fill(t / mean)),
        9,
      ),
    );
    // Below ten rows a fold keeps its clipped weights, mean one: 0.01 and 100 at the ends.
    const few = originalCalibratedWeights(Float64Array.of(1e-5, 1e5, 1, 1, 1, 1, 1, 1, 1, 1), 42);
    for (const value of few) expect(value).toBeGreaterThan(0);
    expect(Math.max(...few)).toBeCloseTo(200 / 101, 9);
  });
});
