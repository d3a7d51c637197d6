import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitRidge } from '../../src/stats/calibration/ridge.ts';
import { splineBasis, splineColumns } from '../../src/stats/calibration/spline.ts';
import { rowsWithSomeTarget } from '../../src/stats/compat/cje-eval/rows.ts';
import { clusterRobustVariance, independentVariance } from '../../src/stats/data/clustering.ts';
import { balancedFolds, foldOfPrompt, renumberFolds } from '../../src/stats/data/folds.ts';
import { bhattacharyyaAffinity } from '../../src/stats/diagnostics/score-overlap.ts';
import { benjaminiHochberg } from '../../src/stats/inference/comparison.ts';
import { evaluateIsotonic, fitIsotonic, predictIsotonic } from '../../src/stats/numeric/isotonic.ts';
import { solve } from '../../src/stats/numeric/linear-algebra.ts';
import { populationVariance, quantileOfSorted, sampleVariance } from '../../src/stats/numeric/moments.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { minimumVarianceMixture } from '../../src/stats/numeric/simplex.ts';
import {
  normalCdf,
  normalQuantile,
  normalTwoSidedP,
  studentCdf,
  studentQuantile,
  studentTwoSidedP,
} from '../../src/stats/numeric/special-functions.ts';
import { jackknifeVariance, satterthwaite } from '../../src/stats/study/oracle-uncertainty.ts';
import { hillTailIndex, weightDiagnostics } from '../../src/stats/weights/diagnostics.ts';
import { clipWeights, rawWeights, selfNormalisedWeights } from '../../src/stats/weights/importance-weights.ts';
import { fitStabilisation, stabilisedWeights } from '../../src/stats/weights/weight-stabilisation.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });

describe('special functions, against values of Abramowitz and Stegun and R to 15 digits', () => {
  test.each([
    [0.975, 1.959963984540054],
    [0.5, 0],
    [0.999, 3.090232306167813],
    [1e-10, -6.361340902404056],
    [1e-300, -37.0471],
  ])('normal quantile of %f', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThan(
      p === 1e-300 ? 1e-4 : 2e-14 * Math.max(1, Math.abs(expected)),
    );
  });

  test.each([
    [0.975, 1, 12.706204736174698],
    [0.975, 4, 2.7764451051977934],
    [0.975, 399, 1.965927129506027],
    [0.975, 30, 2.042272456301238],
    [0.95, 2.5, 2.5582193],
    [0.995, 10, 3.16927267261695],
  ])('Student quantile of %f at %f degrees', (p, df, expected) => {
    const tolerance = df === 2.5 ? 1e-6 : df === 399 ? 1e-7 : 1e-12;
    expect(Math.abs(studentQuantile(p, df) - expected)).toBeLessThan(tolerance * expected);
  });

  test('closed forms: df 1 is Cauchy, df 2 is t/√(2 + t²), df ∞ is normal', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 13);
        expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 13);
      }),
    );
    expect(studentQuantile(0.975, 1e12)).toBe(normalQuantile(0.975));
  });

  test('quantiles invert distribution functions', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
        fc.double({ min: 0.5, max: 5000, noNaN: true }),
        (p, df) => {
          expect(Math.abs(studentCdf(studentQuantile(p, df), df) - p)).toBeLessThan(1e-12);
          expect(Math.abs(normalCdf(normalQuantile(p)) - p)).toBeLessThan(1e-13);
        },
      ),
    );
  });

  test('a far quantile has just its p beyond it, on either side of the last change of polynomials', () => {
    // √(−ln p) is 4.8 and 5.3: the tail's polynomial begins at 5.
    for (const p of [1e-10, 1e-12, 1e-15]) expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 11);
  });

  test('tails do not cancel', () => {
    expect(normalTwoSidedP(10) / 1.523970604832105e-23).toBeCloseTo(1, 10);
    expect(studentTwoSidedP(10, 1e5)).toBeGreaterThan(0);
    // On so many degrees of freedom that Student's law is the normal, by whichever way it is asked for.
    for (const df of [1e10, Number.POSITIVE_INFINITY])
      expect(studentTwoSidedP(-2, df)).toBeCloseTo(0.0455002638963584, 12);
    expect(normalCdf(-2.2) + normalCdf(2.2)).toBe(1);
    // The series and the continued fraction meet.
    expect(normalTwoSidedP(2.2 * Math.SQRT2 - 1e-12) / normalTwoSidedP(2.2 * Math.SQRT2 + 1e-12)).toBeCloseTo(1, 10);
  });
});

