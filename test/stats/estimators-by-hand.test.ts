import { describe, expect, test } from 'vitest';
import { shuffledFolds } from '../../src/stats/compat/python/shuffled-folds.ts';
import { balancedFolds, foldsOfPrompts } from '../../src/stats/data/folds.ts';
import { doublyRobust } from '../../src/stats/estimators/doubly-robust.ts';
import { resolveConfig } from '../../src/stats/estimators/registry.ts';
import {
  type EstimatedPolicy,
  type EstimatorSettings,
  type EvaluationData,
  estimate,
  type RefusedPolicy,
} from '../../src/stats/index.ts';
import { covariance } from '../../src/stats/numeric/linear-algebra.ts';
import { minimumVarianceMixture } from '../../src/stats/numeric/simplex.ts';
import { studentQuantile } from '../../src/stats/numeric/special-functions.ts';
import { freshView, loggedView } from '../../src/stats/study/policy-view.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
import { draws, evaluation, log, OPEN } from './support/hand-made.ts';

const first = (settings: EstimatorSettings, data: EvaluationData) => {
  const [policy] = estimate({ gates: OPEN, ...settings }, data).policies;
  if (policy?.status !== 'ok') throw new Error(`refused: ${policy?.message}`);
  return policy;
};
/** Influence values by the number in a prompt's id, as rows are summed by prompt. */
const byRow = ({ influence, influencePromptIds }: ReturnType<typeof first>) =>
  Array.from(influence, (_, i) => influence[influencePromptIds.indexOf(`q${i}`)]!);
const plain = { rewardCalibration: 'none' } as const;
const numbers = (values: ArrayLike<number>) => Array.from(values, (v) => expect.closeTo(v, 12));

describe('weighting, on four rows', () => {
  // Rewards 0.2, 0.4, 0.6, 0.8; weights 0.5, 1, 1, 1.1, whose mean is 0.9.
  const rows = { scores: [0.2, 0.4, 0.6, 0.8], weights: { p: [0.5, 1, 1, 1.1] }, variances: [0.01, 0.02, 0.03, 0.04] };
  const data = evaluation(log(rows));

  test('ips: mean of wR, its own variance, and the raw weights in the judge’s', () => {
    const ips = first({ estimator: 'ips', ...plain, judgeUncertainty: true }, data);
    // 0.1 + 0.4 + 0.6 + 0.88 = 1.98, over 4.
    expect(ips.estimate).toBeCloseTo(0.495, 12);
    expect([...ips.influence]).toEqual(numbers([-0.395, -0.095, 0.105, 0.385]));
    // Σφ² = 0.156025 + 0.009025 + 0.011025 + 0.148225 = 0.3243; over 3 · 4.
    expect(ips.components.samplingVariance).toBeCloseTo(0.3243 / 12, 12);
    expect(ips.degreesOfFreedom).toBe(3);
    // Σw²V = 0.0025 + 0.02 + 0.03 + 1.21 · 0.04 = 0.1009, over 16.
    expect(ips.components.judgeVariance).toBeCloseTo(0.1009 / 16, 12);
    expect(ips.judgeStandardError).toBeCloseTo(Math.sqrt(0.1009) / 4, 12);
    // (Σw)²/Σw² = 12.96/3.46.
    expect(ips.ess).toBeCloseTo(12.96 / 3.46, 12);
    expect(ips.essFraction).toBeCloseTo(3.24 / 3.46, 12);
    expect(ips.rawEss).toBeCloseTo(12.96 / 3.46, 12);
    expect(ips.meanRawWeight).toBeCloseTo(0.9, 12);
    expect(ips.tail).toEqual({ index: null, maximumShare: expect.closeTo(1.1 / 3.6, 12) });
  });

  test('the interval of ips is corrected for all of its skewness, that of snips where it is noticeable, on one side', () => {
    const mirrored = (p: EstimatedPolicy) => p.interval[1] - p.estimate - (p.estimate - p.interval[0]);
    // One heavy row at the top: the long tail is above.
    const heavy = evaluation(
      log({ scores: [0.4, 0.4, 0.4, 0.4, 0.4, 0.9], weights: { p: [0.5, 0.5, 0.5, 0.5, 0.5, 2] } }),
    );
    expect(mirrored(first({ estimator: 'ips', ...plain }, heavy))).toBeGreaterThan(0.1);
    const snips = first({ estimator: 'snips', ...plain }, heavy);
    expect(mirrored(snips)).toBeGreaterThan(0.1);
    const student = studentQuantile(0.975, snips.degreesOfFreedom) * snips.standardError;
    expect(snips.estimate - snips.interval[0]).toBeCloseTo(student, 12);
    // One light row among heavy ones of the same reward: the long tail is below.
    const light = evaluation(
      log({ scores: [0.6, 0.6, 0.6, 0.6, 0.6, 0.1], weights: { p: [1.2, 1.2, 1.2, 1.2, 1.2, 0.1] } }),
    );
    expect(mirrored(first({ estimator: 'ips', ...plain }, light))).toBeLessThan(-0.1);
  });

  test('snips: ΣwR/Σw, φ over the mean weight, mean-one weights in the judge’s variance', () => {
    const snips = first({ estimator: 'snips', ...plain, judgeUncertainty: true }, data);
    // 1.98/3.6.
    expect(snips.estimate).toBeCloseTo(0.55, 12);
    expect([...snips.influence]).toEqual(numbers([-0.175, -0.15, 0.05, 0.275].map((v) => v / 0.9)));
    // Σ = 0.030625 + 0.0225 + 0.0025 + 0.075625 = 0.13125; over 0.81 · 3 · 4.
    expect(snips.components.samplingVariance).toBeCloseTo(0.13125 / 0.81 / 12, 12);
    expect(snips.components.judgeVariance).toBeCloseTo(0.1009 / 0.81 / 16, 12);
    const parity = first({ estimator: 'snips', ...plain, mode: 'parity' }, data);
    expect(parity.degreesOfFreedom).toBe(Number.POSITIVE_INFINITY);
    expect(parity.components.samplingVariance).toBeCloseTo(0.13125 / 0.81 / 12, 12);
  });

  test('rows of one prompt are one cluster', () => {
    const twice = evaluation(log({ ...rows, ids: ['a', 'a', 'b', 'c'] }));
    const snips = first({ estimator: 'snips', ...plain }, twice);
    // Totals −0.325, 0.05, 0.275 over 0.9: Σ = 0.18375/0.81; 3/2 of it over 16.
    expect(snips.components.samplingVariance).toBeCloseTo((1.5 * 0.18375) / 0.81 / 16, 12);
    expect(snips.degreesOfFreedom).toBe(2);
    expect(snips.diagnostics).toMatchObject({ rows: 4, prompts: 3 });
  });

  test('clipped at 1: self-normalised weights 5/9, 10/9, 10/9, 11/9 become 5/8, 9/8, 9/8, 9/8', () => {
    const snips = first({ estimator: 'snips', ...plain, weightClip: 1 }, data);
    // (0.625 · 0.2 + 1.125 · 1.8)/4.
    expect(snips.estimate).toBeCloseTo(0.5375, 12);
    // Raw weights keep their own diagnostics: 16/(25 + 3 · 81)/64.
    expect(snips.ess).toBeCloseTo((16 * 64) / 268, 12);
    expect(snips.rawEss).toBeCloseTo(12.96 / 3.46, 12);
  });

  test('a row without a log probability is left out for the policy that lacks it, list-wise for all', () => {
    const gap = evaluation(log({ ...rows, weights: { p: [0.5, 1, 1, 1.1], q: [Number.NaN, 1, 1, 1] } }));
    const values = (deletion: 'per-policy' | 'list-wise') =>
      estimate({ estimator: 'snips', ...plain, deletion, gates: OPEN }, gap).policies.map((p) => [
        p.status === 'ok' ? p.estimate : p.code,
        p.diagnostics.rows,
        p.diagnostics.droppedForLogprob,
      ]);
    expect(values('per-policy')).toEqual([
      [expect.closeTo(0.55, 12), 4, 0],
      [expect.closeTo(0.6, 12), 3, 1],
    ]);
    // (0.4 + 0.6 + 0.88)/3.1.
    expect(values('list-wise')).toEqual([
      [expect.closeTo(1.88 / 3.1, 12), 3, 1],
      [expect.closeTo(0.6, 12), 3, 1],
    ]);
  });
});

