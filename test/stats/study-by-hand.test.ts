/** What a study is made of before anything is estimated: which rows teach, which are left out, and what is refused. */

import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../src/stats/gates/gate-refusals.ts';
import type { GateCheck } from '../../src/stats/gates/gates.ts';
import {
  ESTIMATORS,
  type EstimatorSettings,
  type EvaluationData,
  estimate,
  resolveConfig,
} from '../../src/stats/index.ts';
import { studentTwoSidedP } from '../../src/stats/numeric/special-functions.ts';
import { oddLabels } from '../../src/stats/pooled-labels.ts';
import { freshView, loggedView } from '../../src/stats/study/policy-view.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
import { auditByWeights } from '../../src/stats/weighted-audit.ts';
import { draws, evaluation, log, OPEN } from './support/hand-made.ts';

const none = Number.NaN;
const studied = (settings: EstimatorSettings, data: EvaluationData) => {
  const study = prepareStudy(resolveConfig({ gates: OPEN, ...settings }), data);
  if (!study.ok) throw new Error(study.refusal.message);
  return study.value;
};

describe('what a calibration is fitted on', () => {
  const logged = log({
    scores: [0.1, 0.3, 0.5, 0.7, 0.9],
    labels: [0, 0.2, 0.4, 0.6, none],
    lengths: [1, 2, 3, 4, 5],
  });
  const set = { ...draws({ scores: [0.2, 0.8], ids: ['s0', 's1'], labels: [0.1, 0.9], lengths: [6, 7] }) };
  const covariates = ['response_length'] as const;

  test('a set of labels of their own follows the log’s, column by column; labels without a probability count 1', () => {
    const data = { ...evaluation(logged), calibrationSet: set };
    const { source } = studied({ estimator: 'direct', covariates: [...covariates] }, data);
    expect([...source!.inputs.scores]).toEqual([0.1, 0.3, 0.5, 0.7, 0.9, 0.2, 0.8]);
    expect(source!.inputs.covariates.map((column) => [...column])).toEqual([[1, 2, 3, 4, 5, 6, 7]]);
    expect([...source!.labels]).toEqual([0, 0.2, 0.4, 0.6, none, 0.1, 0.9]);
    expect(source!.promptIds).toEqual(['q0', 'q1', 'q2', 'q3', 'q4', 's0', 's1']);
    expect(source!.weights).toBeNull();
    const drawn = { ...set, labelPropensities: Float64Array.of(0.25, 0.75) };
    const weighed = studied({ estimator: 'direct' }, { ...data, calibrationSet: drawn }).source!.weights!;
    // 4 and 4/3, of mean 8/3.
    expect([...weighed]).toEqual([1, 1, 1, 1, 1, 1.5, expect.closeTo(0.5, 12)]);
    const known = { ...logged, labelPropensities: Float64Array.of(0.5, 0.5, 0.5, 0.5, 0.5) };
    const both = studied({ estimator: 'direct' }, { ...data, logged: known }).source!.weights!;
    expect([...both]).toEqual([1, 1, 1, 1, none, 1, 1]);
  });

  test('in parity own labels pool the draws of all policies, by name, with their covariates', () => {
    const own = {
      b: draws({ scores: [0.2, 0.4, 0.5], labels: [0.2, 0.3, none], lengths: [1, 2, 9] }),
      a: draws({ scores: [0.6, 0.8], labels: [0.6, 0.7], ids: ['a0', 'a1'], lengths: [3, 4] }),
    };
    const { source } = studied(
      { estimator: 'direct-augmented', mode: 'parity', covariates: [...covariates], folds: 2 },
      evaluation(logged, own),
    );
    expect([...source!.inputs.scores]).toEqual([0.6, 0.8, 0.2, 0.4, 0.5]);
    expect(source!.inputs.covariates.map((column) => [...column])).toEqual([[3, 4, 1, 2, 9]]);
    expect([...source!.labels]).toEqual([0.6, 0.7, 0.2, 0.3, none]);
    expect(source!.promptIds).toEqual(['a0', 'a1', 'q0', 'q1', 'q2']);
  });
});

