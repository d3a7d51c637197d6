import { describe, expect, test } from 'vitest';
import type { EvaluationData } from '../../src/stats/data/data.ts';
import { drawCoverage } from '../../src/stats/diagnostics/draw-coverage.ts';
import { labelBalance } from '../../src/stats/diagnostics/label-balance.ts';
import { labelledAffinity } from '../../src/stats/diagnostics/score-overlap.ts';
import {
  DEFAULT_GATES,
  drawGates,
  impliedEssGate,
  labelBalanceGate,
  scoreOverlapGate,
} from '../../src/stats/gates/gates.ts';
import { comparePolicies, estimate } from '../../src/stats/index.ts';
import { kolmogorovSmirnovP, midranks, rankSumP } from '../../src/stats/numeric/rank-tests.ts';
import { impliedEssFraction } from '../../src/stats/weights/diagnostics.ts';
import { draws, estimated, evaluation, log, resultOf } from './support/hand-made.ts';

describe('rank tests', () => {
  test('ties share the mean of their ranks', () => {
    expect([...midranks([3, 1, 3, 2])]).toEqual([3.5, 1, 3.5, 2]);
  });

  test('the rank sum by hand', () => {
    // Ranks 1, 2, 3 against 4, 5, 6: means 2 and 5, variance 17.5/5 (1/3 + 1/3) = 7/3; z = 3/√(7/3) = 1.964.
    expect(rankSumP([1, 2, 3, 4, 5, 6], (i) => i < 3)).toBeCloseTo(0.0495346134356, 12);
    expect(rankSumP([1, 1, 1, 1], (i) => i < 2)).toBe(1);
    expect(rankSumP([1, 2], () => true)).toBe(1);
  });

  test('clusters: rows of one prompt count as one', () => {
    // Groups of two rows with means 1.5 and 3.5; every cluster is one group: totals ±(−½ + ½)/2 = 0 leave no variance.
    expect(rankSumP([1, 2, 3, 4], (i) => i < 2, [0, 0, 1, 1])).toBe(1);
    // Clusters {1, 3} and {2, 4}: totals (−½)/2 − (−½)/2 = 0 as well; {1, 4}, {2, 3}: −¼ − ¼ and ¼ + ¼, 2 · (¼ + ¼) = 1; z = 2.
    expect(rankSumP([1, 2, 3, 4], (i) => i < 2, [0, 1, 1, 0])).toBeCloseTo(0.0455002638964, 12);
  });

  test('Kolmogorov and Smirnov: the largest distance at ends of ties alone', () => {
    expect(kolmogorovSmirnovP([1, 1, 1, 1], (i) => i < 2)).toBe(1);
    // Distance 1 at root 1: 2 Σ (−1)^(k−1) exp(−2 k² 1.23²).
    expect(kolmogorovSmirnovP([1, 2, 3, 4], (i) => i < 2)).toBeCloseTo(
      2 * (Math.exp(-2 * 1.23 ** 2) - Math.exp(-8 * 1.23 ** 2)),
      6,
    );
  });
});

const none = Number.NaN;
const tenScores = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

