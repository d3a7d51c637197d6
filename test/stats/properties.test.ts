import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_WORLD, simulate } from '../../bench/coverage/world.ts';
import { calibrateRewards } from '../../src/stats/calibration/reward-calibration.ts';
import { predictReward } from '../../src/stats/calibration/reward-function.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import {
  compareAll,
  ESTIMATOR_NAMES,
  type EstimatedPolicy,
  type EvaluationData,
  estimate,
  type FreshDraws,
  type LoggedRows,
  rankPolicies,
} from '../../src/stats/index.ts';

const world = simulate({ ...DEFAULT_WORLD, prompts: 300, targets: { pi_clone: 0.3, pi_cot: 0.6, pi_low: 0.1 } }, 5);

function permuted<T extends LoggedRows | FreshDraws>(rows: T, order: readonly number[]): T {
  const move = (column: unknown): unknown => {
    if (column instanceof Float64Array) return Float64Array.from(order, (i) => column[i]!);
    if (column instanceof Int32Array) return Int32Array.from(order, (i) => column[i]!);
    if (column instanceof Map) return new Map([...column].map(([key, value]) => [key, move(value)]));
    return order.map((i) => (column as readonly string[])[i]!);
  };
  return Object.fromEntries(Object.entries(rows).map(([name, column]) => [name, move(column)])) as unknown as T;
}

function order(n: number, step: number): number[] {
  return Array.from({ length: n }, (_, i) => (i * step + 17) % n);
}

describe('what must not matter does not matter', () => {
  // The original experiment shuffles row numbers into folds; so do we, under its name.
  const shuffles = new Set(['original-calibrated-ips', 'original-dr-cpo', 'original-mrdr']);

  test.each(ESTIMATOR_NAMES.filter((name) => !shuffles.has(name)))(
    '%s: order of rows and of fresh draws',
    (estimator) => {
      const shuffled: EvaluationData = {
        ...world,
        logged: permuted(world.logged, order(300, 7)),
        freshDraws: new Map([...world.freshDraws].map(([p, d]) => [p, permuted(d, order(300, 11))])),
      };
      const a = estimate({ estimator }, world).policies;
      const b = estimate({ estimator }, shuffled).policies;
      a.forEach((p, i) => {
        const q = b[i]!;
        expect(q.status).toBe(p.status);
        if (p.status === 'refused' || q.status === 'refused') return;
        expect(q.estimate).toBeCloseTo(p.estimate, 12);
        expect(q.standardError).toBeCloseTo(p.standardError, 12);
      });
    },
  );

  test.each(ESTIMATOR_NAMES)('%s: names and order of policies', (estimator) => {
    const rename = <T>(values: ReadonlyMap<string, T>) =>
      new Map([...values].reverse().map(([p, v]) => [`renamed ${p}`, v]));
    const renamed: EvaluationData = {
      logged: { ...world.logged, targetLogprobs: rename(world.logged.targetLogprobs) },
      policies: [...world.policies].reverse().map((p) => `renamed ${p}`),
      freshDraws: rename(world.freshDraws),
    };
    const numbers = (data: EvaluationData) =>
      new Map(
        estimate({ estimator }, data).policies.map((p) => [
          p.policy.replace('renamed ', ''),
          p.status === 'ok' ? [p.estimate, p.standardError] : p.message.replace('renamed ', ''),
        ]),
      );
    expect(numbers(renamed)).toEqual(new Map([...numbers(world)].reverse()));
  });

  test('equal inputs give equal bits', () => {
    const bits = () => JSON.stringify(estimate({ estimator: 'stacked-dr' }, world).policies);
    expect(bits()).toBe(bits());
  });

  test('a common factor on both policies’ probabilities of a response', () => {
    const shift = (values: Float64Array) => values.map((v, i) => v - (i % 13));
    const { logged } = world;
    const shifted = {
      ...world,
      logged: {
        ...logged,
        baseLogprobs: shift(logged.baseLogprobs),
        targetLogprobs: new Map([...logged.targetLogprobs].map(([p, v]) => [p, shift(v)])),
      },
    };
    const value = (data: EvaluationData) =>
      (estimate({ estimator: 'snips' }, data).policies[1] as EstimatedPolicy).estimate;
    expect(value(shifted)).toBeCloseTo(value(world), 10);
  });
});