describe('folds', () => {
  test('a fold depends on prompt, seed and count, and refuses what has none', () => {
    expect(foldOfPrompt('plain-0000', 5, 42)).toBe(2);
    expect(() => foldOfPrompt('', 5, 42)).toThrow('empty');
    expect(() => foldOfPrompt('a', 1, 42)).toThrow('at least 2');
  });

  test('no labels are renumbered to none', () => {
    expect(renumberFolds(new Int32Array())).toEqual(new Int32Array());
  });

  test('renumbering closes gaps and balanced groups differ by at most one prompt', () => {
    expect([...renumberFolds(Int32Array.from([4, 1, 2, 4]))]).toEqual([2, 0, 1, 2]);
    const groups = balancedFolds(['a', 'b', 'c', 'd', 'e'], 2, 1)(['a', 'b', 'c', 'd', 'e', 'a']);
    expect(groups[0]).toBe(groups[5]);
    const sizes = [0, 1].map((g) => new Set(['a', 'b', 'c', 'd', 'e'].filter((_, i) => groups[i] === g)).size);
    expect(sizes.sort()).toEqual([2, 3]);
  });
});

describe('isotonic regression', () => {
  test('by hand: pooling, merged ties, interpolation, clamping', () => {
    const fit = fitIsotonic([1, 2, 3, 4], [1, 3, 2, 4]);
    expect([...fit.x]).toEqual([1, 2, 3, 4]);
    expect([...fit.y]).toEqual([1, 2.5, 2.5, 4]);
    expect(evaluateIsotonic(fit, 1.5)).toBe(1.75);
    expect([evaluateIsotonic(fit, 0), evaluateIsotonic(fit, 9)]).toEqual([1, 4]);
    const tied = fitIsotonic([1, 1, 2], [0, 1, 0.2], { weights: [1, 3, 4] });
    expect([...tied.y]).toEqual([0.475, 0.475]);
    const one = fitIsotonic([5, 5], [1, 2]);
    expect(evaluateIsotonic(one, -3)).toBe(1.5);
  });

  test('decreasing is increasing on mirrored x', () => {
    const x = [0, 1, 2, 3];
    const y = [3, 1, 2, 0];
    expect([...predictIsotonic(fitIsotonic(x, y, { increasing: false }), x)]).toEqual([3, 1.5, 1.5, 0]);
  });

  test('inner points of a level are dropped, so predictions interpolate between level ends', () => {
    expect([...fitIsotonic([1, 2, 3, 4, 5], [2, 1, 1.5, 1.5, 9]).x]).toEqual([1, 4, 5]);
  });

  test('NaN is refused', () => {
    for (const bad of [
      [1, Number.NaN],
      [Number.NaN, 1],
    ]) {
      expect(() => fitIsotonic(bad, [0, 1])).toThrow('NaN');
      expect(() => fitIsotonic([0, 1], bad)).toThrow('NaN');
    }
    expect(() => fitIsotonic([], [])).toThrow('at least one');
  });

  test('monotone, mean preserving, within the data, and its own projection', () => {
    const points = fc.array(fc.tuple(unit, unit, fc.double({ min: 0.01, max: 5, noNaN: true })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(points, (rows) => {
        const [x, y, weights] = [0, 1, 2].map((c) =>
          rows.map((r) => Math.round(r[c]! * 100) / 100 + (c === 2 ? 0.01 : 0)),
        );
        const fit = fitIsotonic(x!, y!, { weights: weights! });
        const fitted = predictIsotonic(fit, x!);
        const weighted = (v: ArrayLike<number>) => weights!.reduce((s, w, i) => s + w * v[i]!, 0);
        expect(weighted(fitted)).toBeCloseTo(weighted(y!), 9);
        for (let i = 1; i < fit.y.length; i++) expect(fit.y[i]!).toBeGreaterThanOrEqual(fit.y[i - 1]!);
        const again = predictIsotonic(fitIsotonic(x!, fitted, { weights: weights! }), x!);
        again.forEach((v, i) => {
          expect(v).toBeCloseTo(fitted[i]!, 10);
        });
      }),
    );
  });

  test('least squares: no monotone step function on the same points does better', () => {
    const y = [0.3, 0.1, 0.4, 0.2, 0.9];
    const fitted = predictIsotonic(fitIsotonic([0, 1, 2, 3, 4], y), [0, 1, 2, 3, 4]);
    const loss = (v: ArrayLike<number>) => y.reduce((s, t, i) => s + (t - v[i]!) ** 2, 0);
    const monotone = fc.array(unit, { minLength: 5, maxLength: 5 }).map((v) => v.sort((a, b) => a - b));
    fc.assert(
      fc.property(monotone, (v) => {
        expect(loss(v)).toBeGreaterThanOrEqual(loss(fitted) - 1e-12);
      }),
    );
  });
});

describe('splines and ridge', () => {
  test('all ten cubic basis functions add to one, so nine fall short by the last', () => {
    const training = Array.from({ length: 40 }, (_, i) => i / 39);
    const columns = splineColumns(splineBasis(training)!, training);
    expect(columns.length).toBe(9);
    const total = training.map((_, i) => columns.reduce((s, c) => s + c[i]!, 0));
    expect(total.slice(0, 30).every((t) => Math.abs(t - 1) < 1e-12)).toBe(true);
    expect(total[39]).toBeCloseTo(5 / 6, 12);
  });

  test('ridge by hand: one column, and leave-one-out picks the smallest penalty for exact data', () => {
    const x = Float64Array.from([0, 1, 2, 3]);
    const fit = fitRidge(
      [x],
      Float64Array.from(x, (v) => 2 * v + 1),
    );
    expect(fit.penalty).toBeCloseTo(0.001, 12);
    expect(fit.coefficients[0]).toBeCloseTo((2 * 5) / (5 + 0.001), 12);
    const weighted = fitRidge([x], Float64Array.from([1, 3, 5, 0]), Float64Array.from([1, 1, 1, 1e-12]));
    expect(weighted.coefficients[0]).toBeCloseTo((2 * 2) / (2 + 0.001), 6);
  });

  test('a singular system is null', () => {
    expect(
      solve(
        [
          [1, 1],
          [1, 1],
        ],
        [1, 2],
      ),
    ).toBeNull();
    expect([
      ...solve(
        [
          [0, 2],
          [1, 0],
        ],
        [4, 3],
      )!,
    ]).toEqual([3, 2]);
  });
});

describe('importance weights', () => {
  test('raw weights saturate instead of overflowing; no finite ratio gives zeros', () => {
    expect(rawWeights([0, Math.log(3), 900])[1]).toBeCloseTo(3, 14);
    expect(Number.isFinite(rawWeights([900])[0]!)).toBe(true);
    expect([...selfNormalisedWeights([Number.NEGATIVE_INFINITY])]).toEqual([0]);
  });

  test('self-normalised weights have mean one and ignore a common shift', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -600, max: 600, noNaN: true }), { minLength: 1 }),
        fc.double({ min: -99, max: 99, noNaN: true }),
        (ratios, shift) => {
          const w = selfNormalisedWeights(ratios);
          expect(w.reduce((s, v) => s + v, 0) / w.length).toBeCloseTo(1, 9);
          const shifted = selfNormalisedWeights(ratios.map((r) => r + shift));
          shifted.forEach((v, i) => {
            expect(Math.abs(v - w[i]!)).toBeLessThan(1e-9 * w.length);
          });
        },
      ),
    );
  });

  test('clipping rescales to mean one', () => {
    expect([...clipWeights(Float64Array.from([3, 0.5, 0.5]), 1)]).toEqual([1.5, 0.75, 0.75]);
  });

  test('stabilised weights have mean one and the cap holds', () => {
    const rows = fc.array(fc.tuple(fc.double({ min: -6, max: 6, noNaN: true }), unit, unit), {
      minLength: 20,
      maxLength: 80,
    });
    fc.assert(
      fc.property(rows, (values) => {
        const w = selfNormalisedWeights(values.map((v) => v[0]));
        const index = Float64Array.from(values, (v) => Math.round(v[1] * 20) / 20);
        const rewards = Float64Array.from(values, (v) => v[2]);
        const innerFolds = Int32Array.from(w, (_, i) => i % 5);
        const fit = fitStabilisation({ weights: w, index, rewards }, { innerFolds })!;
        const u = stabilisedWeights(fit, index);
        const mean = u.reduce((s, v) => s + v, 0) / u.length;
        expect(mean).toBeCloseTo(1, 9);
        const variance = u.reduce((s, v) => s + (v - mean) ** 2, 0) / u.length;
        expect(variance).toBeLessThanOrEqual(1 + 1e-6);
        expect(fit.mixture[0]! + fit.mixture[1]!).toBeCloseTo(1, 12);
      }),
    );
    const column = Float64Array.from([0, 1]);
    const withZero = { weights: Float64Array.from([0, 2]), index: column, rewards: column };
    expect(fitStabilisation(withZero, { innerFolds: new Int32Array(2) })).toBeNull();
  });
});