test.each([
  [30, 40, 30],
  [40, 40, 40],
  [50, 40, 25],
  [79, 40, 39],
  [100, 40, 40],
])(
  '%d labelled prompts in at most %d groups make %d: as many as there are, or two in each',
  (prompts, most, groups) => {
    const scores = Array.from({ length: prompts }, (_, i) => (i + 1) / 200);
    const data = evaluation(log({ scores, labels: scores }));
    const settings = { estimator: 'direct', rewardCalibration: 'monotone', jackknifeGroups: most } as const;
    expect(studied(settings, data).calibration!.jackknife).toHaveLength(groups);
    expect(studied({ ...settings, jackknifeGroups: null, folds: 2 }, data).calibration!.jackknife).toHaveLength(2);
  },
);

describe('rows that are left out', () => {
  test('of draws one without a score goes with all its columns', () => {
    const given = {
      ...draws({
        scores: [0.2, none, 0.6],
        labels: [none, 0.1, 0.5],
        variances: [0.01, 0.02, 0.03],
        lengths: [1, 2, 3],
      }),
      drawIndexes: Int32Array.of(4, 5, 6),
      labelPropensities: Float64Array.of(0.25, 0.5, 0.75),
    };
    const data = evaluation(log({ scores: [0.5] }), { p: given });
    const plain = { estimator: 'direct', rewardCalibration: 'none' } as const;
    expect(freshView(studied(plain, data), 'p')).toMatchObject({
      ok: false,
      refusal: { code: 'missing-judge-scores', message: 'no judge score on 1 fresh draws of p: 1' },
    });
    const view = freshView(studied({ ...plain, onMissingJudgeScore: 'drop' }, data), 'p');
    if (!view.ok) throw new Error(view.refusal.message);
    expect(view.value.draws).toEqual({
      promptIds: ['q0', 'q2'],
      drawIndexes: Int32Array.of(4, 6),
      judgeScores: Float64Array.of(0.2, 0.6),
      judgeVariances: Float64Array.of(0.01, 0.03),
      oracleLabels: Float64Array.of(none, 0.5),
      labelPropensities: Float64Array.of(0.25, 0.75),
      responseLengths: Float64Array.of(1, 3),
    });
    const without = { p: draws({ scores: [none, none] }) };
    expect(
      freshView(studied({ ...plain, onMissingJudgeScore: 'drop' }, evaluation(log({ scores: [0.5] }), without)), 'p'),
    ).toMatchObject({
      ok: false,
      refusal: { code: 'missing-judge-scores' },
    });
  });

  test('five are named, and the others counted', () => {
    const refusal = (missing: number) => {
      const scores = Array.from({ length: 8 }, (_, i) => (i < missing ? none : 0.5));
      const data = evaluation(log({ scores, weights: { p: scores.map(() => 1) } }));
      return estimate({ estimator: 'ips', rewardCalibration: 'none' }, data).policies[0];
    };
    expect(refusal(7)).toMatchObject({ message: 'no judge score on 7 logged rows: 0, 1, 2, 3, 4 and 2 more' });
    expect(refusal(5)).toMatchObject({ message: 'no judge score on 5 logged rows: 0, 1, 2, 3, 4' });
  });

  test('an estimator that weighs the log reads it although nothing is calibrated; one that reads draws alone does not', () => {
    const data = evaluation(log({ scores: [0.5, 2], weights: { p: [1, 1] } }), { p: draws({ scores: [0.2, 0.4] }) });
    const statusOf = (estimator: 'ips' | 'direct') =>
      estimate({ estimator, rewardCalibration: 'none', gates: OPEN }, data).policies[0];
    expect(statusOf('ips')).toMatchObject({ status: 'refused', code: 'scores-out-of-scale' });
    expect(statusOf('direct')).toMatchObject({ status: 'ok' });
  });

  test('rows in one fold alone leave none to fit an outcome model on', () => {
    // Both rows of one prompt are in its fold.
    const data = evaluation(log({ scores: [0.2, 0.4], ids: ['q', 'q'], weights: { p: [1, 1] } }), {
      p: draws({ scores: [0.3], ids: ['q'] }),
    });
    expect(estimate({ estimator: 'dr-cpo', rewardCalibration: 'none', gates: OPEN }, data).policies[0]).toMatchObject({
      code: 'too-few-rows',
      message: '2 usable rows, all in one cross-fitting fold, leave none to fit an outcome model on',
    });
  });
});

