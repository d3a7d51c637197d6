import { describe, expect, test } from 'vitest';
import { type EstimatedPolicy, type EstimatorSettings, resolveConfig } from '../../src/stats/index.ts';
import { bootstrapDifference } from '../../src/stats/inference/bootstrap-inference.ts';
import { compareAll, comparePolicies, type PolicyComparison } from '../../src/stats/inference/comparison.ts';
import {
  differenceCovariance,
  drawNormals,
  jointCovariance,
  SIMULATION,
  samplingCovariance,
} from '../../src/stats/inference/joint-inference.ts';
import { rankPolicies } from '../../src/stats/inference/ranking.ts';
import { shiftMoment, withShift } from '../../src/stats/inference/stabilisation.ts';
import { estimated, refusedPolicy, resultOf } from './support/hand-made.ts';

const compare = (a: EstimatedPolicy, b: EstimatedPolicy, settings: Partial<EstimatorSettings> = {}) =>
  comparePolicies(a, b, resultOf([a, b], settings).config);

// c_a = φ/4 = 0.10, −0.10, 0.05, −0.05 and c_b = 0.05, −0.05, 0.10, −0.10; G/(G − 1) = 4/3.
// Variances 4/3 · 0.025 = 1/30 each, covariance 4/3 · 0.02 = 0.8/30: the difference has 0.4/30.
const a = estimated('a', 0.8, [0.4, -0.4, 0.2, -0.2]);
const b = estimated('b', 0.5, [0.2, -0.2, 0.4, -0.4]);
const SE = Math.sqrt(0.4 / 30);
/** P(|T| ≥ √3 x) on three degrees of freedom, in closed form. */
const twoSidedOn3 = (x: number) => 1 - (2 / Math.PI) * (x / (1 + x * x) + Math.atan(x));