describe('diagnostics', () => {
  test('effective sample size, shares and tail of known weights', () => {
    const d = weightDiagnostics(Float64Array.from([1, 1, 2]));
    expect(d.ess).toBeCloseTo(16 / 6, 12);
    expect(d.maximumShare).toBe(0.5);
    expect(weightDiagnostics(new Float64Array(60).fill(1)).tailIndex).toEqual({ kind: 'uniform' });
    expect(hillTailIndex([1, 2, 3])).toEqual({ kind: 'unavailable', reason: 'too-few-rows' });
    // Pareto quantiles with index 2.
    const pareto = Array.from({ length: 4000 }, (_, i) => ((i + 0.5) / 4000) ** -0.5);
    const tail = hillTailIndex(pareto);
    expect(tail.kind === 'estimated' && Math.abs(tail.value - 2) < 0.05).toBe(true);
  });

  test('weights near the largest double keep their shares', () => {
    const d = weightDiagnostics(Float64Array.from([1e308, 1e308, 0]));
    expect(d.ess).toBeCloseTo(2, 12);
  });

  test('Bhattacharyya affinity is 1 for equal and 0 for disjoint scores', () => {
    expect(bhattacharyyaAffinity([0.1, 0.5], [0.1, 0.5])).toBeCloseTo(1, 12);
    expect(bhattacharyyaAffinity([0, 0.1], [0.9, 1])).toBe(0);
    expect(bhattacharyyaAffinity([0.3], [0.3])).toBe(1);
  });
});