test('the log’s labels audit a policy by its weights over their probabilities', () => {
  // Rewards are the mean label of the other folds; the residuals of two labels count by w/π.
  const logged = {
    ...log({
      scores: [0, 0, 0, 0, 1, 1, 1, 1],
      labels: [0, 0.2, 0, 0.2, 0.6, 1, 0.6, 1],
      weights: { p: [1, 1, 1, 1, 2, 1, 1, 2] },
    }),
    labelPropensities: Float64Array.of(1, 0.5, 1, 0.5, 1, 0.5, 0.5, 1),
  };
  const study = studied({ estimator: 'direct', folds: 2, rewardCalibration: 'monotone' }, evaluation(logged));
  const audit = auditByWeights(study, 'p', null)!;
  const ω = [1, 2, 1, 2, 2, 2, 2, 2];
  const rewards = study.outOfFoldRewards!;
  const weighted = ω.reduce((sum, w, i) => sum + w * (logged.oracleLabels[i]! - rewards[i]!), 0);
  expect(audit.bias).toBeCloseTo(weighted / 14, 12);
  expect(audit.labels).toBe(8);
  // 14²/(2 · 1 + 6 · 4).
  expect(audit.effectivePrompts).toBeCloseTo(196 / 26, 12);
  const view = loggedView(study, 'p', null);
  if (!view.ok) throw new Error(view.refusal.message);
  expect(auditByWeights(study, 'p', view.value)).toEqual(audit);
  // (Σw)²/Σw² = 100/14.
  const strict = (minimumEss: number) =>
    auditByWeights(
      studied(
        { estimator: 'direct', folds: 2, rewardCalibration: 'monotone', gates: { ...OPEN, minimumEss } },
        evaluation(logged),
      ),
      'p',
      null,
    );
  expect(strict(100 / 14 + 1e-9)).toBeNull();
  expect(strict(100 / 14 - 1e-9)).not.toBeNull();
  const blind = { ...logged, targetLogprobs: new Map([['p', new Float64Array(8).fill(none)]]) };
  const without = studied({ estimator: 'direct', folds: 2, rewardCalibration: 'monotone' }, evaluation(blind));
  expect(auditByWeights(without, 'p', null)).toBeNull();
  expect(auditByWeights(without, 'q', null)).toBeNull();
});