describe('the joint covariance of estimates', () => {
  test('of sampling: by prompt over the union of prompts', () => {
    const covariance = samplingCovariance([a, b]);
    expect([covariance[0]![0], covariance[0]![1], covariance[1]![0], covariance[1]![1]].map((v) => 30 * v!)).toEqual(
      [1, 0.8, 0.8, 1].map((v) => expect.closeTo(v, 12)),
    );
    // b on two other prompts: c = 0.1, −0.1; six prompts: 6/5 · 0.02, and nothing shared.
    const elsewhere = estimated('c', 0.5, [0.2, -0.2], { influencePromptIds: ['x', 'y'] });
    const apart = samplingCovariance([a, elsewhere]);
    expect(apart[1]![1]).toBeCloseTo(0.024, 14);
    expect(apart[0]![0]).toBeCloseTo((6 / 5) * 0.025, 14);
    expect(apart[0]![1]).toBeCloseTo(0, 14);
    // Two rows of one prompt are one contribution: (0.4 + 0.2)/4 against −0.1 and −0.05: 3/2 · (0.15² + 0.1² + 0.05²).
    const twice = estimated('d', 0.5, [0.4, -0.4, 0.2, -0.2], { influencePromptIds: ['p', 'q', 'p', 'r'] });
    expect(samplingCovariance([twice])[0]![0]).toBeCloseTo(1.5 * 0.035, 14);
    // Contributions that do not average to zero are centred: 0.2, 0 about 0.1.
    expect(samplingCovariance([estimated('e', 0, [0.4, 0])])[0]![0]).toBeCloseTo(2 * 0.02, 14);
    expect(samplingCovariance([estimated('f', 0, [0.4])])[0]![0]).toBe(0);
  });

  test('of the calibration: the jackknifes’ covariance, where they pair up', () => {
    const x = estimated('x', 0.5, [0, 0], { oracleJackknife: Float64Array.of(0, 0.1, 0.2) });
    const y = estimated('y', 0.5, [0, 0], { oracleJackknife: Float64Array.of(0, 0.2, 0.4) });
    // ⅔ Σ dx dy: deviations ∓0.1 and ∓0.2: ⅔ · 0.02, ⅔ · 0.04, ⅔ · 0.08.
    const joint = jointCovariance([x, y]).map((row) => [...row].map((v) => 1.5 * v));
    expect(joint).toEqual([
      [expect.closeTo(0.02, 12), expect.closeTo(0.04, 12)],
      [expect.closeTo(0.04, 12), expect.closeTo(0.08, 12)],
    ]);
    const shorter = estimated('z', 0.5, [0, 0], { oracleJackknife: Float64Array.of(0, 0.2) });
    // ½ · 2 · 0.1² on its own, nothing with the other.
    expect(jointCovariance([x, shorter]).map((row) => [...row])).toEqual([
      [expect.closeTo(0.02 / 1.5, 12), 0],
      [0, expect.closeTo(0.01, 12)],
    ]);
    expect(jointCovariance([x, estimated('n', 0.5, [0, 0])])[0]![1]).toBe(0);
  });

  test('of prompts that are evaluated and have labels: each one’s totals with the other’s jackknife', () => {
    const withTotals = (policy: string, totals: readonly number[], jackknife: readonly number[]) =>
      estimated(policy, 0.5, [0, 0], {
        labelledTotals: Float64Array.from(totals),
        oracleJackknife: Float64Array.from(jackknife),
      });
    const x = withTotals('x', [0.1, -0.1], [0.47, 0.53]);
    const y = withTotals('y', [0.2, -0.2], [0.49, 0.51]);
    // Jackknives: ½ Σ dx dy = ½ · 2 · 0.03 · 0.01. Totals of x with y: 2 · 0.1 · 0.01; of y with x: 2 · 0.2 · 0.03.
    expect(jointCovariance([x, y])[0]![1]).toBeCloseTo(0.0003 + 0.002 + 0.012, 14);
    // On its own twice: ½ · 2 · 0.03² + 2 · 2 · 0.1 · 0.03.
    expect(jointCovariance([x, y])[0]![0]).toBeCloseTo(0.0009 + 0.012, 14);
  });

  test('of what scores beyond the labels leave open: end by end, a twelfth of the product', () => {
    const [x, y] = [
      estimated('x', 0.5, [0, 0], { openWidths: [0.3, 0.1] }),
      estimated('y', 0.5, [0, 0], { openWidths: [0.2, 0.6] }),
    ];
    expect(jointCovariance([x, y])[0]![1]).toBeCloseTo((0.3 * 0.2 + 0.1 * 0.6) / 12, 14);
  });

  test('of differences: what it is of the levels, each taken off the other', () => {
    const of = (
      name: string,
      φ: readonly number[],
      psi: readonly number[],
      totals: readonly number[],
      open: readonly [number, number],
    ) =>
      estimated(name, 0.5, φ, {
        oracleJackknife: Float64Array.from(psi),
        labelledTotals: Float64Array.from(totals),
        openWidths: open,
      });
    const levels = [
      of('x', [0.4, -0.4, 0.2, -0.2], [0, 0.1, 0.2], [0.1, -0.1, 0], [0.3, 0.1]),
      of('y', [0.2, -0.2, 0.4, -0.4], [0.3, 0.1, 0], [0, 0.2, -0.2], [0.2, 0.6]),
      of('z', [0.1, 0.3, -0.3, -0.1], [0.1, 0.3, 0.1], [-0.1, 0, 0.1], [0, 0.4]),
    ];
    const [joint, apart] = [
      jointCovariance(levels),
      differenceCovariance(levels, [
        [0, 1],
        [0, 2],
      ]),
    ];
    const at = (i: number, j: number) => joint[i]![j]!;
    expect(apart[0]![0]).toBeCloseTo(at(0, 0) - 2 * at(0, 1) + at(1, 1), 12);
    expect(apart[1]![1]).toBeCloseTo(at(0, 0) - 2 * at(0, 2) + at(2, 2), 12);
    expect(apart[0]![1]).toBeCloseTo(at(0, 0) - at(0, 2) - at(1, 0) + at(1, 2), 12);
  });

  test('normal draws are those of their seed', () => {
    const firstOf = (seed: number) => {
      const drawn: number[] = [];
      drawNormals([[1]], { draws: 2, seed }, ([x]) => drawn.push(x!));
      return drawn;
    };
    expect(firstOf(3)).toEqual(firstOf(3));
    expect(firstOf(3)).not.toEqual(firstOf(4));
  });

  test('normal draws have the covariance that they are asked for, singular or not', () => {
    const second = (covariance: number[][]) => {
      const sums = [0, 0, 0];
      drawNormals(covariance, { draws: 20_000, seed: 3 }, ([x, y]) => {
        sums[0]! += (x! * x!) / 20_000;
        sums[1]! += (x! * y!) / 20_000;
        sums[2]! += (y! * y!) / 20_000;
      });
      return sums;
    };
    // A mean square of 20,000 normals scatters by 1 %.
    const [xx, xy, yy] = second([
      [4, 2],
      [2, 9],
    ]);
    expect(xx! / 4).toBeCloseTo(1, 1);
    expect(xy! / 2).toBeCloseTo(1, 1);
    expect(yy! / 9).toBeCloseTo(1, 1);
    const [one, same, other] = second([
      [1, 1],
      [1, 1],
    ]);
    expect(same).toBeCloseTo(one!, 12);
    expect(other).toBeCloseTo(one!, 12);
    expect(
      second([
        [0, 0],
        [0, 1],
      ])[0],
    ).toBe(0);
  });
});

