import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS, type EquationSettings } from '../../bench/coverage/equations.ts';
import { type CoverageRow, coverageStudy, FAMILIES } from '../../bench/coverage/study.ts';
import type { EstimatorSettings } from '../../src/stats/index.ts';

/**
 * Short forms of the worlds of equations, on fixed seeds: each names the fault that turns it red. The whole studies and their
 * figures are in docs/statistics.md, "Worlds of equations". Whole families of pairs have no estimate and no warning of their own.
 */
const study = (
  name: string,
  estimators: readonly (EstimatorSettings['estimator'] | EstimatorSettings)[],
  seeds: number,
  changes: Partial<EquationSettings> = {},
  pairs = false,
): CoverageRow[] =>
  coverageStudy(
    { ...EQUATION_WORLDS[name]!, ...changes },
    estimators.map((of) => {
      const settings = typeof of === 'string' ? { estimator: of } : of;
      return { name: settings.estimator, settings: { onMissingFreshDraw: 'drop' as const, ...settings } };
    }),
    seeds,
    1,
    pairs,
  ).filter(({ policy }) => policy !== FAMILIES);

describe('draws that are missing', () => {
  test('for half of the prompts refuse the policy: red where an estimator reads the rest in silence', () => {
    for (const row of study('MISSING', ['naive', 'direct', 'dr-cpo'], 10)) {
      expect(row.reasons, row.cell).toEqual({ 'missing-fresh-draws': 10 });
    }
  });

  test('for 2 % of the prompts at random are counted, and the rest is printed', () => {
    for (const row of study('MISSING-FEW', ['direct'], 40)) {
      expect(row.refused).toBe(0);
      expect(row.warnings['draw-coverage']).toBe(40);
      expect(row.warnings['draw-balance'] ?? 0).toBe(0);
      expect(row.coverage).toBeGreaterThanOrEqual(35 / 40);
    }
  });
});

describe('labels that are no random sample', () => {
  test('are named: red where nothing looks at labelled against unlabelled rows', () => {
    for (const row of study('MNAR', ['direct', 'snips'], 30, { policies: ['clone'] })) {
      expect(row.warnings['label-balance'] ?? 0, row.cell).toBeGreaterThanOrEqual(28);
    }
  });

  test('random ones are not', () => {
    for (const name of ['CONT', 'LIKERT']) {
      for (const row of study(name, ['direct'], 30, { policies: ['clone'] })) {
        expect(row.warnings['label-balance'] ?? 0, name).toBeLessThanOrEqual(3);
      }
    }
  });
});

test('prompts with labels that are evaluated: red where their two errors are taken as independent (coverage 84 to 90 %)', () => {
  const rows = study('SHARED', [{ estimator: 'direct', rewardCalibration: 'monotone' }], 150, {}, true);
  for (const row of rows) {
    expect(row.coverage, row.policy).toBeGreaterThanOrEqual(0.915);
    // Standard errors are at most a quarter too large.
    const spread = Math.sqrt(row.rmse ** 2 - row.meanError ** 2);
    expect(row.meanStandardError / spread, row.policy).toBeGreaterThan(0.95);
    expect(row.meanStandardError / spread, row.policy).toBeLessThan(1.3);
  }
});

describe('few labels of the rarer value: red where equal labels give a variance near 0', () => {
  test('ten own labels of a quantity at 95 % (coverage 45 to 69 %)', () => {
    const own = { ownLabels: 10 };
    for (const row of study(
      'BIN95',
      [{ estimator: 'direct-augmented', rewardCalibration: 'monotone' }],
      60,
      own,
      true,
    )) {
      expect(row.coverage, row.policy).toBeGreaterThanOrEqual(0.9);
      if (!row.policy.includes('−')) expect(row.warnings['rare-labels']).toBe(60);
    }
  });

  test('a failure in forty, fifty labels (coverage 75 to 80 %, pairs 71 to 75 %)', () => {
    for (const row of study('RARE', [{ estimator: 'direct', rewardCalibration: 'monotone' }], 60, {}, true)) {
      expect(row.coverage, row.policy).toBeGreaterThanOrEqual(0.9);
    }
  });

  test('continuous labels stay as they are', () => {
    for (const row of study('CONT', [{ estimator: 'direct-augmented', rewardCalibration: 'monotone' }], 20, {
      ownLabels: 10,
    })) {
      expect(row.warnings['rare-labels'] ?? 0).toBe(0);
    }
  });
});

test('a calibration that is wrong for the policy: red where labels at one score are taken as alike (coverage 78 to 83 %)', () => {
  const far = { policies: ['far'] };
  for (const row of study('NOISY', [{ estimator: 'dr-labelled', rewardCalibration: 'monotone' }], 100, far)) {
    expect(row.coverage).toBeGreaterThanOrEqual(0.88);
    expect(Math.abs(row.meanError)).toBeLessThan(3 * row.monteCarloError);
    expect(row.monteCarloError).toBeLessThan(0.004);
  }
});

test('the bootstrap: red where replicates alone make the interval (coverage 83 to 89 %)', () => {
  const settings = {
    estimator: 'direct',
    rewardCalibration: 'monotone',
    inference: 'bootstrap',
    replicates: 100,
  } as const;
  const rows = study('CONT', [settings], 60, { labels: 50 });
  const [hits, given] = [
    rows.reduce((s, r) => s + r.coverage * (r.runs - r.refused), 0),
    rows.reduce((s, r) => s + r.runs - r.refused, 0),
  ];
  expect(given).toBeGreaterThan(150);
  expect(hits / given).toBeGreaterThanOrEqual(0.92);
});

test('weights whose tail is out of the sample are refused: red where the sample’s own effective share alone decides', () => {
  for (const row of study('EDGE', ['snips', 'ips'], 30)) {
    expect(row.reasons['low-effective-sample-size'] ?? 0, row.cell).toBeGreaterThanOrEqual(27);
  }
});