describe('the prompts that a policy answered', () => {
  const data = (ids: readonly string[]): EvaluationData =>
    evaluation(log({ scores: tenScores, weights: {} }), { p: draws({ scores: ids.map(() => 0.5), ids }) });

  test('are counted against those of the log', () => {
    const half = ['q5', 'q6', 'q7', 'q8', 'q9'];
    const coverage = drawCoverage(data(half), 'p', half);
    expect(coverage).toMatchObject({ prompts: 10, missing: 5, share: 0.5 });
    // Ranks 6…10 against 1…5: 5/√(82.5/9 · 0.4).
    expect(coverage.pValue).toBeCloseTo(0.00902343881808, 10);
    expect(drawGates(coverage, DEFAULT_GATES).map(({ gate, verdict }) => [gate, verdict])).toEqual([
      ['draw-coverage', 'refuse'],
      ['draw-balance', 'pass'],
    ]);
    expect(drawGates({ ...coverage, share: 0.95, pValue: 0.0009 }, DEFAULT_GATES).map((g) => g.verdict)).toEqual([
      'warn',
      'warn',
    ]);
  });

  test('all answered: nothing to say', () => {
    const all = tenScores.map((_, i) => `q${i}`);
    const coverage = drawCoverage(data(all), 'p', all);
    expect(coverage).toEqual({ prompts: 10, missing: 0, share: 1, pValue: 1 });
    expect(drawGates(coverage, DEFAULT_GATES)).toMatchObject([{ gate: 'draw-coverage', verdict: 'pass' }]);
  });

  test('without a log the prompts are those of all policies', () => {
    const pooled: EvaluationData = {
      ...evaluation(log({ scores: [0.5], weights: {} }), {
        p: draws({ scores: [0.1, 0.2], ids: ['a', 'b'] }),
        r: draws({ scores: [0.1, 0.2, 0.3], ids: ['a', 'b', 'c'] }),
      }),
      pooled: true,
    };
    expect(drawCoverage(pooled, 'p', ['a', 'b'])).toMatchObject({ prompts: 3, missing: 1 });
    expect(drawCoverage(pooled, 'r', ['a', 'b', 'c'])).toMatchObject({ prompts: 3, missing: 0 });
  });

  test('a prompt that others answered several times counts by its mean score', () => {
    // Means 0.2, 0.5, 0.6 and 0.7; by their sums the first would be the highest, and with the policy’s own the second.
    const others = draws({ scores: [0.2, 0.2, 0.2, 0.2, 0.5, 0.6, 0.7], ids: ['a', 'a', 'a', 'a', 'b', 'c', 'd'] });
    const pooled: EvaluationData = {
      ...evaluation(log({ scores: [0.5], weights: {} }), {
        p: draws({ scores: [0.1, 1], ids: ['a', 'b'] }),
        r: others,
      }),
      pooled: true,
    };
    expect(drawCoverage(pooled, 'p', ['a', 'b']).pValue).toBeCloseTo(
      rankSumP([0.2, 0.5, 0.6, 0.7], (i) => i < 2),
      12,
    );
  });
});

test('two policies are compared over the prompts of both', () => {
  const a = estimated('a', 0.5, [0.1, -0.1, 0.2, -0.2]);
  const b = estimated('b', 0.3, [0.1, -0.1], { influencePromptIds: ['q0', 'q1'], n: 2 });
  const { config } = resultOf([a, b]);
  // On q0 and q1 the first has mean 0.5 + 0, and influence values ±0.1 as the second: no variance is left.
  expect(comparePolicies(a, b, config)).toMatchObject({ difference: 0.2, standardError: 0 });
  const shifted = { ...a, influence: Float64Array.of(0.3, 0.1, -0.2, -0.2) };
  expect(comparePolicies(shifted, b, config).difference).toBeCloseTo(0.5 + 0.2 - 0.3, 12);
  // Without a common prompt: independent samples.
  const apart = { ...b, influencePromptIds: ['x', 'y'] };
  expect(comparePolicies(a, apart, config).difference).toBeCloseTo(0.2, 12);
  expect(comparePolicies(a, apart, config).standardError).toBeGreaterThan(0);
});