describe('the difference of two policies', () => {
  test('paired by prompt: t on prompts − 1', () => {
    const pair = compare(a, b);
    expect(pair.difference).toBeCloseTo(0.3, 14);
    expect(pair.standardError).toBeCloseTo(SE, 14);
    expect(pair.degreesOfFreedom).toBe(3);
    expect(pair.interval[0]).toBeCloseTo(0.3 - 3.182446305 * SE, 9);
    expect(pair.interval[1]).toBeCloseTo(0.3 + 3.182446305 * SE, 9);
    // t = 0.3/√(0.4/30) = 1.5 √3.
    expect(pair.pValue).toBeCloseTo(twoSidedOn3(1.5), 12);
    expect(compare(b, a).pValue).toBeCloseTo(twoSidedOn3(1.5), 12);
    expect(compare(a, b, { alpha: 0.1 }).interval[1] - 0.3).toBeCloseTo(2.353363435 * SE, 8);
  });

  test('degrees of freedom count the prompts of both; of either where none is common', () => {
    const elsewhere = { ...b, influencePromptIds: ['q2', 'q3', 'q4', 'q5'] };
    expect(compare(a, elsewhere).degreesOfFreedom).toBe(1);
    const apart = { ...b, influencePromptIds: ['q4', 'q5', 'q6', 'q7'] };
    expect(compare(a, apart).degreesOfFreedom).toBe(7);
    const one = estimated('a', 0.6, [0]);
    expect(compare(one, estimated('b', 0.5, [0])).degreesOfFreedom).toBe(1);
    // Three effective labels behind one of them know no more than three prompts would.
    const effective = { gate: 'effective-labels', on: 'in-use', value: 3, threshold: 1, verdict: 'pass' } as const;
    const few = { ...b, diagnostics: { ...b.diagnostics, gates: [effective] } };
    expect([compare(a, few), compare(few, a)].map((pair) => pair.degreesOfFreedom)).toEqual([2, 2]);
  });

  // Differences 0, 0.1, 0.2: ⅔ · 0.02 = 0.4/30, as much as sampling: df 2²/(1/3 + 1/2) = 4.8.
  const withJack = (p: EstimatedPolicy, values: readonly number[]) => ({
    ...p,
    oracleJackknife: Float64Array.from(values),
  });
  const aJack = withJack(a, [0.1, 0.2, 0.3]);
  const bJack = withJack(b, [0.1, 0.1, 0.1]);

  test('adds the jackknife variance of the difference', () => {
    const pair = compare(aJack, bJack);
    expect(pair.standardError).toBeCloseTo(Math.sqrt(0.8 / 30), 14);
    expect(pair.degreesOfFreedom).toBeCloseTo(4.8, 12);
    // The same shift in both cancels.
    expect(compare(aJack, withJack(b, [0.4, 0.5, 0.6])).standardError).toBeCloseTo(SE, 14);
    expect(compare(aJack, withJack(b, [0.1, 0.3])).standardError).toBeCloseTo(SE, 14);
  });

  test('adds the whole jackknife variance of the one where the other needs no calibration, with what prompts share', () => {
    const totals = Float64Array.of(0.1, 0, -0.1);
    const mean = { ...b, labelledTotals: totals };
    // 0.4/30 of sampling, and ⅔ (0.1² + 0.1²) of the jackknife.
    expect(compare(aJack, b).standardError).toBeCloseTo(Math.sqrt(0.8 / 30), 14);
    expect(compare(b, aJack).standardError).toBeCloseTo(Math.sqrt(0.8 / 30), 14);
    // The difference's totals are −0.1, 0, 0.1, so that 2C = −2 (0.1² + 0.1²); what groups make of it is at least 0, and was 3/2 · 0.02.
    const pair = compare(aJack, mean);
    expect(pair.standardError).toBeCloseTo(
      Math.sqrt(Math.max(0.4 / 30 - 0.03 + 0.03 + 0.4 / 30 - 0.04, 0.03 + 0.4 / 30 - 0.04)),
      14,
    );
    expect(compare(mean, aJack).standardError).toBeCloseTo(pair.standardError, 14);
  });

  test('parity: the smaller degrees of freedom for direct-augmented, by position and normal for the rest', () => {
    const augmented = compare(aJack, bJack, { estimator: 'direct-augmented', mode: 'parity' });
    expect(augmented.degreesOfFreedom).toBe(2);
    expect(augmented.standardError).toBeCloseTo(Math.sqrt(0.8 / 30), 14);
    // Two jackknife values leave one degree of freedom, one value none: never less than one.
    for (const values of [[0.1, 0.2], [0.1]]) {
      const few = compare(
        { ...aJack, oracleJackknife: Float64Array.from(values) },
        { ...bJack, oracleJackknife: new Float64Array(values.length) },
        { estimator: 'direct-augmented', mode: 'parity' },
      );
      expect(few.degreesOfFreedom).toBe(1);
    }
    // φ differs by 0.2, −0.2, −0.2, 0.2: 0.16/3/4, with no oracle term.
    const byPosition = compare(
      aJack,
      { ...bJack, influencePromptIds: ['w', 'x', 'y', 'z'] },
      { estimator: 'snips', mode: 'parity' },
    );
    expect(byPosition.standardError).toBeCloseTo(Math.sqrt(0.16 / 12), 14);
    expect(byPosition.degreesOfFreedom).toBe(Number.POSITIVE_INFINITY);
    const unequal = compare(
      estimated('a', 0.8, [1, -1], { standardError: 0.3 }),
      estimated('b', 0.5, [1, -1, 0], { standardError: 0.4 }),
      { estimator: 'snips', mode: 'parity' },
    );
    expect(unequal.standardError).toBeCloseTo(0.5, 14);
  });

  test('rare labels of either policy add what they add to its level; 30 degrees of freedom at most', () => {
    const correction = {
      kind: 'correction',
      residuals: Float64Array.of(0),
      weights: null,
      meanPrediction: 0.5,
      predictionVariance: 0,
    } as const;
    const rarely = (p: EstimatedPolicy, samplingVariance: number, oracleVariance: number): EstimatedPolicy => ({
      ...p,
      components: { ...p.components, samplingVariance, oracleVariance },
      diagnostics: { ...p.diagnostics, rareLabels: { usual: 1, others: 1, effective: 10, by: correction } },
    });
    // Each level has 1/30 by its influence: 0.5/30 more of the one, 0.2/30 of the other, beside 0.4/30.
    const both = compare(rarely(a, 1 / 30, 0.5 / 30), rarely(b, 1.2 / 30, 0));
    expect(both.standardError).toBeCloseTo(Math.sqrt(1.1 / 30), 14);
    expect(both.degreesOfFreedom).toBe(3);
    expect(compare(a, rarely(b, 1.2 / 30, 0)).standardError).toBeCloseTo(Math.sqrt(0.6 / 30), 14);
    const wide = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const [first, second] = [
      estimated('a', 0.8, wide),
      estimated(
        'b',
        0.5,
        wide.map((v) => v / 2),
      ),
    ];
    expect(compare(first, second).degreesOfFreedom).toBe(99);
    expect(compare(rarely(first, 1, 0), second).degreesOfFreedom).toBe(30);
  });

  test('rare labels of one calibration add what its jackknife has not seen of them', () => {
    const support = {
      effective: 46,
      labels: 50,
      share: 0.92,
      blockShares: Float64Array.of(0.75, 0.25),
      blockLabels: Float64Array.of(40, 10),
      blockLevels: Float64Array.of(0.4, 0.6),
      meanScore: 0.5,
      labelledScoreVariance: 0.04,
      residualVariance: 0.01,
      slope: 1,
    };
    const rarely = (p: EstimatedPolicy, blockShares: Float64Array, jackknife: readonly number[]): EstimatedPolicy => {
      const by = {
        kind: 'calibration',
        support: { ...support, blockShares },
      };
      const rareLabels = { usual: 1, others: 1, effective: 46, by } as EstimatedPolicy['diagnostics']['rareLabels'];
      return {
        ...p,
        oracleJackknife: Float64Array.from(jackknife),
        diagnostics: { ...p.diagnostics, rareLabels },
      };
    };
    const pair = (jackknife: readonly number[]) =>
      compare(
        rarely({ ...a, estimate: 0.9 }, Float64Array.of(0.75, 0.25), jackknife),
        rarely({ ...b, estimate: 0.95 }, Float64Array.of(0.25, 0.75), [0, 0]),
      ).standardError ** 2;
    // ψ̃ = (46 · 0.9 + 2)/50, weights half apart on 40 and on 10 labels, as of rare labels alone; 0.4/30 of sampling beside.
    const centre = (46 * 0.9 + 2) / 50;
    const rare = centre * (1 - centre) * (0.25 / 40 + 0.25 / 10);
    expect(pair([0, 0])).toBeCloseTo(0.4 / 30 + rare, 14);
    // The jackknife has seen ½ · 2 · 0.02² of it, which counts once.
    expect(pair([-0.02, 0.02])).toBeCloseTo(0.4 / 30 + rare, 14);
    // Where it has seen more, that stands.
    expect(pair([-0.2, 0.2])).toBeCloseTo(0.4 / 30 + 0.04, 14);
  });

  test('is corrected for skewness where either estimate is a mean of raw weights', () => {
    // Contributions of nine −0.1 and one 0.9: variance 10/9 · 0.9 = 1, Σc³ = 0.72. On nine degrees t = 2.262157.
    const long = estimated('a', 0.8, [-1, -1, -1, -1, -1, -1, -1, -1, -1, 9]);
    const flat = estimated('b', 0.5, Array<number>(10).fill(0));
    for (const pair of [compare({ ...long, skewed: true }, flat), compare(long, { ...flat, skewed: true })]) {
      expect(pair.standardError).toBeCloseTo(1, 14);
      // (3/0.72)(∛(1 + 0.72 (t − 0.12)) − 1), and the same at −t.
      expect(0.3 - pair.interval[0]).toBeCloseTo((3 / 0.72) * (Math.cbrt(1 + 0.72 * 2.142157) - 1), 5);
      expect(pair.interval[1] - 0.3).toBeCloseTo((3 / 0.72) * (1 - Math.cbrt(1 - 0.72 * 2.382157)), 5);
    }
    // By labels 0.3 of it: 10 (1 − ∛(1 − 0.3 · (2.262157 + 0.05))), on that side alone.
    const plain = compare(long, flat);
    expect(plain.interval[1] - 0.3).toBeCloseTo(10 * (1 - Math.cbrt(1 - 0.3 * 2.312157)), 5);
    expect(0.3 - plain.interval[0]).toBeCloseTo(2.262157, 5);
    expect(plain.skewness).toBe(0.3);
  });

  test('of a family is as much longer on the short side of a skewed pair as on the long one', () => {
    const long = estimated('a', 0.8, [-1, -1, -1, -1, -1, -1, -1, -1, -1, 9]);
    const signs = (policy: string, pattern: string) =>
      estimated(
        policy,
        0.5,
        [...pattern].map((sign) => (sign === '+' ? 3 : -3)),
      );
    const others = [
      signs('b', '+-+-+-+-+-'),
      signs('c', '++--++--+-'),
      signs('d', '+++++-----'),
      signs('e', '+--++--+-+'),
    ];
    const [pair] = compareAll(resultOf([long, ...others]));
    const [low, high] = pair!.interval;
    const [lower, upper] = pair!.simultaneousInterval;
    expect(pair!.skewness).toBe(0.3);
    // The largest of ten pairs is 2.7, over the pair’s own 2.262: the longer side, 3.3 of the standard error, is no reason to leave the other as it is.
    const factor = (pair!.difference - lower) / (pair!.difference - low);
    expect(factor).toBeGreaterThan(1.15);
    expect(factor).toBeLessThan(1.25);
    expect((upper - pair!.difference) / (high - pair!.difference)).toBeCloseTo(factor, 12);
  });

  test('without any error a difference is certain, and no difference is none', () => {
    const flat = (policy: string, value: number) => estimated(policy, value, [0, 0, 0, 0]);
    expect(compare(flat('a', 0.6), flat('b', 0.5)).pValue).toBe(0);
    expect(compare(flat('a', 0.5), flat('b', 0.5)).pValue).toBe(1);
    const [pair] = compareAll(resultOf([flat('a', 0.6), flat('b', 0.5)]), { draws: 3, seed: 1 });
    expect(pair!.maxTP).toBe(0);
  });

  test('by bootstrap: distances turned over and stretched to the analytic error, and the p that inverts the interval', () => {
    const spread = Float64Array.of(0, 0.2, 0.3, 0.4, 0.6);
    const flatten = (length: number, value: number) => new Float64Array(length).fill(value);
    // Differences −0.1, 0.1, 0.2, 0.3, 0.5 about 0.1: distances −0.2, 0, 0.1, 0.2, 0.4. Mean 0.2; squares 0.2 over 4.
    const ends = { a: spread, b: flatten(5, 0.1), difference: 0.1, analytic: 0 };
    const plain = bootstrapDifference(ends, 0.5);
    expect(plain.standardError).toBeCloseTo(Math.sqrt(0.05), 14);
    // Quartiles are the second and the fourth distance, 0 and 0.2: 0.1 − 0.2 and 0.1 − 0.
    expect(plain.interval).toEqual([-0.1, 0.1].map((v) => expect.closeTo(v, 14)));
    // Distances of at least 0.1: three; of at most 0.1: three. 2 · 4/6, at most 1.
    expect(plain.pValue).toBe(1);
    // Twice the spread: distances double. Of at least 0.1: three, of at most 0.1: two.
    const wide = bootstrapDifference({ ...ends, analytic: 2 * Math.sqrt(0.05) }, 0.5);
    expect(wide.standardError).toBeCloseTo(2 * Math.sqrt(0.05), 14);
    expect(wide.interval).toEqual([-0.3, 0.1].map((v) => expect.closeTo(v, 14)));
    expect(wide.pValue).toBeCloseTo(1, 14);
    // Of 0.3 the distances are −0.4, −0.2, −0.1, 0 and 0.2, and only when doubled does one reach it: 2 · 2/6, whichever the sign.
    const reached = { ...ends, difference: 0.3, analytic: 2 * Math.sqrt(0.05) };
    expect(bootstrapDifference(reached, 0.5).pValue).toBeCloseTo(4 / 6, 14);
    expect(bootstrapDifference({ ...reached, a: ends.b, b: spread, difference: -0.3 }, 0.5).pValue).toBeCloseTo(
      4 / 6,
      14,
    );
    expect(bootstrapDifference({ ...reached, analytic: 0 }, 0.5).pValue).toBeCloseTo(2 / 6, 14);
    // Far from 0 nothing reaches: 2 · 1/6, whichever the sign.
    const far = { a: spread, b: flatten(5, 2), difference: -1.7, analytic: 0 };
    expect(bootstrapDifference(far, 0.5).pValue).toBeCloseTo(2 / 6, 14);
    expect(bootstrapDifference({ ...far, a: far.b, b: far.a, difference: 1.7 }, 0.5).pValue).toBeCloseTo(2 / 6, 14);
    // No spread and no difference: every replicate counts on both sides.
    expect(bootstrapDifference({ a: flatten(3, 0), b: flatten(3, 0), difference: 0, analytic: 0 }, 0.5).pValue).toBe(1);
    const replicates = Float64Array.of(0, 0.2, 0.3, 0.4, 0.6);
    const pair = compare({ ...a, replicates }, { ...b, replicates: new Float64Array(5).fill(0.1) }, { alpha: 0.5 });
    expect(pair).toMatchObject({ degreesOfFreedom: Number.POSITIVE_INFINITY, difference: expect.closeTo(0.3, 12) });
    expect(pair.standardError).toBeCloseTo(Math.sqrt(0.05), 14);
  });
});