describe('inference', () => {
  test('one row a cluster is s²/n; clustered by hand', () => {
    const phi = [1, -1, 2, -2];
    expect(clusterRobustVariance(phi, [0, 1, 2, 3]).variance).toBeCloseTo(independentVariance(phi).variance, 14);
    // Totals 0 and 0: perfect negative correlation within clusters.
    expect(clusterRobustVariance(phi, [0, 0, 1, 1]).variance).toBe(0);
    // Totals 3, −3: 2/1 · 18/16.
    expect(clusterRobustVariance(phi, [0, 1, 0, 1])).toEqual({ variance: 2.25, degreesOfFreedom: 1, clusters: 2 });
    // One cluster says nothing of clusters: rows as independent, 10/3/4 on three degrees of freedom; at least one.
    expect(clusterRobustVariance(phi, [0, 0, 0, 0])).toEqual({ variance: 10 / 12, degreesOfFreedom: 3, clusters: 1 });
    expect(clusterRobustVariance([5], [0])).toEqual({ variance: 0, degreesOfFreedom: 1, clusters: 1 });
    expect(independentVariance(phi)).toEqual({ variance: 10 / 12, degreesOfFreedom: 3, clusters: 4 });
    expect(independentVariance([5])).toEqual({ variance: 0, degreesOfFreedom: 1, clusters: 1 });
    // Labels may leave gaps: totals 1, −1 and 0 of three clusters, 3/2 · 2/16.
    expect(clusterRobustVariance(phi, [0, 3, 7, 7])).toEqual({ variance: 0.1875, degreesOfFreedom: 2, clusters: 3 });
  });

  test('clusters of unequal size: values are centred before they are added up', () => {
    // 1, 2 | 6 about 3: totals −3 and 3: 2 · (9 + 9)/3².
    expect(clusterRobustVariance([1, 2, 6], [0, 0, 1])).toEqual({ variance: 4, degreesOfFreedom: 1, clusters: 2 });
  });

  test('jackknife variance and Satterthwaite degrees of freedom by hand', () => {
    expect(jackknifeVariance([1, 2, 3])).toBeCloseTo((2 / 3) * 2, 14);
    expect(jackknifeVariance([5])).toBe(0);
    expect(
      satterthwaite([
        { variance: 1, degreesOfFreedom: 4 },
        { variance: 0, degreesOfFreedom: 9 },
      ]),
    ).toBe(4);
    expect(
      satterthwaite([
        { variance: 1, degreesOfFreedom: 4 },
        { variance: 1, degreesOfFreedom: 4 },
      ]),
    ).toBe(8);
    expect(
      satterthwaite([
        { variance: 0, degreesOfFreedom: 4 },
        { variance: 0, degreesOfFreedom: 9 },
      ]),
    ).toBe(4);
  });

  test('Benjamini–Hochberg by hand', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.2]).map((p) => Number(p.toFixed(12)));
    expect(adjusted).toEqual([0.04, 0.053333333333, 0.053333333333, 0.2]);
  });

  test('minimum variance mixture: inverse variances, a dropped candidate, a singular block', () => {
    const options = { tolerance: 1e-10, maximumDrops: 20 };
    expect([
      ...minimumVarianceMixture(
        [
          [1, 0],
          [0, 3],
        ],
        options,
      ),
    ]).toEqual([0.75, 0.25]);
    expect([
      ...minimumVarianceMixture(
        [
          [1, 2],
          [2, 9],
        ],
        options,
      ),
    ]).toEqual([1, 0]);
    expect([
      ...minimumVarianceMixture(
        [
          [1, 1],
          [1, 1],
        ],
        options,
      ),
    ]).toEqual([0.5, 0.5]);
  });

  test('variances of too few values are 0', () => {
    expect([populationVariance([]), populationVariance([3]), sampleVariance([]), sampleVariance([3])]).toEqual([
      0, 0, 0, 0,
    ]);
    // Deviations ±1: 2/2 and 2/1.
    expect([populationVariance([1, 3]), sampleVariance([1, 3])]).toEqual([1, 2]);
  });

  test('quantiles interpolate at (n − 1)q', () => {
    expect(quantileOfSorted([1, 2, 3, 4], 0.5)).toBe(2.5);
    // From one end to the other, also between the last two.
    const values = [1, 2, 4, 8];
    expect([0, 0.25, 0.75, 0.9, 1].map((q) => quantileOfSorted(values, q))).toEqual([
      1,
      1.75,
      5,
      expect.closeTo(6.8, 12),
      8,
    ]);
    expect(quantileOfSorted([3], 0.7)).toBe(3);
  });
});