describe('labels as a sample', () => {
  const labelsBy = (labelled: (i: number) => boolean) => tenScores.map((s, i) => (labelled(i) ? s : none));
  const balance = (labelled: (i: number) => boolean) =>
    labelBalance(evaluation(log({ scores: tenScores, weights: {}, labels: labelsBy(labelled) }), {})).log;

  test('the smallest p, times the number of tests', () => {
    // One test: groups of five are too small for the other, and all lengths are equal.
    expect(balance((i) => i >= 5)!.pValue).toBeCloseTo(0.00902343881808, 10);
    expect(balance((i) => i % 2 === 0)!.pValue).toBeGreaterThan(0.5);
    expect(balance(() => true)).toBeNull();
    // Eight of each: two tests of the score, and two of the length.
    const scores = Array.from({ length: 16 }, (_, i) => i / 16);
    const labels = scores.map((s, i) => (i < 8 ? s : none));
    const lengths = scores.map((_, i) => (i * 5) % 16);
    const isLabelled = (i: number) => i < 8;
    const least = Math.min(rankSumP(scores, isLabelled), kolmogorovSmirnovP(scores, isLabelled));
    const four = labelBalance(evaluation(log({ scores, weights: {}, labels, lengths }), {})).log!;
    expect(four).toMatchObject({ of: 'judge score', pValue: expect.closeTo(4 * least, 12) });
  });

  test('rows of one prompt are no further prompts', () => {
    const ids = tenScores.map((_, i) => `q${i >> 1}`);
    const labels = tenScores.map((s, i) => (i >= 4 ? s : none));
    const { log: found } = labelBalance(evaluation(log({ scores: tenScores, weights: {}, labels, ids }), {}));
    expect(found!.pValue).toBeCloseTo(
      rankSumP(
        tenScores,
        (i) => i >= 4,
        tenScores.map((_, i) => i >> 1),
      ),
      12,
    );
  });

  test('warn a calibration, and refuse what takes them for all responses', () => {
    const test = balance((i) => i >= 5)!;
    expect(labelBalanceGate(test, 'calibration').verdict).toBe('warn');
    expect(labelBalanceGate(test, 'all responses').verdict).toBe('refuse');
    expect(labelBalanceGate({ ...test, pValue: 0.01 }, 'all responses').verdict).toBe('pass');
  });

  test('own labels on high scores alone refuse direct-augmented', () => {
    const scores = Array.from({ length: 40 }, (_, i) => i / 40);
    const data = evaluation(log({ scores, weights: {}, labels: scores }), {
      p: draws({ scores, labels: scores.map((s) => (s > 0.6 ? s : none)) }),
    });
    expect(estimate({ estimator: 'direct-augmented' }, data).policies).toMatchObject([{ code: 'labels-not-random' }]);
    // And they grade no calibration.
    const [audited] = estimate({ estimator: 'direct' }, data).policies;
    expect(audited!.diagnostics.transport!.state).toBe('not-graded');
  });
});

test('affinity of labelled scores with a policy’s, on bins of equal counts', () => {
  const labelled = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
  // Two bins, cut between: (½, ½) against (0, 1).
  expect(labelledAffinity({ scores: labelled }, { scores: [1, 1, 1] })).toBeCloseTo(Math.SQRT1_2, 12);
  expect(labelledAffinity({ scores: labelled }, { scores: [0, 1], weights: [3, 1] })).toBeCloseTo(
    Math.sqrt(3 / 8) + Math.sqrt(1 / 8),
    12,
  );
  // Below ten labels there is one bin, and nothing to tell.
  expect(labelledAffinity({ scores: labelled.slice(1) }, { scores: [5] })).toBe(1);
  expect([0.59, 0.6, 0.8].map((value) => scoreOverlapGate(value, DEFAULT_GATES).verdict)).toEqual([
    'refuse',
    'warn',
    'pass',
  ]);
});

test('the effective share that the upper half of the log ratios implies', () => {
  // Median 0 and ninth decile 1.2815…: spread 1, share 1/e; the lower half is not read.
  const ratios = Float64Array.of(-100, -50, -9, -9, -9, 0, 0, 0, 1, 1.2815515655446004, 5);
  expect(impliedEssFraction(ratios)).toBeCloseTo(Math.exp(-1), 12);
  expect(impliedEssFraction(new Float64Array(5))).toBe(1);
  // A tenth is enough where weights are normalised, and 15 % where they are not.
  const verdicts = (weights: Parameters<typeof impliedEssGate>[1]) =>
    [0.09, 0.12, 0.16].map((share) => impliedEssGate(share, weights, DEFAULT_GATES).verdict);
  expect(verdicts('normalised')).toEqual(['refuse', 'pass', 'pass']);
  expect(verdicts('unnormalised')).toEqual(['refuse', 'refuse', 'pass']);
});