describe('all pairs', () => {
  test('a max-t p-value counts the observed statistic as one of the draws: never 0, 1 for no difference', () => {
    // 0.3 against 0.001: no draw of three, nor of 19, reaches 300 standard errors.
    const far = estimated('b', 0.5, [0.001, -0.001, 0.001, -0.001]);
    const near = estimated('a', 0.8, [-0.001, 0.001, -0.001, 0.001]);
    for (const [draws, p] of [
      [3, 1 / 4],
      [19, 1 / 20],
    ] as const) {
      const [pair] = compareAll(resultOf([near, far]), { draws, seed: 1 });
      expect(pair!.pValue).toBeLessThan(0.001);
      expect(pair!.maxTP).toBeCloseTo(p, 14);
    }
    const [same] = compareAll(resultOf([a, { ...b, estimate: 0.8 }]), { draws: 3, seed: 1 });
    expect(same!.maxTP).toBe(1);
  });

  test('it is at least the pair’s own p-value, and its interval at least the pair’s own', () => {
    // On three degrees of freedom Student's law is wider than the normal draws.
    const [pair] = compareAll(resultOf([a, b]), SIMULATION);
    expect(pair!.maxTP).toBeCloseTo(twoSidedOn3(1.5), 12);
    expect(pair!.simultaneousInterval[0]).toBeCloseTo(pair!.interval[0], 12);
    expect(pair!.simultaneousInterval[1]).toBeCloseTo(pair!.interval[1], 12);
  });

  // Three independent policies of equal error: Tukey's studentised range of three, 3.314 at 95 %, over √2 is 2.343.
  const n = 400;
  const independent = (policy: string, estimate: number) =>
    estimated(
      policy,
      estimate,
      Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      {
        influencePromptIds: Array.from({ length: n }, (_, i) => `${policy}${i}`),
      },
    );
  // A pair has 800 prompts: 800/799 · 400 · (1/400)² twice.
  const apart = Math.sqrt((2 * 800) / 799 / 400);

  test('the simultaneous interval of three policies has Tukey’s half width', () => {
    const pairs = compareAll(
      resultOf([independent('a', 0.5), independent('b', 0.5 - 2.343 * apart), independent('c', 0.5)]),
    );
    expect(pairs.map((pair) => `${pair.a}${pair.b}`)).toEqual(['ab', 'ac', 'bc']);
    for (const pair of pairs) {
      expect(pair.standardError).toBeCloseTo(apart, 12);
      const [low, high] = pair.simultaneousInterval;
      expect((high - pair.difference) / apart).toBeGreaterThan(2.343 - 0.04);
      expect((high - pair.difference) / apart).toBeLessThan(2.343 + 0.04);
      expect(pair.difference - low).toBeCloseTo(high - pair.difference, 12);
    }
    // A statistic at the critical value has p = 5 %, within what 20,000 draws scatter.
    expect(pairs[0]!.maxTP).toBeGreaterThan(0.044);
    expect(pairs[0]!.maxTP).toBeLessThan(0.056);
    expect(pairs[1]!.maxTP).toBe(1);
    // Two of three pairs at p = 2 Φ(−2.343) = 0.0191: Benjamini–Hochberg 0.0191 · 3/2.
    expect(pairs[0]!.pValue).toBeCloseTo(0.0191, 3);
    expect(pairs[0]!.adjustedP).toBeCloseTo((pairs[2]!.pValue * 3) / 2, 10);
  });

  test('what all three have in common cancels in it', () => {
    // Each sign is of another bit of the prompt's number, so that the four columns do not correlate; the common one is large.
    const sign = (i: number, bit: number) => ((i >> bit) % 2 === 0 ? 1 : -1);
    const alike = (policy: string, bit: number) =>
      estimated(
        policy,
        0.5,
        Array.from({ length: 512 }, (_, i) => 9 * sign(i, 0) + sign(i, bit)),
      );
    const pairs = compareAll(resultOf([alike('a', 1), alike('b', 2), alike('c', 3)]));
    for (const { standardError, simultaneousInterval } of pairs) {
      // 512/511 · 512 · 2/512².
      expect(standardError).toBeCloseTo(Math.sqrt(2 / 511), 12);
      expect(Math.abs(simultaneousInterval[1] / standardError - 2.343)).toBeLessThan(0.04);
    }
  });

  test('refused policies take no part, and a single policy has no pair', () => {
    expect(compareAll(resultOf([a, refusedPolicy('x'), b])).map((pair) => [pair.a, pair.b])).toEqual([['a', 'b']]);
    expect(compareAll(resultOf([a, refusedPolicy('x')]))).toEqual([]);
  });
});