describe('random numbers', () => {
  test('a stream is a pure function of seed and number, and streams differ', () => {
    const take = (seed: number, stream: number) => {
      const source = randomSource(seed, stream);
      return [source.uniform(), source.uniform(), source.exponential()];
    };
    expect(take(42, 7)).toEqual(take(42, 7));
    expect(new Set([take(42, 7), take(42, 8), take(43, 7)].map(String)).size).toBe(3);
  });

  test('moments over many streams', () => {
    let [u, e, z, z2] = [0, 0, 0, 0];
    const count = 20_000;
    for (let stream = 0; stream < count; stream++) {
      const source = randomSource(1, stream);
      u += source.uniform() / count;
      e += source.exponential() / count;
      const normal = source.normal();
      z += normal / count;
      z2 += (normal * normal) / count;
    }
    expect(Math.abs(u - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(e - 1)).toBeLessThan(0.035);
    expect(Math.abs(z)).toBeLessThan(0.035);
    expect(Math.abs(z2 - 1)).toBeLessThan(0.05);
  });
});

test('outcome models of the original learn from rows with a base log probability and at least one target’s', () => {
  const none = Number.NaN;
  const logged = {
    promptIds: ['both', 'one', 'other', 'neither', 'no base'],
    baseLogprobs: Float64Array.of(-1, -1, -1, -1, none),
    targetLogprobs: new Map([
      ['a', Float64Array.of(-2, -2, none, none, -2)],
      ['b', Float64Array.of(-2, none, -2, none, -2)],
    ]),
  };
  const study = { logged, data: { policies: ['a', 'b'] } } as unknown;
  expect([...rowsWithSomeTarget(study as Parameters<typeof rowsWithSomeTarget>[0])]).toEqual([0, 1, 2]);
});
