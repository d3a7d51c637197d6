import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_WORLD, simulate } from '../../bench/coverage/world.ts';
import {
  compareAll,
  type EstimatedPolicy,
  type EstimatorSettings,
  estimate,
  resolveConfig,
} from '../../src/stats/index.ts';
import { bootstrapProblem } from '../../src/stats/inference/bootstrap.ts';
import { freshView } from '../../src/stats/study/policy-view.ts';
import { prepareStudy } from '../../src/stats/study/study.ts';
import { FIXTURES, loadCase, readJson } from './support/reference-data.ts';

const world = simulate({ ...DEFAULT_WORLD, prompts: 400, ownLabels: 40, targets: { pi_clone: 0.3, pi_cot: 0.6 } }, 9);
const settings = {
  estimator: 'direct',
  rewardCalibration: 'monotone',
  inference: 'bootstrap',
  replicates: 400,
} as const satisfies EstimatorSettings;

const policies = (s: EstimatorSettings) => estimate(s, world).policies as EstimatedPolicy[];
const result = estimate(settings, world);

describe('bootstrap with calibrator refit', () => {
  test('the seed decides, the order of rows does not', () => {
    const reversed = (column: unknown): unknown => {
      if (column instanceof Map) return new Map([...column].map(([k, v]) => [k, reversed(v)]));
      return (column as readonly number[]).slice().reverse();
    };
    const flip = <T extends object>(rows: T) =>
      Object.fromEntries(Object.entries(rows).map(([k, v]) => [k, reversed(v)])) as T;
    const data = {
      ...world,
      logged: flip(world.logged),
      freshDraws: new Map([...world.freshDraws].map(([k, d]) => [k, flip(d)])),
    };
    const mirrored = estimate(settings, data).policies as EstimatedPolicy[];
    const own = result.policies as EstimatedPolicy[];
    own.forEach((p, i) => {
      expect(mirrored[i]!.standardError).toBeCloseTo(p.standardError, 12);
    });
    expect(policies({ ...settings, seed: 43 })[0]!.standardError).not.toBe(own[0]!.standardError);
  });

  test('the seed decides the replicates themselves, where no fold depends on it', () => {
    const drawn = (seed: number) =>
      policies({ ...settings, rewardCalibration: 'none', replicates: 100, seed })[0]!.replicates;
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  test('the standard error and the interval are those of the replicates', () => {
    const [p] = estimate({ ...settings, rewardCalibration: 'none', replicates: 101, alpha: 0.1 }, world)
      .policies as EstimatedPolicy[];
    const sorted = [...p!.replicates!].sort((a, b) => a - b);
    const [analytic] = estimate({ estimator: 'direct', rewardCalibration: 'none' }, world)
      .policies as EstimatedPolicy[];
    // 5 % of 100 steps is the sixth value, 95 % the ninety-sixth.
    expect(sorted).toHaveLength(101);
    const mean = sorted.reduce((s, v) => s + v, 0) / 101;
    const spread = Math.sqrt(sorted.reduce((s, v) => s + (v - mean) ** 2, 0) / 100);
    const factor = Math.max(1, analytic!.standardError / spread);
    const turned = (value: number) => p!.estimate - factor * (value - p!.estimate);
    expect(p!.interval).toEqual([turned(sorted[95]!), turned(sorted[5]!)].map((value) => expect.closeTo(value, 12)));
    expect(p!.standardError).toBeCloseTo(factor * spread, 12);
    expect(p!.degreesOfFreedom).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(['monotone', 'two-stage', 'auto', 'none'] as const)(
    '%s: close to the analytic standard error',
    (rewardCalibration) => {
      for (const estimator of ['direct', 'direct-augmented'] as const) {
        const boot = policies({ ...settings, estimator, rewardCalibration, replicates: 100 });
        const analytic = policies({ estimator, rewardCalibration });
        boot.forEach((p, i) => {
          expect(p.estimate).toBe(analytic[i]!.estimate);
          const ratio = p.standardError / analytic[i]!.standardError;
          expect(ratio, `${estimator} ${p.policy}`).toBeGreaterThan(0.6);
          expect(ratio, `${estimator} ${p.policy}`).toBeLessThan(1.5);
        });
      }
    },
  );

  test('comparisons pair the replicates', () => {
    const [pair] = compareAll(result);
    const [a, b] = result.policies as EstimatedPolicy[];
    const inside = a!
      .replicates!.map((v, i) => v - b!.replicates![i]!)
      .filter((d) => d >= pair!.interval[0] && d <= pair!.interval[1]);
    // At least as wide as the replicates.
    expect(inside.length / 400).toBeGreaterThan(0.93);
    expect(pair!.pValue).toBeCloseTo(2 / 401, 12);
  });

  test('residuals are held out where a policy’s own labels teach the calibration, and nowhere else', () => {
    const study = prepareStudy(resolveConfig({ ...settings, estimator: 'direct-augmented' }), world);
    if (!study.ok) throw new Error(study.refusal.message);
    const view = freshView(study.value, 'pi_cot');
    if (!view.ok) throw new Error(view.refusal.message);
    const problem = (teaches: boolean) => bootstrapProblem(study.value, [{ view: view.value, teaches }]);
    expect(problem(true).policies[0]!.crossFits).toBe(true);
    expect(problem(false).policies[0]!.crossFits).toBe(false);
  });

  test('only where it has a meaning', () => {
    expect(() => estimate({ ...settings, estimator: 'snips' }, world)).toThrow('only with direct');
    expect(() => estimate({ ...settings, mode: 'parity' }, world)).toThrow('recommended');
  });

  test('standard errors of cje-eval 0.6.0’s bootstrap, within the noise of 200 replicates', () => {
    const recorded = readJson<{
      datasets: Record<string, { bootstrap_B200_seed42: { policies: string[]; se: number[] } }>;
    }>(path.join(FIXTURES, 'direct-v060.json'));
    for (const name of ['plain', 'biased_judge']) {
      const theirs = recorded.datasets[name]!.bootstrap_B200_seed42;
      const ours = estimate(
        { ...settings, rewardCalibration: 'monotone', gates: { maximumOutOfRange: 1, maximumIdentificationWidth: 1 } },
        loadCase(path.join(FIXTURES, name)),
      );
      for (const p of ours.policies as EstimatedPolicy[]) {
        const ratio = p.standardError / theirs.se[theirs.policies.indexOf(p.policy)]!;
        expect(Math.abs(Math.log(ratio)), `${name} ${p.policy}`).toBeLessThan(0.2);
      }
    }
  });
});

describe('the original experiment’s estimators', () => {
  test('IPS and SNIPS have one point estimate; calibrated weights know ranks only', () => {
    const value = (estimator: EstimatorSettings['estimator']) =>
      (estimate({ estimator, mode: 'parity' }, world).policies[1] as EstimatedPolicy).estimate;
    expect(value('original-ips')).toBeCloseTo(value('original-snips'), 12);
    expect(value('original-dr-cpo')).toBe(value('original-mrdr'));
    const squashed = {
      ...world,
      logged: {
        ...world.logged,
        targetLogprobs: new Map(
          [...world.logged.targetLogprobs].map(([p, v]) => [
            p,
            v.map((l, i) => world.logged.baseLogprobs[i]! + 0.5 * (l - world.logged.baseLogprobs[i]!)),
          ]),
        ),
      },
    };
    const rankOnly = (data: typeof world) =>
      (estimate({ estimator: 'original-calibrated-ips', mode: 'parity' }, data).policies[1] as EstimatedPolicy)
        .estimate;
    // Weights that are squared or halved in log keep their ranks; only clipping at 0.01 and 100 may merge a few.
    expect(rankOnly(squashed)).toBeCloseTo(rankOnly(world), 2);
  });

  test('a deterministic judge makes the uncertainty-aware variant the plain one', () => {
    const value = (estimator: EstimatorSettings['estimator']) =>
      estimate({ estimator, mode: 'parity' }, world).policies[0] as EstimatedPolicy;
    expect(value('original-uncertainty-dr-cpo').components.judgeVariance).toBe(0);
  });
});
