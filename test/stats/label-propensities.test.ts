import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS } from '../../bench/coverage/equations.ts';
import { coverageStudy } from '../../bench/coverage/study.ts';
import { labelWeights } from '../../src/stats/data/label-weights.ts';
import { type EstimatedPolicy, estimate } from '../../src/stats/index.ts';
import { weightedRankP } from '../../src/stats/numeric/rank-tests.ts';
import { normalTwoSidedP } from '../../src/stats/numeric/special-functions.ts';
import { draws, evaluation, log, OPEN } from './support/hand-made.ts';

const none = Number.NaN;

test('weights are 1/π, mean one over the labels', () => {
  const rows = { oracleLabels: Float64Array.of(0.5, none, 0.7), labelPropensities: Float64Array.of(0.5, 0.5, 0.25) };
  // 2 and 4 over their mean of 3.
  expect([...labelWeights(rows)!]).toEqual(
    [2 / 3, none, 4 / 3].map((w) => (Number.isNaN(w) ? w : expect.closeTo(w, 12))),
  );
  expect(labelWeights({ oracleLabels: rows.oracleLabels })).toBeNull();
});

test('the weighted mean rank of what was drawn against that of all, by hand', () => {
  // Ranks 1…4, mean 2.5; drawn 1 and 4 with weights 3 and 1: 7/4. T: 3(1 − 1.75)/4 + 1.5/4, 0.5/4, −0.5/4, (4 − 1.75)/4 − 1.5/4.
  const totals = [-2.25 / 4 + 1.5 / 4, 0.5 / 4, -0.5 / 4, 2.25 / 4 - 1.5 / 4];
  const z = 0.75 / Math.sqrt((4 / 3) * totals.reduce((s, t) => s + t * t, 0));
  const p = weightedRankP([10, 20, 30, 40], [3, 0, 0, 1], [0, 1, 2, 3]);
  expect(z).toBeCloseTo(2.0381, 4);
  expect(p).toBeCloseTo(normalTwoSidedP(z), 12);
});

describe('with labels drawn half as often at high scores', () => {
  // Judge of two scores; own labels 0.2 and 0.4 at low ones (π = 1), 0.9 at a high one (π = ½).
  const scores = [0, 0, 1, 1];
  const labels = [0.2, 0.4, 0.9, none];
  const own = { ...draws({ scores, labels }), labelPropensities: Float64Array.of(1, 1, 0.5, 0.5) };
  const data = evaluation(log({ scores: [0, 1, 0, 1, 0, 1, 0, 1], labels: [0.3, 0.7, 0.3, 0.7, 0.3, 0.7, 0.3, 0.7] }), {
    p: own,
  });
  const value = (of: typeof data) =>
    estimate({ estimator: 'direct-augmented', rewardCalibration: 'monotone', gates: OPEN }, of)
      .policies[0] as EstimatedPolicy;

  test('direct-augmented: the residuals’ mean by 1/π', () => {
    // Residuals −0.1, 0.1, 0.2 with weights 1, 1, 2: c = 0.1; mean reward 0.5.
    expect(value(data).estimate).toBeCloseTo(0.6, 12);
    // φ = f̂ + c − ψ + M ω (r − c)/Σω, M/Σω = 1: −0.4, −0.2, 0.4, 0.2.
    expect([...value(data).influence]).toEqual([-0.4, -0.2, 0.4, 0.2].map((v) => expect.closeTo(v, 12)));
  });

  test('and so under the bootstrap, whose replicates are about it and not about the plain mean of 0.567', () => {
    const [booted] = estimate(
      {
        estimator: 'direct-augmented',
        rewardCalibration: 'monotone',
        gates: OPEN,
        inference: 'bootstrap',
        replicates: 1000,
      },
      data,
    ).policies;
    const { replicates } = booted as EstimatedPolicy;
    expect(replicates!.reduce((s, v) => s + v, 0) / 1000).toBeGreaterThan(0.58);
  });

  test('a label without its probability, or one outside (0, 1], is refused', () => {
    for (const bad of [none, 0, 1.5]) {
      const broken = { ...own, labelPropensities: Float64Array.of(1, 1, bad, 0.5) };
      const [p] = estimate(
        { estimator: 'direct-augmented', gates: OPEN },
        { ...data, freshDraws: new Map([['p', broken]]) },
      ).policies;
      expect(p, String(bad)).toMatchObject({
        status: 'refused',
        code: 'bad-input',
        message: expect.stringContaining('draws of p: 2'),
      });
    }
  });
});

test('a calibration weighs its labels: a level with one label of two drawn is the mean by 1/π', () => {
  const scores = [0, 0, 0, 0, 1, 1, 1, 1];
  const labels = [0, 0.4, 0, 0.4, 0.8, 0.8, 0.8, 0.8];
  const logged = { ...log({ scores, labels }), labelPropensities: Float64Array.of(1, 0.5, 1, 0.5, 1, 1, 1, 1) };
  const data = evaluation(logged, { p: draws({ scores: [0, 0, 0, 0] }) });
  const [p] = estimate({ estimator: 'direct', rewardCalibration: 'monotone', gates: OPEN }, data).policies;
  // (1 · 0 + 2 · 0.4)/3.
  expect((p as EstimatedPolicy).estimate).toBeCloseTo(0.8 / 3, 12);
  // And so under the bootstrap, whose replicates are about it and not about the plain mean of 0.2.
  const [booted] = estimate(
    {
      estimator: 'direct',
      rewardCalibration: 'monotone',
      gates: OPEN,
      inference: 'bootstrap',
      replicates: 400,
    },
    data,
  ).policies;
  const { replicates } = booted as EstimatedPolicy;
  expect(replicates!.reduce((s, value) => s + value, 0) / 400).toBeGreaterThan(0.235);
});

test('dr-labelled: a label counts by its importance weight over its probability', () => {
  const scores = Array.from({ length: 12 }, (_, i) => i % 2);
  const labels = scores.map((score, i) => (i < 8 ? 0.3 + 0.4 * score + (i % 3) / 10 : none));
  const logged = {
    ...log({ scores, labels, weights: { p: scores.map(() => 1) } }),
    labelPropensities: Float64Array.from(scores, (_, i) => (i < 4 ? 1 : 0.5)),
  };
  const data = evaluation(logged, { p: draws({ scores }) });
  const { diagnostics } = estimate({ estimator: 'dr-labelled', rewardCalibration: 'monotone', gates: OPEN }, data)
    .policies[0] as EstimatedPolicy;
  // Four of 1 and four of 2: 12²/(4 + 16).
  expect(diagnostics.gates.find(({ gate }) => gate === 'effective-labels')!.value).toBeCloseTo(7.2, 12);
});

test('labels by score: covered with their probabilities, named without', () => {
  const run = (declared: boolean) =>
    coverageStudy(
      { ...EQUATION_WORLDS['BY-SCORE']!, policies: ['mod'], declared },
      [{ name: 'own', settings: { estimator: 'direct-augmented', rewardCalibration: 'monotone' } }],
      40,
    )[0]!;
  const known = run(true);
  expect(known.refused).toBeLessThanOrEqual(2);
  expect(known.coverage).toBeGreaterThanOrEqual(0.86);
  expect(run(false).reasons['labels-not-random']).toBeGreaterThanOrEqual(36);
});
