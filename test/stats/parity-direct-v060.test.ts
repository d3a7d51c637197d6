import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareAll, type EstimatedPolicy, estimate } from '../../src/stats/index.ts';
import { FIXTURES, hasShared, loadCase, readJson, SHARED } from './support/reference-data.ts';

interface RecordedDirect {
  readonly policies: readonly string[];
  readonly estimates: readonly number[];
  readonly se: readonly number[];
  readonly ci_lower: readonly number[];
  readonly ci_upper: readonly number[];
  readonly point_estimator: {
    readonly plug_in_estimates: readonly number[];
    readonly residual_corrections: readonly number[];
  };
  readonly degrees_of_freedom: Readonly<Record<string, { readonly df: number }>>;
  readonly influence_first20: Readonly<Record<string, readonly number[]>>;
  readonly calibrator: {
    readonly selected_mode: string;
    readonly info: {
      readonly rmse: number;
      readonly coverage_at_01: number;
      readonly n_oracle_labels: number;
      readonly oof_rmse: number;
      readonly oof_coverage_at_01: number;
    };
  };
  readonly se_components: { readonly oracle_variance_per_policy: Readonly<Record<string, number>> };
  readonly influence_sum_sq: Readonly<Record<string, number>>;
  readonly comparisons: readonly {
    readonly policy1: string;
    readonly policy2: string;
    readonly difference: number;
    readonly se_difference: number;
    readonly ci_lower: number;
    readonly p_value: number;
    readonly p_adjusted: number;
  }[];
}

interface Recorded {
  readonly datasets: Readonly<Record<string, { readonly cluster_robust: RecordedDirect }>>;
}

const folders: Readonly<Record<string, string>> = {
  plain: path.join(FIXTURES, 'plain'),
  biased_judge: path.join(FIXTURES, 'biased_judge'),
  ...(hasShared ? { direct_labelled: path.join(SHARED, 'direct_labelled') } : {}),
};

describe('cje-eval 0.6.0 Direct mode, analytic path', () => {
  const recorded = readJson<Recorded>(path.join(FIXTURES, 'direct-v060.json'));
  test.each(Object.keys(folders))('%s', (name) => {
    const data = loadCase(folders[name]!);
    const theirs = recorded.datasets[name]!.cluster_robust;
    const result = estimate({ estimator: 'direct-augmented', mode: 'parity' }, { ...data, policies: theirs.policies });
    const { info, selected_mode } = theirs.calibrator;
    const calibration = result.calibration!;
    expect(calibration.selected).toBe(selected_mode === 'two_stage' ? 'two-stage' : 'monotone');
    expect(calibration.labels).toBe(info.n_oracle_labels);
    expect(calibration.rmse).toBeCloseTo(info.rmse, 9);
    expect(calibration.outOfFoldRmse).toBeCloseTo(info.oof_rmse, 9);
    expect(calibration.within).toBeCloseTo(info.coverage_at_01, 9);
    expect(calibration.outOfFoldWithin).toBeCloseTo(info.oof_coverage_at_01, 9);
    theirs.policies.forEach((policy, i) => {
      const p = result.policies[i] as EstimatedPolicy;
      expect(p.estimate).toBeCloseTo(theirs.estimates[i]!, 9);
      expect(p.standardError).toBeCloseTo(theirs.se[i]!, 9);
      expect(p.interval[0]).toBeCloseTo(theirs.ci_lower[i]!, 9);
      expect(p.interval[1]).toBeCloseTo(theirs.ci_upper[i]!, 9);
      expect(p.diagnostics.parts!.correction).toBeCloseTo(theirs.point_estimator.residual_corrections[i]!, 9);
      expect(p.diagnostics.parts!.outcome).toBeCloseTo(theirs.point_estimator.plug_in_estimates[i]!, 9);
      expect(p.degreesOfFreedom).toBe(theirs.degrees_of_freedom[policy]!.df);
      theirs.influence_first20[policy]!.forEach((value, row) => {
        expect(p.influence[row]).toBeCloseTo(value, 9);
      });
      expect(p.components.oracleVariance).toBeCloseTo(theirs.se_components.oracle_variance_per_policy[policy]!, 9);
      const squares = p.influence.reduce((s, v) => s + v * v, 0);
      expect(squares / theirs.influence_sum_sq[policy]!).toBeCloseTo(1, 9);
    });
    const pairs = compareAll(result);
    for (const c of theirs.comparisons) {
      const ours = pairs.find((p) => p.a === c.policy1 && p.b === c.policy2)!;
      expect(ours.difference).toBeCloseTo(c.difference, 9);
      expect(ours.standardError).toBeCloseTo(c.se_difference, 9);
      expect(ours.interval[0]).toBeCloseTo(c.ci_lower, 9);
      expect(ours.pValue).toBeCloseTo(c.p_value, 9);
      expect(ours.adjustedP).toBeCloseTo(c.p_adjusted, 9);
    }
  });
});
