/** Data without a log: what the pooled draws calibrate is held against their labels out of fold. */

import { describe, expect, test } from 'vitest';
import { type EstimatedPolicy, type EvaluationData, estimate, type FreshDraws } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

const PROMPTS = 120;

/** Draws whose labels are score + bias + noise, on every fourth prompt. */
function draws(seed: number, bias: number): FreshDraws {
  const random = randomSource(seed, 0);
  const uniform = () => Math.min(1, random.exponential() / 4);
  const scores = Float64Array.from({ length: PROMPTS }, uniform);
  return {
    promptIds: Array.from({ length: PROMPTS }, (_, index) => `q${index}`),
    drawIndexes: new Int32Array(PROMPTS),
    judgeScores: scores,
    judgeVariances: new Float64Array(PROMPTS),
    oracleLabels: scores.map((score, index) =>
      index % 4 === 0 ? Math.min(1, Math.max(0, 0.7 * score + bias + 0.3 * uniform())) : Number.NaN,
    ),
    responseLengths: new Float64Array(PROMPTS).fill(10),
  };
}

/** As the stages make it: all draws stand in for the log. */
function pooled(policies: Readonly<Record<string, FreshDraws>>): EvaluationData {
  const all = Object.values(policies);
  const join = (column: (of: FreshDraws) => Float64Array) => Float64Array.from(all.flatMap((of) => [...column(of)]));
  const promptIds = all.flatMap((of) => of.promptIds);
  return {
    pooled: true,
    policies: Object.keys(policies),
    freshDraws: new Map(Object.entries(policies)),
    logged: {
      promptIds,
      judgeScores: join((of) => of.judgeScores),
      judgeVariances: join((of) => of.judgeVariances),
      oracleLabels: join((of) => of.oracleLabels),
      responseLengths: join((of) => of.responseLengths),
      baseLogprobs: new Float64Array(promptIds.length).fill(Number.NaN),
      targetLogprobs: new Map(),
    },
  };
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe('pooled draws', () => {
  test('are audited by a calibration that has not seen the label', () => {
    const audit = estimate({ estimator: 'direct', rewardCalibration: 'monotone' }, pooled({ a: draws(1, 0.1) }))
      .policies[0]!.diagnostics.transport!;
    // In sample an isotonic fit's residuals sum to zero, and say nothing.
    expect(audit.labels).toBe(30);
    expect(Math.abs(audit.bias!)).toBeGreaterThan(1e-6);
  });

  const data = pooled({ a: draws(1, 0.1), b: draws(2, 0.2) });
  const one = pooled({ a: draws(1, 0.1) });
  const settings = { mode: 'recommended', rewardCalibration: 'monotone' } as const;

  test('calibrate direct for every policy; off-policy estimators refuse', () => {
    for (const policy of estimate({ ...settings, estimator: 'direct' }, data).policies) {
      expect(policy.status).toBe('ok');
      expect(policy.diagnostics.transport?.labels).toBe(30);
    }
    for (const estimator of ['ips', 'snips', 'calibrated-ips', 'dr-cpo', 'mrdr', 'tmle', 'stacked-dr'] as const) {
      for (const policy of estimate({ ...settings, estimator }, data).policies) {
        expect(policy, estimator).toMatchObject({ status: 'refused', code: 'no-log-probabilities' });
      }
    }
  });

  test('leave residuals that the fit has not seen: in sample a monotone fit has none on average', () => {
    const [logged] = estimate(
      { ...settings, estimator: 'direct-augmented', tuning: 'none' },
      { ...one, pooled: false },
    ).policies;
    const [held] = estimate({ ...settings, estimator: 'direct-augmented', tuning: 'none' }, one).policies;
    expect(Math.abs(logged!.diagnostics.parts!.correction)).toBeLessThan(1e-12);
    expect(Math.abs(held!.diagnostics.parts!.correction)).toBeGreaterThan(1e-6);
  });

  test('bootstrap around the estimate, residuals cross-fitted in every replicate', () => {
    const config = { ...settings, estimator: 'direct-augmented', inference: 'bootstrap', replicates: 300 } as const;
    for (const p of estimate(config, data).policies as EstimatedPolicy[]) {
      const analytic = estimate({ ...settings, estimator: 'direct-augmented' }, data).policies.find(
        ({ policy }) => policy === p.policy,
      ) as EstimatedPolicy;
      expect(p.estimate).toBe(analytic.estimate);
      expect(Math.abs(mean(p.replicates!) - p.estimate)).toBeLessThan(0.3 * p.standardError);
      expect(p.standardError / analytic.standardError).toBeGreaterThan(0.6);
      expect(p.standardError / analytic.standardError).toBeLessThan(1.6);
    }
  });

  test('show a policy on which the judge errs to the transport audit', () => {
    // Most labels are of policies whose labels run lower, so the pooled fit is far off on the last.
    const biased = pooled({ a: draws(1, 0), b: draws(2, 0), c: draws(3, 0), d: draws(4, 0), e: draws(5, 0.4) });
    const result = estimate({ ...settings, estimator: 'direct' }, biased);
    expect(result.policies.at(-1)).toMatchObject({ status: 'refused', code: 'transport-failed' });
    expect(estimate({ ...settings, estimator: 'direct-augmented' }, biased).policies.at(-1)!.status).toBe('ok');
  });
});