describe('own draws', () => {
  const own = { scores: [0.2, 0.4, 0.6, 0.8], variances: [0.01, 0.02, 0.03, 0.06] };
  const logged = log({ scores: [0.5, 0.6], labels: [0.4, 0.5] });

  test.each(['naive', 'direct'] as const)(
    '%s without calibration: the mean score, clustered by prompt',
    (estimator) => {
      const p = first({ estimator, ...plain, judgeUncertainty: true }, evaluation(logged, { p: draws(own) }));
      expect(p.estimate).toBeCloseTo(0.5, 12);
      // Σφ² = 0.09 + 0.01 + 0.01 + 0.09 over 12.
      expect(p.components.samplingVariance).toBeCloseTo(0.2 / 12, 12);
      expect(p.degreesOfFreedom).toBe(3);
      // Mean variance 0.03 over 4.
      expect(p.components.judgeVariance).toBeCloseTo(0.0075, 12);
      const shared = first(
        { estimator, ...plain },
        evaluation(logged, { p: draws({ ...own, ids: ['a', 'b', 'b', 'a'] }) }),
      );
      expect(shared.components.samplingVariance).toBeCloseTo(0, 12);
      expect(shared.degreesOfFreedom).toBe(1);
    },
  );

  test('parity clusters only where policies share one set of prompts', () => {
    const ids = ['a', 'b', 'b', 'a'];
    const variance = (others: readonly string[] | null) => {
      const policies = { p: draws({ ...own, ids }), ...(others === null ? {} : { q: draws({ ...own, ids: others }) }) };
      return first({ estimator: 'direct', ...plain, mode: 'parity' }, evaluation(logged, policies)).components
        .samplingVariance;
    };
    expect(variance(null)).toBeCloseTo(0.2 / 12, 12);
    expect(variance(['a', 'b', 'a', 'b'])).toBeCloseTo(0, 12);
    expect(variance(['a', 'b', 'c', 'a'])).toBeCloseTo(0.2 / 12, 12);
    expect(variance(['a', 'a', 'a', 'a'])).toBeCloseTo(0.2 / 12, 12);
    expect(variance(['a', 'a', 'c', 'a'])).toBeCloseTo(0.2 / 12, 12);
  });

  test('direct-augmented: mean prediction plus mean residual of the labelled half', () => {
    const data = evaluation(logged, { p: draws({ ...own, labels: [0, 1, Number.NaN, Number.NaN] }) });
    const p = first({ estimator: 'direct-augmented', ...plain, judgeUncertainty: true }, data);
    // Residuals −0.2 and 0.6: c = 0.2.
    expect(p.estimate).toBeCloseTo(0.7, 12);
    expect(p.diagnostics.parts).toEqual({ outcome: expect.closeTo(0.5, 12), correction: expect.closeTo(0.2, 12) });
    // R − 0.5, and on the labelled half (∓0.4)/½.
    expect([...p.influence]).toEqual(numbers([-0.3 - 0.8, -0.1 + 0.8, 0.1, 0.3]));
    expect(p.components.samplingVariance).toBeCloseTo(1.8 / 12, 12);
    // In 60ths: predictions 0.2/3/4 = 1 on 3, residuals 0.32/2 = 9.6 on 1: 10.6²/(1/3 + 9.6²).
    expect(p.degreesOfFreedom).toBeCloseTo(112.36 / (1 / 3 + 92.16), 10);
    expect(p.components.judgeVariance).toBeCloseTo(0.0075, 12);
  });

  test('direct in parity has the boundary card of its draws, as it weighs no log', () => {
    // Labels on 0.1 … 1, and one row without: not all rewards are labels. One draw of four lies below.
    const logged = log({
      scores: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 0.5],
      labels: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, Number.NaN],
    });
    const data = evaluation(logged, { p: draws({ scores: [0.05, 0.2, 0.6, 0.9] }) });
    expect(first({ estimator: 'direct', mode: 'parity' }, data).diagnostics.boundary!.outOfRange).toBe(0.25);
  });

  test('direct-augmented with one own label: its residual is the correction', () => {
    const one = draws({ ...own, labels: [0.4, Number.NaN, Number.NaN, Number.NaN] });
    const p = first({ estimator: 'direct-augmented', ...plain }, evaluation(logged, { p: one }));
    expect(p.estimate).toBeCloseTo(0.7, 12);
    expect(p.diagnostics.parts!.correction).toBeCloseTo(0.2, 12);
    // One residual has no variance of its own; one label of 0.4 leaves open that 95 % of the answers lie at an end of the scale.
    expect(p.degreesOfFreedom).toBe(3);
    expect(p.interval[0]).toBeLessThan(0.7 - 0.95 * 0.4);
    // Answers above the one label could move it up by 0.95 · 0.6, further than the scale goes.
    expect(p.interval[1]).toBe(1);
    expect(p.diagnostics.gates).toContainEqual(expect.objectContaining({ gate: 'unseen-labels', verdict: 'warn' }));
  });

  test('a logged score that is missing stops direct only where the row has a label', () => {
    const gap = (labels: readonly number[]) =>
      evaluation(log({ scores: [0.1, Number.NaN, 0.3, 0.4, 0.5, 0.6], labels }), { p: draws(own) });
    const result = (labels: readonly number[]) =>
      estimate({ estimator: 'direct', gates: OPEN }, gap(labels)).policies[0]!;
    const N = Number.NaN;
    expect(result([0.1, N, 0.3, 0.4, 0.5, 0.6]).status).toBe('ok');
    expect(result([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])).toMatchObject({
      status: 'refused',
      code: 'missing-judge-scores',
      message: expect.stringContaining('no judge score on 1 logged rows: 1'),
    });
    expect(
      estimate({ estimator: 'direct', onMissingJudgeScore: 'drop', gates: OPEN }, gap([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
        .policies[0]!.status,
    ).toBe('ok');
  });

  test('draws of other prompts than the logged ones are no draws, whether others are dropped or not', () => {
    const weighed = log({ scores: [0.2, 0.4, 0.6, 0.8], weights: { p: [1, 1, 1, 1] } });
    const elsewhere = evaluation(weighed, { p: draws({ ...own, ids: ['w', 'x', 'y', 'z'] }) });
    const refusal = (onMissingFreshDraw: 'drop' | 'refuse') =>
      estimate({ estimator: 'dr-cpo', ...plain, onMissingFreshDraw, gates: OPEN }, elsewhere).policies[0];
    expect(refusal('drop')).toMatchObject({
      code: 'missing-fresh-draws',
      message: 'no logged prompt has a fresh draw of p',
    });
    expect(refusal('refuse')).toMatchObject({
      code: 'missing-fresh-draws',
      message: expect.stringContaining('p has no fresh draw for 4 prompts'),
    });
  });

  test('every draw labelled: the mean label and its own error', () => {
    const p = first(
      { estimator: 'direct-augmented', ...plain, judgeUncertainty: true },
      evaluation(logged, { p: draws({ ...own, labels: [0.1, 0.1, 0.5, 0.5] }) }),
    );
    expect(p.estimate).toBeCloseTo(0.3, 12);
    // No score is read, so no judge has a part in it.
    expect(p.components.judgeVariance).toBe(0);
    expect(p.components.samplingVariance).toBeCloseTo(0.16 / 12, 12);
    expect(p.degreesOfFreedom).toBe(3);
  });

  test('labels are counted by prompt; as many as the gate asks for are enough', () => {
    const labels = [0.4, 0.5, 0.6, Number.NaN];
    const run = (ids: readonly string[], minimumOwnLabels: number, mode: 'recommended' | 'parity' = 'recommended') =>
      estimate(
        { estimator: 'direct-augmented', ...plain, mode, gates: { ...OPEN, minimumOwnLabels } },
        evaluation(logged, { p: draws({ ...own, labels, ids }) }),
      ).policies[0]!;
    expect(run(['a', 'b', 'c', 'd'], 3).status).toBe('ok');
    expect(run(['a', 'b', 'c', 'd'], 4)).toMatchObject({ code: 'too-few-own-labels' });
    const twice = run(['a', 'b', 'b', 'd'], 3) as RefusedPolicy;
    expect(twice.diagnostics).toMatchObject({ rows: 0, prompts: 0, gates: [], rawWeights: null });
    expect(twice.message).toContain('2 of p');
    expect(twice.whatToCollect).toContain('1 more');
    expect(run(['a', 'b', 'b', 'd'], 3, 'parity').status).toBe('ok');
  });
});

describe('doubly robust, given an outcome model', () => {
  // Weights 0.5, 1, 1, 1.5; rewards 0.2, 0.4, 0.6, 0.8. The second prompt has two draws.
  const data = evaluation(log({ scores: [0.2, 0.4, 0.6, 0.8], weights: { p: [0.5, 1, 1, 1.5] } }), {
    p: draws({
      scores: [0.5, 0.5, 0.5, 0.5, 0.5],
      ids: ['q3', 'q0', 'q1', 'q1', 'q2'],
      variances: [0.04, 0.04, 0.02, 0.04, 0.08],
    }),
  });
  const study = prepareStudy(resolveConfig({ estimator: 'dr-cpo', ...plain, gates: OPEN }), data);
  if (!study.ok) throw new Error(study.refusal.message);
  const fresh = freshView(study.value, 'p');
  if (!fresh.ok) throw new Error(fresh.refusal.message);
  const view = loggedView(study.value, 'p', fresh.value);
  if (!view.ok) throw new Error(view.refusal.message);
  const outcome = {
    logged: Float64Array.of(0.3, 0.3, 0.5, 0.7),
    draws: Float64Array.of(0.9, 0.4, 0.2, 0.6, 0.5),
    folds: Int32Array.of(0, 1, 0, 1),
  };

  test('mean over prompts of the draws’ mean, plus the mean weighted residual', () => {
    const computed = doublyRobust(study.value, view.value, fresh.value, view.value.weights, outcome);
    // Draws by prompt 0.4, (0.2 + 0.6)/2, 0.5, 0.9: mean 0.55. Residuals −0.05, 0.1, 0.1, 0.15: mean 0.075.
    expect(computed.parts).toEqual({ outcome: expect.closeTo(0.55, 12), correction: expect.closeTo(0.075, 12) });
    expect(computed.estimate).toBeCloseTo(0.625, 12);
    expect([...computed.influence]).toEqual(numbers([-0.275, -0.125, -0.025, 0.425]));
    expect(computed.sampling.variance).toBeCloseTo(0.2725 / 12, 12);
    expect(computed.sampling.degreesOfFreedom).toBe(3);
    // By prompt the mean variance over its draws: 0.04, 0.03/2, 0.08, 0.04 over 16.
    expect(computed.judgeVariance).toBeCloseTo(0.175 / 16, 12);
    expect(computed.orthogonality!.score).toBeCloseTo(0.075, 12);
    expect(computed.leaveOneOut).toBeNull();
  });
});

/**
 * A judge of two scores, 0 and 1: the calibration is the mean label at each, so a leave-one-group-out fit is the mean over
 * the other groups' labels, and every formula is an average.
 */
describe('with a calibration of two levels', () => {
  const n = 12;
  const scores = Array.from({ length: n }, (_, i) => i % 2);
  const none = Number.NaN;
  // Low scores 0.1, 0.3, 0.1, 0.3: mean 0.2; high scores 0.6, 0.8, 0.9, 0.7: mean 0.75. Four rows have no label.
  const labels = [0.1, 0.6, 0.3, 0.8, 0.1, 0.9, 0.3, 0.7, none, none, none, none];
  const weights = [0.5, 1.5, 1, 1, 1.5, 0.5, 1, 1, 1, 1, 1, 1];
  const variances = new Array<number>(n).fill(0.02);
  const ownScores = Array.from({ length: n }, (_, i) => (i < 3 ? 0 : 1));
  const ownLabels = Array.from({ length: n }, (_, i) => (i < 2 ? 0.25 : i > 9 ? 0.8 : none));
  const data = evaluation(log({ scores, weights: { p: weights }, labels, variances }), {
    p: draws({ scores: ownScores, variances, labels: ownLabels }),
  });
  const settings = { rewardCalibration: 'monotone', jackknifeGroups: 4, gates: OPEN } as const;
  const mean = (values: readonly number[]) => values.reduce((s, v) => s + v, 0) / values.length;

  /** Mean label at either score over the labelled rows that `keep` keeps. */
  const levels = (keep: (row: number) => boolean) =>
    [0, 1].map((level) => mean(labels.filter((y, i) => !Number.isNaN(y) && i % 2 === level && keep(i)))) as [
      number,
      number,
    ];
  const ids = Array.from({ length: 8 }, (_, i) => `q${i}`);
  /** Eight labelled prompts make four groups of two. */
  const groups = balancedFolds(ids, 4, 42)(ids);
  const leftOut = [0, 1, 2, 3].map((group) => levels((row) => groups[row] !== group));
  const jackknife = (of: (low: number, high: number) => number) => {
    const values = leftOut.map(([low, high]) => of(low, high));
    return (3 / 4) * values.reduce((s, v) => s + (v - mean(values)) ** 2, 0);
  };

  test('direct: three draws at 0.2 and nine at 0.75', () => {
    const p = first({ estimator: 'direct', ...settings, judgeUncertainty: true }, data);
    expect(p.estimate).toBeCloseTo((3 * 0.2 + 9 * 0.75) / 12, 12);
    // p(1 − p) · 0.55² · n/(n − 1)/n with p = ¼.
    expect(p.components.samplingVariance).toBeCloseTo((0.1875 * 0.55 ** 2) / 11, 12);
    expect(p.oracleJackknife).toHaveLength(4);
    expect(p.components.oracleVariance).toBeCloseTo(
      jackknife((low, high) => (3 * low + 9 * high) / 12),
      12,
    );
    // γ̂ = Σ(Y − f̂)²/ΣV = (4 · 0.01 + 0.0225 + 0.0025 + 0.0225 + 0.0025)/(8 · 0.02) = 0.09/0.16; mean variance 0.02 over 12.
    expect(p.components.judgeVariance).toBeCloseTo(((0.09 / 0.16) * 0.02) / 12, 12);
    expect(estimate({ estimator: 'direct', ...settings }, data).calibration).toMatchObject({
      judgeVarianceScale: expect.closeTo(0.5625, 12),
      selected: 'monotone',
      labels: 8,
      folds: 4,
    });
  });

  test('ips and snips: the jackknife keeps weights and moves the levels', () => {
    // Weights of even rows: 0.5, 1, 1.5, 1, 1, 1 = 6, of odd rows 1.5, 1, 0.5, 1, 1, 1 = 6: both ½ and mean one.
    for (const estimator of ['ips', 'snips'] as const) {
      const p = first({ estimator, ...settings }, data);
      expect(p.estimate).toBeCloseTo((0.2 + 0.75) / 2, 12);
      expect(p.components.oracleVariance).toBeCloseTo(
        jackknife((low, high) => (low + high) / 2),
        12,
      );
      expect(first({ estimator, ...settings, oracleUncertainty: false }, data).components.oracleVariance).toBe(0);
    }
  });

  test('doubly robust: the oracle term is direct’s, however the log is weighed', () => {
    for (const estimator of ['dr-cpo', 'mrdr', 'tmle', 'stacked-dr'] as const) {
      const p = first({ estimator, ...settings }, data);
      expect(p.components.oracleVariance, estimator).toBeCloseTo(
        jackknife((low, high) => (3 * low + 9 * high) / 12),
        12,
      );
    }
  });

  test('dr-cpo: predictions and residuals by the fit without a prompt’s fold', () => {
    const p = first({ estimator: 'dr-cpo', ...settings }, data);
    const folds = foldsOfPrompts(
      Array.from({ length: n }, (_, i) => `q${i}`),
      4,
      42,
    );
    const held = Array.from({ length: n }, (_, i) => levels((row) => folds[row] !== folds[i]));
    const outcome = mean(held.map((level, i) => level[ownScores[i]!]!));
    const correction = mean(held.map((level, i) => weights[i]! * ([0.2, 0.75][scores[i]!]! - level[scores[i]!]!)));
    expect(p.diagnostics.parts).toEqual({
      outcome: expect.closeTo(outcome, 12),
      correction: expect.closeTo(correction, 12),
    });
    expect(p.estimate).toBeCloseTo(outcome + correction, 12);
    // One draw a prompt, whose variance counts γ̂ times as it does in direct.
    expect(
      first({ estimator: 'dr-cpo', ...settings, judgeUncertainty: true }, data).components.judgeVariance,
    ).toBeCloseTo(((0.09 / 0.16) * 0.02) / 12, 12);
  });

  test('direct-augmented: residuals of own labels, in the estimate and in each jackknife value', () => {
    const p = first({ estimator: 'direct-augmented', ...settings }, data);
    // Labels 0.25 twice at 0, 0.8 twice at 1: residuals 0.05 twice and 0.05 twice.
    expect(p.diagnostics.parts!.correction).toBeCloseTo(0.05, 12);
    expect(p.estimate).toBeCloseTo((3 * 0.2 + 9 * 0.75) / 12 + 0.05, 12);
    const value = (low: number, high: number) => (3 * low + 9 * high) / 12 + (0.25 - low + 0.8 - high) / 2;
    expect(p.components.oracleVariance).toBeCloseTo(jackknife(value), 12);
  });

  test('a judge that states no variance is taken at scale 1', () => {
    const silent = evaluation(log({ scores, labels }), { p: draws({ scores: ownScores }) });
    expect(estimate({ estimator: 'direct', ...settings }, silent).calibration!.judgeVarianceScale).toBe(1);
  });

  test.each([
    [0.5, 1.5],
    [1.5, 0.5],
  ])(
    'dr-augmented, weights of %f and %f: dr-cpo, and the labels’ residuals by the mean weight at their score in the other folds',
    (low, high) => {
      // A mean weight at a score of 0 and another at 1, and 1 in all; of other folds' means, as folds are not alike, another.
      const own = [-0.1, 0.2, 0.1, -0.1, 0, 0.1, -0.1, 0, 0.1, -0.1, 0, -0.1];
      const tilted = scores.map((score, i) => (score === 0 ? low : high) + own[i]!);
      const of = evaluation(log({ scores, weights: { p: tilted }, labels }), { p: draws({ scores: ownScores }) });
      const folds = foldsOfPrompts(
        Array.from({ length: n }, (_, i) => `q${i}`),
        4,
        42,
      );
      const raw = scores.map((score, i) => mean(tilted.filter((_, j) => folds[j] !== folds[i] && scores[j] === score)));
      const projected = raw.map((w) => w / mean(raw));
      const labelled = Array.from({ length: 8 }, (_, i) => i);
      const corrected = (level: (row: number) => readonly number[]) =>
        labelled.map((i) => projected[i]! * (labels[i]! - level(i)[scores[i]!]!));
      const terms = corrected((i) => levels((row) => folds[row] !== folds[i]));

      const base = first({ estimator: 'dr-cpo', ...settings }, of);
      const p = first({ estimator: 'dr-augmented', ...settings }, of);
      expect(Math.abs(mean(raw) - 1)).toBeGreaterThan(1e-3);
      expect(mean(terms)).not.toBeCloseTo(0, 3);
      expect(p.estimate).toBeCloseTo(base.estimate + mean(terms), 12);
      expect(p.diagnostics.parts!.correction).toBeCloseTo(base.diagnostics.parts!.correction + mean(terms), 12);
      // A label stands for 12/8 rows.
      const influence = byRow(base).map((value, i) => value + (i < 8 ? 1.5 * (terms[i]! - mean(terms)) : 0));
      expect(byRow(p)).toEqual(numbers(influence));
      expect(p.components.oracleVariance).toBeCloseTo(
        jackknife((low, high) => (3 * low + 9 * high) / 12 + mean(corrected(() => [low, high]))),
        12,
      );
    },
  );

  test('dr-labelled: the other folds’ levels on the draws, and the labels’ residuals by their weights', () => {
    const folds = foldsOfPrompts(
      Array.from({ length: n }, (_, i) => `q${i}`),
      4,
      42,
    );
    const without = (i: number) => levels((row) => folds[row] !== folds[i]);
    const fresh = ownScores.map((score, i) => without(i)[score]!);
    const labelled = Array.from({ length: 8 }, (_, i) => i);
    const residuals = labelled.map((i) => labels[i]! - without(i)[scores[i]!]!);
    const total = labelled.reduce((s, i) => s + weights[i]!, 0);
    const correction = residuals.reduce((s, r, i) => s + weights[i]! * r, 0) / total;

    const p = first({ estimator: 'dr-labelled', ...settings }, data);
    expect(correction).not.toBeCloseTo(0, 3);
    expect(p.estimate).toBeCloseTo(mean(fresh) + correction, 12);
    const influence = fresh.map(
      (g, i) => g - mean(fresh) + (i < 8 ? (n * weights[i]! * (residuals[i]! - correction)) / total : 0),
    );
    expect(byRow(p)).toEqual(numbers(influence));
    expect(p.components.samplingVariance).toBeCloseTo(influence.reduce((s, v) => s + v * v, 0) / (n - 1) / n, 12);
    expect([p.oracleJackknife, p.components.oracleVariance, p.diagnostics.boundary]).toEqual([null, 0, null]);
    // Twelve prompts behind the predictions, 64/9 labels behind the correction.
    const varianceOf = (values: readonly number[]) =>
      values.reduce((s, v) => s + (v - mean(values)) ** 2, 0) / (n - 1) / n;
    const predicted = varianceOf(fresh);
    const corrected = varianceOf(influence.map((value, i) => value - fresh[i]!));
    expect(p.degreesOfFreedom).toBeCloseTo(
      (predicted + corrected) ** 2 / (predicted ** 2 / (n - 1) + corrected ** 2 / (64 / 9 - 1)),
      10,
    );
    // (0.5 + 1.5 + 1 + 1 + 1.5 + 0.5 + 1 + 1)²/(4 · 1 + 2 · 0.25 + 2 · 2.25) = 64/9.
    expect(p.diagnostics.gates.find(({ gate }) => gate === 'effective-labels')!.value).toBeCloseTo(64 / 9, 12);
    const refused = estimate(
      { estimator: 'dr-labelled', ...settings, gates: { ...OPEN, minimumWeightedLabels: 8 } },
      data,
    );
    expect(refused.policies[0]).toMatchObject({ code: 'too-few-oracle-labels' });
  });

  test('labels of one prompt are worth one to a correction: two rows of each of four prompts are four', () => {
    const twice = {
      ...data,
      logged: { ...data.logged, promptIds: Array.from({ length: n }, (_, i) => (i < 8 ? `q${i % 4}` : `q${i}`)) },
    };
    const effective = (estimator: 'dr-labelled' | 'dr-augmented', of: EvaluationData) =>
      first({ estimator, ...settings }, of).diagnostics.gates.find(({ gate }) => gate === 'effective-labels')?.value;
    // Of weights 0.5 + 1.5, 1.5 + 0.5, 1 + 1 and 1 + 1.
    expect(effective('dr-labelled', data)).toBeCloseTo(64 / 9, 12);
    expect(effective('dr-labelled', twice)).toBeCloseTo(4, 12);
    expect(effective('dr-augmented', data)).toBeGreaterThan(4);
    expect(effective('dr-augmented', twice)).toBeLessThanOrEqual(4 + 1e-12);
  });

  test('a gate that warns is among those that pass', () => {
    // Every reward is at one of the two levels.
    const p = first({ estimator: 'direct', ...settings, gates: { ...OPEN, warnSaturation: 1 } }, data);
    const warned = p.diagnostics.gates.filter(({ verdict }) => verdict === 'warn');
    expect(warned).toMatchObject([{ gate: 'saturation', on: 'scores', value: 1 }]);
    expect(p.diagnostics.gates.length).toBeGreaterThan(1);
  });

  test('the audit holds own labels against the calibration', () => {
    const p = first({ estimator: 'direct', ...settings, gates: { ...OPEN, transportMargin: 0.06 } }, data);
    expect(p.diagnostics.transport).toMatchObject({ labels: 4, bias: expect.closeTo(0.05, 12), state: 'inconclusive' });
    // Every residual is 0.05, so the interval is 0.05 itself: outside a margin of 0.04.
    const [refused] = estimate(
      { estimator: 'direct', ...settings, gates: { ...OPEN, transportMargin: 0.04 } },
      data,
    ).policies;
    expect(refused).toMatchObject({ status: 'refused', code: 'transport-failed' });
    const own = first({ estimator: 'direct-augmented', ...settings, gates: { ...OPEN, transportMargin: 0.04 } }, data);
    expect(own.diagnostics.transport).toBeNull();
  });

  test('every row labelled: rewards are the labels, and only direct has an oracle term', () => {
    const full = evaluation(
      log({ scores, weights: { p: weights }, labels: labels.map((y, i) => (Number.isNaN(y) ? (i % 2) / 2 : y)) }),
      {
        p: draws({ scores: ownScores }),
      },
    );
    const ips = first({ estimator: 'ips', ...settings }, full);
    // 0.05 + 0.9 + 0.3 + 0.8 + 0.15 + 0.45 + 0.3 + 0.7 + 0 + 0.5 + 0 + 0.5 = 4.65.
    expect(ips.estimate).toBeCloseTo(4.65 / 12, 12);
    expect([ips.oracleJackknife, ips.diagnostics.boundary, ips.diagnostics.labelSupport]).toEqual([null, null, null]);
    expect(first({ estimator: 'dr-cpo', ...settings }, full).oracleJackknife).toBeNull();
    expect(first({ estimator: 'direct', ...settings }, full).oracleJackknife).not.toBeNull();
  });

  test('without draws weights need half of the rows in effect, from 20 to 50', () => {
    const least = (estimator: EstimatorSettings['estimator'], rows: number) => {
      const many = Array.from({ length: rows }, (_, i) => (i % 2) / 2);
      const [policy] = estimate(
        { estimator, ...plain },
        evaluation(log({ scores: many, weights: { p: many.map(() => 1) } }), { p: draws({ scores: many }) }),
      ).policies;
      return policy!.diagnostics.gates.find(({ gate }) => gate === 'ess')!.threshold;
    };
    expect([35, 60, 200].map((rows) => least('snips', rows))).toEqual([20, 30, 50]);
    expect(least('dr-cpo', 200)).toBe(20);
  });

  test('which gates judge which estimator', () => {
    const gatesOf = (estimator: EstimatorSettings['estimator']) =>
      first({ estimator, ...settings, gates: { ...OPEN, transportMargin: 1 } }, data).diagnostics.gates.map(
        ({ gate, on }) => `${gate} ${on}`,
      );
    const range = ['identification-width scores', 'out-of-range scores', 'saturation scores'];
    const level = [...range, 'score-overlap scores', 'label-support scores'];
    const answered = ['rows rows', 'draw-coverage draws'];
    const alone = 'implied-ess-fraction raw';
    const balance = ['label-balance labels'];
    const held = ['own-labels labels'];
    const raw = ['mean-raw-weight raw', 'ess raw', 'ess-fraction raw', 'row-share raw', 'tail-index raw'];
    expect(gatesOf('naive')).toEqual([...answered, 'rare-labels scores']);
    expect(gatesOf('direct')).toEqual([...answered, ...level, 'transport scores', ...balance, ...held]);
    expect(gatesOf('direct-augmented')).toEqual([...answered, ...balance, ...balance]);
    expect(gatesOf('snips')).toEqual(['rows rows', ...raw, alone, ...level, 'transport scores', ...balance, ...held]);
    expect(gatesOf('dr-cpo')).toEqual([...answered, ...raw, ...level, 'transport scores', ...balance, ...held]);
    expect(gatesOf('dr-augmented')).toEqual([
      ...answered,
      ...raw,
      ...level,
      'transport scores',
      ...balance,
      'effective-labels in-use',
      ...held,
    ]);
    expect(gatesOf('calibrated-ips')).toEqual([
      'rows rows',
      ...raw,
      'ess in-use',
      'ess-fraction in-use',
      'row-share in-use',
      'tail-index in-use',
      alone,
      ...level,
      'transport scores',
      ...balance,
      'stabilisation-shift estimate',
      ...held,
    ]);
  });
});

describe('targeting', () => {
  const n = 20;
  const scores = Array.from({ length: n }, (_, i) => (i + 0.5) / n);
  const weights = scores.map((s) => 0.6 + 0.8 * s);
  const own = { p: draws({ scores: scores.map((s) => Math.min(1, s + 0.02)) }) };
  const data = evaluation(log({ scores, weights: { p: weights } }), own);

  test('tmle by logit leaves no weighted residual: every score is distinct, so h is the weight itself', () => {
    const p = first({ estimator: 'tmle', ...plain }, data);
    expect(p.diagnostics.parts!.correction).toBeCloseTo(0, 9);
    expect(p.estimate).toBeCloseTo(p.diagnostics.parts!.outcome, 9);
    // The outcome model sees rewards next to each prompt's own, so the estimate is near the mean of the draws.
    expect(Math.abs(p.estimate - 0.52)).toBeLessThan(0.02);
    expect(first({ estimator: 'dr-cpo', ...plain }, data).diagnostics.parts!.correction).not.toBeCloseTo(0, 6);
  });

  test('tmle by the identity link stays on the scale where the tilt would leave it', () => {
    // Scores of 0: the heavy fold's labels are high and the others' low, so the tilt is upwards; at 1 the weights are larger
    // still, and all labels are 1.
    const rows = Array.from({ length: 24 }, (_, i) => i);
    const folds = foldsOfPrompts(
      rows.map((i) => `q${i}`),
      5,
      42,
    );
    const isHeavy = (i: number) => folds[i] === folds[0];
    const high = evaluation(
      log({
        scores: rows.map((i) => (i < 18 ? 0 : 1)),
        labels: rows.map((i) => (i >= 18 ? 1 : isHeavy(i) ? 0.9 : 0.1)),
        weights: { p: rows.map((i) => (i >= 18 ? 3 : isHeavy(i) ? 2 : 0.1)) },
      }),
      { p: draws({ scores: rows.map(() => 1) }) },
    );
    const options = { estimator: 'tmle', tmleLink: 'identity', rewardCalibration: 'monotone' } as const;
    expect(first(options, high).diagnostics.parts!.outcome).toBe(1);
  });

  test('tmle by the identity link too, where no prediction is clipped', () => {
    const middle = scores.map((s) => 0.3 + 0.4 * s);
    const inside = evaluation(log({ scores: middle, weights: { p: weights } }), { p: draws({ scores: middle }) });
    const p = first({ estimator: 'tmle', tmleLink: 'identity', ...plain }, inside);
    expect(p.diagnostics.parts!.correction).toBeCloseTo(0, 12);
  });

  test('a stack is the mixture of its parts with the least variance, never more than the best of them', () => {
    const parts = (['dr-cpo', 'tmle', 'mrdr'] as const).map((estimator) => first({ estimator, ...plain }, data));
    const stack = first({ estimator: 'stacked-dr', ...plain }, data);
    const mixture = Object.values(stack.diagnostics.mixture!);
    expect(Object.keys(stack.diagnostics.mixture!)).toEqual(['dr-cpo', 'tmle', 'mrdr']);
    expect(mixture.reduce((s, share) => s + share, 0)).toBeCloseTo(1, 12);
    // A ridge of 10⁻⁴ on the covariance of the influence values keeps parts that are nearly alike from taking off each other.
    const sigma = covariance(parts.map((p) => p.influence)).map((row, c) =>
      row.map((v, d) => (c === d ? v + 1e-4 : v)),
    );
    const least = minimumVarianceMixture(sigma, { tolerance: 1e-12, maximumDrops: 50 });
    expect(mixture).toEqual(numbers(least));
    expect(stack.estimate).toBeCloseTo(
      parts.reduce((s, p, j) => s + mixture[j]! * p.estimate, 0),
      12,
    );
    expect([...stack.influence]).toEqual(
      numbers(Array.from(stack.influence, (_, i) => parts.reduce((s, p, j) => s + mixture[j]! * p.influence[i]!, 0))),
    );
    expect(stack.diagnostics.parts!.correction).toBeCloseTo(
      parts.reduce((s, p, j) => s + mixture[j]! * p.diagnostics.parts!.correction, 0),
      12,
    );
  });
});

test('the original’s plug-in by hand: ridge of penalty 1 on the score, from rows of the other folds', () => {
  // Lengths are all alike, so they take no part; equal weights in folds of six stay 1. Rewards are the scores x.
  const n = 30;
  const scores = Array.from({ length: n }, (_, i) => ((7 * i) % n) / n);
  const own = scores.map((s) => 0.9 * (1 - s * s));
  const data = evaluation(log({ scores, weights: { p: scores.map(() => 1) } }), { p: draws({ scores: own }) });
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const folds = shuffledFolds(n, 5, 0);
  // The slope of x on itself is S/(S + 1), about the mean of the training rows.
  const predict = (at: readonly number[]) =>
    at.map((value, i) => {
      const training = scores.filter((_, j) => folds[j] !== folds[i]);
      const centre = mean(training);
      const spread = training.reduce((sum, x) => sum + (x - centre) ** 2, 0);
      return centre + (spread / (spread + 1)) * (value - centre);
    });
  const [onLog, onDraws] = [predict(scores), predict(own)];
  const estimate = mean(onDraws);
  const raw = onDraws.map((mu, i) => mu + scores[i]! - onLog[i]!);
  const influence = raw.map((value) => value - mean(raw));
  const plug = first({ estimator: 'original-dr-cpo', ...plain }, data);
  expect(plug.estimate).toBeCloseTo(estimate, 12);
  expect([...plug.influence]).toEqual(numbers(influence));
  expect(plug.diagnostics.parts).toEqual({
    outcome: expect.closeTo(estimate, 12),
    correction: expect.closeTo(mean(scores) - mean(onLog), 12),
  });
  // The control variate is the prediction less its mean, times its regression coefficient.
  const control = onDraws.map((mu) => mu - estimate);
  const alpha =
    control.reduce((sum, c, i) => sum + c * (scores[i]! - mean(scores)), 0) /
    control.reduce((sum, c) => sum + c * c, 0);
  const less = first({ estimator: 'original-mrdr', ...plain }, data);
  expect(less.estimate).toBe(plug.estimate);
  expect([...less.influence]).toEqual(numbers(influence.map((value, i) => value - alpha * control[i]!)));
});

test('the original’s uncertainty-aware weights by hand', () => {
  // r − ψ = ∓0.3, ∓0.1; v = 0.04 at the ends. cov = 4 · 0.02 · 0.04/3, over mean v² = 0.0008: λ = 4/3.
  const data = evaluation(
    log({ scores: [0.2, 0.4, 0.6, 0.8], weights: { p: [1, 1, 1, 1] }, variances: [0.04, 0, 0, 0.04] }),
  );
  const p = first({ estimator: 'original-uncertainty-dr-cpo', ...plain, judgeUncertainty: true }, data);
  expect(p.estimate).toBeCloseTo(0.5, 12);
  // 1/(1 + 0.16/3) = 75/79 and 1, to mean one: 75/77 and 79/77.
  const [end, middle] = [75 / 77, 79 / 77];
  expect([...p.influence]).toEqual(numbers([-0.3 * end, -0.1 * middle, 0.1 * middle, 0.3 * end]));
  const judge = (2 * end ** 2 * 0.04) / 16;
  expect(p.components.judgeVariance).toBeCloseTo(judge, 12);
  expect(p.components.samplingVariance).toBeCloseTo((2 * (0.09 * end ** 2 + 0.01 * middle ** 2)) / 12 + judge, 12);
  // Without a stated variance nothing is shrunk.
  const certain = first(
    { estimator: 'original-uncertainty-dr-cpo', ...plain },
    evaluation(log({ scores: [0.2, 0.8], weights: { p: [1, 1] } })),
  );
  expect([...certain.influence]).toEqual(numbers([-0.3, 0.3]));
});
