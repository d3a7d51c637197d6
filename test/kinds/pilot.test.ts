/** What a dataset says about larger ones, on a judge that is certain. */

import { describe, expect, it } from 'vitest';
import { pilotOf } from '../../src/datasets/planning/pilot.ts';
import { comparePolicies, differenceComponents, type EstimatedPolicy, estimate } from '../../src/stats/index.ts';
import { labelledData } from './labelled-data.ts';

const settings = { estimator: 'direct', rewardCalibration: 'monotone' } as const;

describe('a pilot', () => {
  const data = labelledData({ prompts: 80, labelled: 0.5, ownLabelled: 0.25 });
  const labelled = data.logged.oracleLabels.filter((label) => !Number.isNaN(label)).length;

  it('scales the parts of the variance: sampling by prompts, oracle and what lies beyond the labels by labels', () => {
    const pilot = pilotOf(settings, data);
    const policies = estimate(settings, data).policies as EstimatedPolicy[];
    expect(pilot).toMatchObject({ prompts: 80, labels: labelled });
    pilot.policies.forEach((policy, i) => {
      const { components, standardError } = policies[i]!;
      expect(policy).toMatchObject({
        status: 'ok',
        perPrompt: expect.closeTo(80 * (components.samplingVariance + Math.max(components.sharedVariance, 0)), 12),
        perLabel: expect.closeTo(labelled * (components.oracleVariance + components.extrapolationVariance), 12),
        standardError,
        // 80 prompts are too few to measure how well the law holds.
        rSquared: null,
      });
    });
    const [first, second] = policies;
    const { config } = estimate(settings, data);
    const parts = differenceComponents(first!, second!);
    const { standardError, degreesOfFreedom } = comparePolicies(first!, second!, config);
    expect(pilot.pairs[0]).toMatchObject({
      perPrompt: expect.closeTo(80 * (parts.samplingVariance + Math.max(parts.sharedVariance, 0)), 12),
      perLabel: expect.closeTo(labelled * (parts.oracleVariance + parts.extrapolationVariance), 12),
      standardError,
      degreesOfFreedom,
    });
    const { samplingVariance, oracleVariance, sharedVariance, extrapolationVariance } = parts;
    const sum = samplingVariance + oracleVariance + sharedVariance + extrapolationVariance;
    expect(sum).toBeCloseTo(standardError ** 2, 14);
    const own = [...data.freshDraws.values()].reduce(
      (sum, of) => sum + of.oracleLabels.filter((y) => !Number.isNaN(y)).length,
      0,
    );
    expect(pilot.ownLabels).toBe(own);
  });

  it('tells a refusal with its gate', () => {
    const few = labelledData({ prompts: 29, labelled: 1, ownLabelled: 0 });
    expect(pilotOf(settings, few).policies[0]).toMatchObject({ status: 'refused', gate: 'too-few-rows' });
  });

  it.each([
    [100, 0.6, true],
    [99, 0.6, false],
    [100, 0.3, false],
  ])('with %d prompts, labels on %f of them: measured %s', (prompts, share, measured) => {
    const [first] = pilotOf(settings, labelledData({ prompts, labelled: share })).policies;
    if (first?.status !== 'ok') throw new Error(first?.reason);
    expect(first.rSquared !== null).toBe(measured);
    // Variances fall with size by the law, so it explains most of their spread, and never more than all.
    if (first.rSquared !== null) {
      expect(first.rSquared).toBeGreaterThan(0.5);
      expect(first.rSquared).toBeLessThanOrEqual(1);
    }
  });
});
