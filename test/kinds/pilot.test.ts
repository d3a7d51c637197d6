/** What a dataset says about larger ones, on a judge that is certain. */

import { describe, expect, it } from 'vitest';
import { pilotOf } from '../../src/datasets/planning/pilot.ts';
import {
  comparePolicies,
  differenceComponents,
  type EstimatedPolicy,
  type EvaluationData,
  estimate,
  explainedShare,
  OPEN_GATES,
} from '../../src/stats/index.ts';
import { Subsampler } from '../../src/stats/subsample.ts';
import { labelledData } from './labelled-data.ts';

const settings = { estimator: 'direct', rewardCalibration: 'monotone' } as const;

/** With labels on the first so many of the logged rows. */
function labelledOn(prompts: number, labels: number): EvaluationData {
  const { logged, ...data } = labelledData({ prompts });
  return {
    ...data,
    logged: { ...logged, oracleLabels: logged.oracleLabels.map((y, i) => (i < labels ? y : Number.NaN)) },
  };
}

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
    const parts = differenceComponents(first!, second!, config);
    const { difference, standardError, degreesOfFreedom } = comparePolicies(first!, second!, config);
    expect(pilot.pairs[0]).toMatchObject({
      perPrompt: expect.closeTo(80 * (parts.samplingVariance + Math.max(parts.sharedVariance, 0)), 12),
      perLabel: expect.closeTo(
        labelled * (parts.oracleVariance + parts.extrapolationVariance + parts.labelVariance),
        12,
      ),
      overstated: expect.closeTo(labelled * parts.overstatedShare, 12),
      remaining: parts.stabilisationVariance,
      standardError,
      degreesOfFreedom,
    });
    const { overstatedShare, ...variances } = parts;
    const sum = Object.values(variances).reduce((total, variance) => total + variance, 0);
    expect(sum + overstatedShare * difference ** 2).toBeCloseTo(standardError ** 2, 14);
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

  it('of a hundred prompts and sixty labels measures how well the law tells how it falls, on the medians of ten subsets of each size', () => {
    const data = labelledOn(100, 60);
    const pilot = pilotOf(settings, data);
    const { labels, policies, pairs } = pilot;
    expect(labels).toBe(60);
    const subsets = Array.from({ length: 10 }, (_, seed) => new Subsampler(data, seed));
    const sizes = [30, 45, 60, 80, 100].flatMap((size) =>
      [0.5, 0.75, 1].map((share) => ({ prompts: size, labels: Math.round((share * labels * size) / 100) })),
    );
    // An estimate whose few labels lie close together has an interval of another kind.
    const ofTheLaw = ({ diagnostics: { gates } }: EstimatedPolicy) =>
      gates.every(({ gate, open }) => gate !== 'unseen-labels' || open === true);
    // Fewer than thirty labels are in no plan, and all of a hundred prompts are the pilot.
    const asked = sizes.filter((size) => size.labels >= 30 && size.labels < 60);
    expect(asked.map((size) => [size.prompts, size.labels])).toEqual([
      [60, 36],
      [80, 36],
      [80, 48],
      [100, 30],
      [100, 45],
    ]);
    const measured = asked.map((size) => {
      const results = subsets.map((subset) =>
        estimate(
          { ...settings, gates: OPEN_GATES },
          subset.draw({ prompts: size.prompts, labelled: size.labels / size.prompts, ownLabelled: 1 }),
        ),
      );
      const known = results.map(({ policies, config }) => {
        const [a, b] = policies as EstimatedPolicy[];
        const { difference, standardError } = comparePolicies(a!, b!, config);
        // What few labels may overstate is left out.
        const pair = standardError ** 2 - differenceComponents(a!, b!, config).overstatedShare * difference ** 2;
        return [ofTheLaw(a!) ? a!.standardError ** 2 : Number.NaN, ofTheLaw(a!) && ofTheLaw(b!) ? pair : Number.NaN];
      });
      const [first, pair] = [0, 1].map((of) => {
        const variances = known.map((each) => each[of]!).filter((variance) => !Number.isNaN(variance));
        const sorted = variances.sort((a, b) => a - b);
        const [below, above] = [Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2)];
        return sorted.length === 0 ? [] : [{ ...size, variance: (sorted[below]! + sorted[above]!) / 2 }];
      });
      return { first: first!, pair: pair! };
    });
    const [first] = policies;
    if (first?.status !== 'ok') throw new Error(first?.reason);
    expect(first.rSquared).toBeCloseTo(
      explainedShare(
        first,
        measured.flatMap(({ first }) => first),
      )!,
      12,
    );
    expect(pairs[0]!.rSquared).toBeCloseTo(
      explainedShare(
        pairs[0]!,
        measured.flatMap(({ pair }) => pair),
      )!,
      12,
    );
    // Variances fall with size by the law, so it explains most of their spread.
    expect(first.rSquared).toBeGreaterThan(0.5);
  });

  it.each([
    [99, 60],
    [100, 39],
  ])('of %d prompts, labels on %d of them, measures nothing', (prompts, labels) => {
    expect(pilotOf(settings, labelledOn(prompts, labels)).policies[0]).toMatchObject({ status: 'ok', rSquared: null });
  });
});