describe('identities', () => {
  test('reward calibration is monotone and keeps the labelled mean', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, unit), { minLength: 10, maxLength: 80 }), (rows) => {
        const scores = Float64Array.from(rows, (r) => Math.round(r[0] * 50) / 50);
        const labels = Float64Array.from(rows, (r) => r[1]);
        const ids = rows.map((_, i) => `p${i}`);
        const fit = calibrateRewards(inputsOf(scores, []), labels, ids, {
          mode: 'monotone',
          folds: 5,
          seed: 42,
          jackknifeGroups: null,
        });
        const rewards = predictReward(fit.full, inputsOf(scores, []));
        const mean = (v: Float64Array) => v.reduce((s, x) => s + x, 0) / v.length;
        expect(mean(rewards)).toBeCloseTo(mean(labels), 10);
        const sorted = predictReward(fit.full, inputsOf(scores.slice().sort(), []));
        for (let i = 1; i < sorted.length; i++) expect(sorted[i]!).toBeGreaterThanOrEqual(sorted[i - 1]!);
      }),
    );
  });

  test('for a clone, IPS, SNIPS and calibrated IPS are the mean reward', () => {
    const [ips, snips, calibrated] = (['ips', 'snips', 'calibrated-ips'] as const).map(
      (estimator) => estimate({ estimator }, world).policies[0] as EstimatedPolicy,
    );
    expect(snips!.estimate).toBeCloseTo(ips!.estimate, 12);
    expect(calibrated!.estimate).toBeCloseTo(ips!.estimate, 12);
    expect(snips!.standardError).toBeCloseTo(ips!.standardError, 12);
  });

  test('influence values average to zero and make the sampling variance', () => {
    for (const estimator of ESTIMATOR_NAMES) {
      for (const p of estimate({ estimator }, world).policies) {
        if (p.status === 'refused') continue;
        const n = p.influence.length;
        const total = p.influence.reduce((s, v) => s + v, 0);
        expect(Math.abs(total / n), estimator).toBeLessThan(1e-12);
        // Every prompt is one row here, so clustering by prompt is s²/n.
        const variance = p.influence.reduce((s, v) => s + v * v, 0) / (n - 1) / n;
        expect(p.components.samplingVariance, estimator).toBeCloseTo(variance, 14);
        const { samplingVariance, oracleVariance, sharedVariance, extrapolationVariance } = p.components;
        const { stabilisationVariance = 0 } = p.components;
        expect(p.standardError ** 2).toBeCloseTo(
          samplingVariance + oracleVariance + sharedVariance + extrapolationVariance + stabilisationVariance,
          14,
        );
      }
    }
  });

  test('doubling every row by a second one of the same prompt does not shrink the standard error', () => {
    const twice = order(300, 1).concat(order(300, 1));
    const doubled: EvaluationData = { ...world, logged: permuted(world.logged, twice) };
    const se = (data: EvaluationData) =>
      (estimate({ estimator: 'snips', rewardCalibration: 'none' }, data).policies[1] as EstimatedPolicy).standardError;
    expect(se(doubled)).toBeCloseTo(se(world), 12);
  });

  test('the judge’s variance is its own component and leaves the standard error alone', () => {
    const noisy: EvaluationData = {
      ...world,
      logged: { ...world.logged, judgeVariances: new Float64Array(300).fill(0.01) },
      freshDraws: new Map(
        [...world.freshDraws].map(([p, d]) => [p, { ...d, judgeVariances: new Float64Array(300).fill(0.01) }]),
      ),
    };
    for (const estimator of ['direct', 'snips', 'dr-cpo'] as const) {
      const without = estimate({ estimator }, noisy).policies[1] as EstimatedPolicy;
      const aware = estimate({ estimator, judgeUncertainty: true }, noisy).policies[1] as EstimatedPolicy;
      expect(aware.standardError).toBe(without.standardError);
      expect([without.judgeStandardError, aware.judgeStandardError > 0]).toEqual([0, true]);
    }
    const scale = estimate({ estimator: 'direct' }, noisy).calibration!.judgeVarianceScale;
    const aware = estimate({ estimator: 'direct', judgeUncertainty: true }, noisy).policies[0] as EstimatedPolicy;
    expect(aware.components.judgeVariance).toBeCloseTo((scale * 0.01) / 300, 14);
  });

  test('comparisons are antisymmetric, share what the policies share, and rank', () => {
    const result = estimate({ estimator: 'direct' }, world);
    const pairs = compareAll(result);
    expect(pairs.length).toBe(3);
    const [clone, cot] = result.policies as EstimatedPolicy[];
    const pair = pairs.find((c) => c.a === 'pi_clone' && c.b === 'pi_cot')!;
    expect(pair.difference).toBeCloseTo(clone!.estimate - cot!.estimate, 14);
    const independent = Math.hypot(clone!.standardError, cot!.standardError);
    expect(pair.standardError).toBeLessThan(independent);
    const ranked = rankPolicies(result);
    expect(ranked.map((r) => r.policy)).toEqual(['pi_cot', 'pi_clone', 'pi_low']);
    for (const r of ranked) {
      expect(r.rankInterval[0]).toBeLessThanOrEqual(r.rank);
      expect(r.rankInterval[1]).toBeGreaterThanOrEqual(r.rank);
    }
  });
});
