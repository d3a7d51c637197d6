import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS } from '../../bench/coverage/equations.ts';
import { coverageStudy } from '../../bench/coverage/study.ts';
import { type EstimatedPolicy, estimate, resolveConfig } from '../../src/stats/index.ts';
import { freshView } from '../../src/stats/study/policy-view.ts';
import { judgeWeights, tunedWeights } from '../../src/stats/study/power-tuning.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
import { draws, evaluation, log, OPEN } from './support/hand-made.ts';

describe('λ of a mean with own labels', () => {
  const predictions = Float64Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  const folds = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
  const labelled = Int32Array.from(predictions, (_, i) => i);
  const rows = { labelled, predictions, folds, prompts: 20, weights: null };

  test('Cov(Y, f)/Var(f) of the other folds’ labels, held in [0, 1]', () => {
    // Fold 1 rises by 0.5 from f = 0 to f = 1, fold 0 by 2.
    const labels = Float64Array.of(0, 2, 0, 2, 0.1, 0.6, 0.3, 0.8);
    const tuned = tunedWeights({ ...rows, labels }, 1);
    expect([...tuned.subarray(0, 4)]).toEqual(Array(4).fill(expect.closeTo(0.5, 12)));
    expect([...tuned.subarray(4)]).toEqual(Array(4).fill(1));
    const against = labels.map((y) => 1 - y);
    expect([...tunedWeights({ ...rows, labels: against }, 1)]).toEqual(Array(8).fill(0));
    // A label that counts nothing leaves 0.1 and 0.3 against 0.6.
    const weights = Float64Array.of(1, 1, 1, 1, 1, 1, 1, 0);
    expect(tunedWeights({ ...rows, labels, weights }, 1)[0]).toBeCloseTo(0.4, 12);
  });

  test('below 20 labelled prompts, or without spread, the one that was asked for', () => {
    const labels = Float64Array.of(0, 1, 0, 1, 0, 1, 0, 1);
    expect([...tunedWeights({ ...rows, labels, prompts: 19 }, 0)]).toEqual(Array(8).fill(0));
    expect([...tunedWeights({ ...rows, labels, predictions: new Float64Array(8) }, 1)]).toEqual(Array(8).fill(1));
  });
});

describe('direct-augmented', () => {
  const scores = Array.from({ length: 40 }, (_, i) => i % 2);
  const labels = scores.map((s, i) => (i < 24 ? (s === 1 ? 0.7 : 0.3) + (i % 4 < 2 ? 0.1 : -0.1) : Number.NaN));
  const data = evaluation(log({ scores, labels }), { p: draws({ scores: scores.map((s) => 1 - s), labels }) });
  const value = (more: object) =>
    estimate({ estimator: 'direct-augmented', rewardCalibration: 'monotone', gates: OPEN, ...more }, data)
      .policies[0] as EstimatedPolicy;

  test('without the judge is the mean label, whatever the judge says', () => {
    const { estimate: ψ, components } = value({ tuning: 'none', judgeWeight: 0 });
    const own = labels.slice(0, 24);
    const mean = own.reduce((s, y) => s + y, 0) / 24;
    expect(ψ).toBeCloseTo(mean, 12);
    // s²/m as if 24/40 of n rows had the whole: Σ (Y − ȳ)² (n/m)²/n/(n − 1).
    const squares = own.reduce((s, y) => s + (y - mean) ** 2, 0);
    expect(components.samplingVariance).toBeCloseTo((squares * (40 / 24) ** 2) / 40 / 39, 12);
  });

  test('a judge that runs against the labels is tuned away', () => {
    expect(value({}).estimate).toBeCloseTo(value({ tuning: 'none', judgeWeight: 0 }).estimate, 12);
    expect(value({}).standardError).toBeLessThan(value({ tuning: 'none' }).standardError);
  });

  test('labels drawn half as often count double in how much the judge is worth', () => {
    // Labels of π = 1 rise with the judge, those of π = ½ do not.
    const rising = scores.map((s, i) => (i >= 24 ? Number.NaN : i % 4 < 2 ? 0.25 + 0.5 * s : 0.5));
    const tuned = (labelPropensities: Float64Array) => {
      const own = { ...draws({ scores, labels: rising }), labelPropensities };
      const study = prepareStudy(
        resolveConfig({ estimator: 'direct-augmented', rewardCalibration: 'none', gates: OPEN }),
        evaluation(log({ scores, labels: rising }), { p: own }),
      );
      if (!study.ok) throw new Error(study.refusal.message);
      const view = freshView(study.value, 'p');
      if (!view.ok) throw new Error(view.refusal.message);
      return [...judgeWeights(view.value, study.value.config.options)];
    };
    const even = tuned(new Float64Array(40).fill(0.5));
    const double = tuned(Float64Array.from(scores, (_, i) => (i % 4 < 2 ? 1 : 0.5)));
    expect(Math.max(...even)).toBeLessThan(0.5);
    double.forEach((weight, i) => {
      expect(weight).toBeGreaterThan(0);
      expect(weight).toBeLessThan(even[i]! - 0.02);
    });
  });

  test('parity keeps λ = 1', () => {
    const { options } = estimate({ estimator: 'direct-augmented', mode: 'parity' }, data).config;
    expect(options).toEqual({ tuning: 'none', judgeWeight: 1, interval: 'normal' });
  });
});

test('a blind judge costs no width: red where its noise is taken in whole, or folds differ by its level', () => {
  const width = (name: string, settings: object, seeds: number) =>
    coverageStudy(
      { ...EQUATION_WORLDS[name]!, policies: ['clone'], ownLabels: 60 },
      [{ name, settings: { estimator: 'direct-augmented', rewardCalibration: 'monotone', ...settings } }],
      seeds,
    )[0]!.meanWidth;
  expect(width('BLIND', {}, 40) / width('BLIND', { tuning: 'none', judgeWeight: 0 }, 40)).toBeLessThan(1.03);
  expect(width('CONT', {}, 40) / width('CONT', { tuning: 'none' }, 40)).toBeLessThan(1.02);
});