test('a refusal that another estimator helps names it', () => {
  const use = { draws: 'D', ownLabels: 'O', plainWeights: 'W', doublyRobust: 'R' };
  const collect = (gate: GateCheck['gate']) =>
    refusalOf([{ gate, on: 'raw', value: 1, threshold: 2, verdict: 'refuse' } as GateCheck], use)!.whatToCollect;
  const naming: Readonly<Record<string, readonly GateCheck['gate'][]>> = {
    D: ['ess', 'ess-fraction', 'implied-ess-fraction', 'tail-index', 'label-balance'],
    O: [
      'pooled-labels',
      'own-labels',
      'mean-raw-weight',
      'effective-labels',
      'score-overlap',
      'label-support',
      'transport',
    ],
    W: ['stabilisation-shift'],
    R: ['stabilisation-shift'],
  };
  for (const [name, gates] of Object.entries(naming)) {
    for (const gate of gates) expect(collect(gate), gate).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test('whoever weighs the log is pointed to the next plainer weights, and the plainest to others', () => {
  const plainer = (name: string) => ESTIMATORS.alternativesTo(ESTIMATORS.get(name)).plainWeights;
  expect(['calibrated-ips', 'snips', 'ips'].map(plainer)).toEqual(['snips', 'ips', 'other weights']);
  expect(ESTIMATORS.alternativesTo(ESTIMATORS.get('ips'))).toMatchObject({
    draws: 'direct',
    ownLabels: 'direct-augmented',
  });
});

test('without a log the policy whose labels are oddest is told with the p of as many tests as there are policies', () => {
  // Labels are the scores, but for b's, which are 0.1, 0.2, 0.3 above them in turn.
  const scores = Array.from({ length: 12 }, (_, i) => (i + 1) / 20);
  const own = (label: (s: number, i: number) => number) => draws({ scores, labels: scores.map(label) });
  const freshDraws = {
    a: own((s, i) => s + 0.01 * (i % 2)),
    b: own((s, i) => s + 0.1 * (1 + (i % 3))),
    c: own((s, i) => s - 0.01 * (i % 2)),
  };
  const all = Object.values(freshDraws);
  const pooledLog = {
    ...log({ scores: all.flatMap(() => scores), ids: all.flatMap(({ promptIds }) => promptIds) }),
    oracleLabels: Float64Array.from(all.flatMap(({ oracleLabels }) => [...oracleLabels])),
  };
  const study = studied(
    { estimator: 'direct', rewardCalibration: 'monotone' },
    { ...evaluation(pooledLog, freshDraws), pooled: true },
  );
  const residuals = (policy: string) => {
    const view = freshView(study, policy);
    if (!view.ok) throw new Error(view.refusal.message);
    return Array.from(view.value.draws.oracleLabels, (y, i) => y - view.value.heldOutRewards[i]!);
  };
  const mean = (values: readonly number[]) => values.reduce((s, v) => s + v, 0) / values.length;
  // By prompt: of b one residual each, of the others two.
  const squareError = (byPrompt: readonly (readonly number[])[]) => {
    const centre = mean(byPrompt.flat());
    const totals = byPrompt.map((of) => of.reduce((s, r) => s + r - centre, 0));
    return ((12 / 11) * totals.reduce((s, t) => s + t * t, 0)) / byPrompt.flat().length ** 2;
  };
  const [a, b, c] = ['a', 'b', 'c'].map(residuals) as [number[], number[], number[]];
  const others = a.map((r, i) => [r, c[i]!]);
  const error = Math.sqrt(squareError(b.map((r) => [r])) + squareError(others));
  const p = studentTwoSidedP((mean(b) - mean(others.flat())) / error, 11);
  expect(oddLabels(study)).toEqual({ policy: 'b', pValue: expect.closeTo(3 * p, 12) });
  expect(oddLabels(studied({ estimator: 'direct' }, evaluation(pooledLog, freshDraws)))).toBeNull();
});

test.each<[keyof EstimatorSettings, readonly unknown[], readonly unknown[]]>([
  ['folds', [2, 50], [1, 51, 2.5]],
  ['seed', [0], [-1, 0.5]],
  ['alpha', [0.001, 0.999], [0, 1]],
  ['jackknifeGroups', [2, null], [1]],
  ['replicates', [100, 100_000], [99, 100_001]],
  ['weightClip', [0.1, null], [0]],
])('the setting %s may be %j, and not %j', (name, right, wrong) => {
  const resolved = (value: unknown) => () => resolveConfig({ estimator: 'direct', [name]: value });
  for (const value of right) expect(resolved(value)()).toMatchObject({ [name]: value });
  for (const value of wrong) expect(resolved(value)).toThrow(`${name}: `);
});