describe('ranking', () => {
  const pairOf = (first: string, second: string, difference: number, adjustedP: number): PolicyComparison => ({
    a: first,
    b: second,
    difference,
    standardError: 0.1,
    interval: [0, 0],
    degreesOfFreedom: 3,
    skewness: 0,
    pValue: 0,
    adjustedP,
    maxTP: 0,
    simultaneousInterval: [0, 0],
  });
  const certain = (policy: string, estimate: number) => estimated(policy, estimate, [0, 0, 0, 0]);
  const few = { draws: 10, seed: 1 };

  test('clearly better is an adjusted p below alpha, not at it, in either direction', () => {
    const result = resultOf([certain('c', 0.3), certain('a', 0.6), refusedPolicy('x'), certain('b', 0.5)]);
    const ranked = rankPolicies(result, few, [
      pairOf('c', 'a', -0.3, 0.0499),
      pairOf('c', 'b', -0.2, 0.05),
      pairOf('a', 'b', 0.1, 0.0499),
    ]);
    expect(ranked.map(({ policy, rank, rankInterval }) => [policy, rank, ...rankInterval])).toEqual([
      ['a', 1, 1, 1],
      ['b', 2, 2, 3],
      ['c', 3, 2, 3],
    ]);
    const turned = rankPolicies(result, few, [pairOf('a', 'c', 0.3, 0.01), pairOf('b', 'a', -0.1, 0.01)]);
    expect(turned.map(({ rankInterval }) => rankInterval)).toEqual([
      [1, 1],
      [2, 3],
      [2, 3],
    ]);
    const other = { ...result, config: { ...result.config, alpha: 0.01 } };
    expect(rankPolicies(other, few, [pairOf('a', 'c', 0.3, 0.02)])[0]!.rankInterval).toEqual([1, 3]);
  });

  test('the chance of being best is that of the joint normal law; ties share it', () => {
    // One standard error of the difference apart: Φ(1) = 0.8413; 20,000 draws scatter by 0.0026.
    const pair = rankPolicies(resultOf([{ ...a, estimate: 0.5 + SE }, b]));
    expect(Math.abs(pair[0]!.probabilityOfBest - 0.8413)).toBeLessThan(0.01);
    expect(pair[0]!.probabilityOfBest + pair[1]!.probabilityOfBest).toBeCloseTo(1, 9);
    const tied = rankPolicies(resultOf([certain('a', 0.5), certain('b', 0.5), certain('c', 0.4)]), few);
    expect(tied.map(({ probabilityOfBest }) => Number(probabilityOfBest.toFixed(9)))).toEqual([0.5, 0.5, 0]);
  });
});

test('stabilised weights that moved two policies apart widen their difference by twice the square of it, and by its variance', () => {
  const values = [0.3, -0.1, -0.2, 0.1, -0.1];
  const errorOf = (...shifts: readonly EstimatedPolicy['stabilisation'][]) => {
    const [a, b] = [values, [0, 0.1, -0.1, 0, 0]].map((influence, i) =>
      estimated('ab'[i]!, 0.6 - i / 10, influence, { stabilisation: shifts[i] ?? null }),
    );
    return comparePolicies(a!, b!, resolveConfig({ estimator: 'calibrated-ips' })).standardError ** 2;
  };
  const by = (shift: number, influence: readonly number[] = [0, 0, 0, 0, 0]) => ({
    shift,
    influence: Float64Array.from(influence),
  });
  const still = errorOf();
  expect(errorOf(by(0.03)) - still).toBeCloseTo(2 * 0.03 ** 2, 12);
  expect(errorOf(by(0.05), by(0.02)) - still).toBeCloseTo(2 * 0.03 ** 2, 12);
  // Five prompts, of which two contribute ± 0.1/5: 5/4 · 2 · 0.02².
  expect(errorOf(by(0.03, [0.1, -0.1, 0, 0, 0])) - still).toBeCloseTo(2 * 0.03 ** 2 + 0.001, 12);
  // Over the prompts of both alone, where it is 0.03 + 0.02, and 0.1, −0.05 and −0.05 about that: 3/2 · 0.015/9.
  const [whole, part] = [values, [0, 0.1, -0.1]].map((influence) => estimated('p', 0.5, influence));
  const shifted = { ...whole!, stabilisation: by(0.03, [0.12, -0.03, -0.03, 0, -0.06]) };
  const config = resolveConfig({ estimator: 'calibrated-ips' });
  const [before, after] = [whole!, shifted].map((of) => comparePolicies(of, part!, config).standardError ** 2);
  expect(after! - before!).toBeCloseTo(2 * 0.05 ** 2 + (3 / 2) * (0.015 / 9), 12);
  // What both were moved by on the same prompts cancels.
  expect(errorOf(by(0.03, [0.1, -0.1, 0, 0, 0]), by(0.03, [0.1, -0.1, 0, 0, 0])) - still).toBeCloseTo(0, 12);
});

test('stabilised weights that moved a level widen its interval by the square of it once, and by its variance', () => {
  const values = [0.3, -0.1, -0.2, 0.1, -0.1];
  // Five prompts, of which two contribute ± 0.1/5: 5/4 · 2 · 0.02².
  const stabilisation = { shift: 0.03, influence: Float64Array.from([0.1, -0.1, 0, 0, 0]) };
  const level = estimated('p', 0.5, values, { stabilisation });
  expect(shiftMoment([level])).toBeCloseTo(0.03 ** 2 + 0.001, 12);
  expect(shiftMoment([estimated('p', 0.5, values)])).toBe(0);
  // Ends that skewness has made unlike grow by the same factor: √(0.1² + 0.0069)/0.1 = 1.3.
  const given = { ...level, standardError: 0.1, interval: [0.4, 0.8] as const };
  const wider = withShift(given, 0.5, 0.0069);
  expect(wider.standardError).toBeCloseTo(0.13, 12);
  expect(wider.interval).toEqual([expect.closeTo(0.37, 12), expect.closeTo(0.89, 12)]);
  expect(wider.components).toEqual({ ...given.components, stabilisationVariance: 0.0069 });
  expect(withShift(given, 0.5, 0)).toBe(given);
});

describe('degrees of freedom of a difference that few own labels correct', () => {
  const by = (of: readonly string[], effective = of.length) => ({ correctedBy: { prompts: new Set(of), effective } });
  // Contributions to the difference, times 6: 2, −1, −1 | −1, 1 | 0.
  const three = estimated('a', 0.8, [2, -1, -1, 0, 0, 0], by(['q0', 'q1', 'q2']));
  const two = estimated('b', 0.5, [0, 0, 0, 1, -1, 0], by(['q3', 'q4']));

  test('are those of the labelled prompts, not of all', () => {
    expect(compare(three, two).degreesOfFreedom).toBeCloseTo((6 + 2) ** 2 / (6 ** 2 / 2 + 2 ** 2 / 1), 12);
    // Labels on the same prompts are one kind: 2, −1, −1 less 1, −1, 0.
    const same = estimated('b', 0.5, [1, -1, 0, 0, 0, 0], by(['q0', 'q1', 'q2']));
    expect(compare(three, same).degreesOfFreedom).toBe(2);
    // Against an estimate without: an own-labels test has as many as its labels less one.
    expect(compare(three, estimated('a', 0.7, [0, 0, 0, 0, 0, 0])).degreesOfFreedom).toBe(2);
    // Labels of unequal weight count by Kish's number: 3 · (2.4/3) − 1.
    const unequal = { ...three, ...by(['q0', 'q1', 'q2'], 2.4) };
    expect(compare(unequal, estimated('a', 0.7, [0, 0, 0, 0, 0, 0])).degreesOfFreedom).toBeCloseTo(1.4, 12);
  });

  test('weigh what prompts without a label add, and are never fewer than one', () => {
    // 2, −1, −1 | 0.5, 0, −0.5.
    const more = estimated('b', 0.5, [0, 0, 0, -0.5, 0, 0.5]);
    expect(compare(three, more).degreesOfFreedom).toBeCloseTo(6.5 ** 2 / (6 ** 2 / 2 + 0.5 ** 2 / 2), 12);
    expect(compare(estimated('a', 0.8, [1, -1], by(['q0'])), estimated('b', 0.5, [0, 0])).degreesOfFreedom).toBe(1);
  });
});

describe('a difference that few labels carry', () => {
  const support = (
    blockShares: readonly number[],
    blockLabels: readonly number[],
    meanScore = 0.5,
    blockLevels = blockShares.map((_, block) => 0.3 + 0.1 * block),
  ) => ({
    effective: 10,
    labels: 20,
    share: 0.5,
    blockShares: Float64Array.from(blockShares),
    blockLabels: Float64Array.from(blockLabels),
    blockLevels: Float64Array.from(blockLevels),
    meanScore,
    labelledScoreVariance: 0.04,
    residualVariance: 0.09,
    slope: 1,
  });
  const by = (p: EstimatedPolicy, labelSupport: ReturnType<typeof support>, jackknife = [0, 0]): EstimatedPolicy => ({
    ...p,
    oracleJackknife: Float64Array.from(jackknife),
    diagnostics: { ...p.diagnostics, labelSupport },
  });
  const addedTo = (x: EstimatedPolicy, y: EstimatedPolicy) => compare(x, y).standardError ** 2 - SE ** 2;

  test('may be overstated by as much as labels rise less than the curve, of which it has the second moment', () => {
    const rising = (p: EstimatedPolicy, slope: number, more: Partial<EstimatedPolicy['diagnostics']> = {}) => {
      const known = { ...by(p, { ...support([0.5, 0.5], [50, 50]), labels: 100, slope }) };
      return { ...known, diagnostics: { ...known.diagnostics, ...more } };
    };
    // The difference is 0.3.
    expect(addedTo(rising(a, 0.6), rising(b, 0.6))).toBeCloseTo((0.4 * 0.3) ** 2 / 3, 12);
    expect(addedTo(rising(a, 1.2), rising(b, 1.2))).toBeCloseTo(0, 12);
    // Labels that fall where the curve rises say no more than that all of it may be chance.
    expect(addedTo(rising(a, -0.5), rising(b, -0.5))).toBeCloseTo(0.3 ** 2 / 3, 12);
    // An estimate that its labels correct, or that no calibration is behind, is not overstated.
    const gate = { gate: 'effective-labels', on: 'in-use', value: 50, threshold: 10, verdict: 'pass' } as const;
    expect(addedTo(rising(a, 0.6, { gates: [gate] }), rising(b, 0.6, { gates: [gate] }))).toBeCloseTo(0, 12);
    expect(addedTo(rising(a, 0.6), rising(b, 0.6, { labelSupport: null }))).toBeCloseTo(0, 12);
  });

  test('has the spread of all labels about the calibration, where its jackknife has seen less', () => {
    // Shares −0.1, 0, 0.1 apart on 2, 16 and 2 labels: Σd² = 0.005 + 0.005, (Σ|d|)² = 0.04, 4 effective labels.
    const few = [2, 16, 2];
    const [x, y] = [by(a, support([0.1, 0.8, 0.1], few)), by(b, support([0.2, 0.8, 0], few))];
    expect(addedTo(x, y)).toBeCloseTo(0.09 * 0.01, 12);
    // It is known from twenty labels, the rest from four prompts.
    const [rest, few20] = [SE ** 2, 0.09 * 0.01];
    expect(compare(x, y).degreesOfFreedom).toBeCloseTo((rest + few20) ** 2 / (rest ** 2 / 3 + few20 ** 2 / 19), 10);
    // ½ Σ(ψ^(−k) − mean)² = 0.0004 is part of it already.
    expect(addedTo(by(a, support([0.1, 0.8, 0.1], few), [0.02, -0.02]), y)).toBeCloseTo(0.09 * 0.01, 12);
    expect(addedTo(by(a, support([0.1, 0.8, 0.1], few), [0.2, -0.2]), y)).toBeCloseTo(0.04, 12);
    // One block for all: a straight line's (0.1)²/(20 · 0.04).
    const pooled = (meanScore: number) => support([1], [20], meanScore);
    expect(addedTo(by(a, pooled(0.5)), by(b, pooled(0.6)))).toBeCloseTo(0.09 * (0.01 / 0.8), 12);
    // From ten effective labels on, (½)²/(2 · ¼²/5), they know their own variance; 9.8 do not. Other fits cannot be held together.
    const quarters = (labels: number) => {
      const blocks = [labels, 10, labels];
      return addedTo(by(a, support([0.25, 0.5, 0.25], blocks)), by(b, support([0.5, 0.5, 0], blocks)));
    };
    expect(quarters(5)).toBeCloseTo(0, 12);
    expect(quarters(4.9)).toBeCloseTo((0.09 * 2 * 0.0625) / 4.9, 12);
    expect(addedTo(x, by(b, pooled(0.5)))).toBeCloseTo(0, 12);
  });

  test('has two labels of either end beside those of a block that are all 0, or all 1', () => {
    const ends = (shares: readonly number[]) => support(shares, [6, 8, 6], 0.5, [0, 0.4, 1]);
    // 0.1² on six labels each: p̃ = 2/10, 0.16/10.
    expect(addedTo(by(a, ends([0.1, 0.8, 0.1])), by(b, ends([0.2, 0.8, 0])))).toBeCloseTo(2 * 0.01 * 0.016, 12);
    const upper = (shares: readonly number[]) => support(shares, [6, 8, 6], 0.5, [0.1, 0.4, 1]);
    expect(addedTo(by(a, upper([0.1, 0.8, 0.1])), by(b, upper([0.2, 0.8, 0])))).toBeCloseTo(0.01 * 0.016, 12);
  });
});

test('policies that are equal but for roundings are the same, whichever is the larger', () => {
  const off = (by: number) => estimated('b', 0.8 + by, [0.4 + by, -0.4, 0.2, -0.2 - by]);
  for (const by of [1e-16, -1e-16]) {
    const other = off(by);
    expect(compare(a, other)).toMatchObject({ standardError: 0, pValue: 1 });
    const ranked = rankPolicies(resultOf([a, other]), { draws: 400, seed: 1 });
    expect(ranked.map(({ policy, probabilityOfBest }) => [policy, probabilityOfBest])).toEqual([
      ['a', expect.closeTo(0.5, 12)],
      ['b', expect.closeTo(0.5, 12)],
    ]);
  }
});
