import { describe, expect, test } from 'vitest';
import { compareAll, type EstimatedPolicy, type EstimateResult, estimate } from '../../src/stats/index.ts';
import { estimateFlipped, FLIPPABLE, twoStageFits } from './support/rank-flips.ts';
import { CASES, CELLS } from './support/recorded-estimators.ts';
import { hasShared, loadCase, readJson } from './support/reference-data.ts';

interface RecordedCell {
  readonly estimate: number;
  readonly se: number;
  readonly ci: readonly [number, number];
  readonly n: number;
  readonly df?: number;
  readonly var_oracle?: number;
  readonly se_iid_if?: number;
  readonly ess_frac?: number;
  readonly stack_weights?: Readonly<Record<string, number>>;
}

interface RecordedPair {
  readonly a: string;
  readonly b: string;
  readonly difference: number;
  readonly se: number;
  readonly p: number;
}

interface Recorded {
  readonly modes: Readonly<
    Record<
      string,
      {
        readonly same_as?: string;
        readonly selected_mode: 'monotone' | 'two_stage' | null;
        readonly pairwise: Readonly<Record<string, readonly RecordedPair[]>>;
        readonly estimators: Readonly<Record<string, Readonly<Record<string, RecordedCell>>>>;
      }
    >
  >;
}

/**
 * Two-stage fits in which ranks flip: the library evaluates one score by two code paths whose last bits differ, so the
 * score falls below the training rows it ties with. `test/fixtures/library/two-stage.json` lists each flip.
 */
const FLIPPED = twoStageFits();

describe(`results of cje-eval 0.3.0 (${hasShared ? 'all recorded cases' : 'shipped cases; ../shared/reference is absent'})`, () => {
  for (const { name, data, results } of CASES) {
    const loaded = loadCase(data);
    const recorded = readJson<Recorded>(results);
    for (const [mode, { same_as, selected_mode, estimators, pairwise }] of Object.entries(recorded.modes)) {
      if (same_as !== undefined) continue;
      test(`${name}, reward mode ${mode}`, () => {
        const rewardCalibration = mode === 'none' ? 'none' : selected_mode === 'two_stage' ? 'two-stage' : 'monotone';
        const flipped = selected_mode === 'two_stage' ? FLIPPED[`${name} ${mode}`]! : null;
        for (const [cell, policies] of Object.entries(estimators)) {
          const settings = CELLS[cell]!;
          const result = estimate({ ...settings, mode: 'parity', rewardCalibration }, loaded);
          for (const p of result.policies) expect(p.status, `${cell} ${p.policy}`).toBe('ok');
          const estimated = result.policies as EstimatedPolicy[];
          if (flipped === null) {
            for (const p of estimated) compare(p, policies[p.policy]!, `${cell} ${p.policy}`);
            pairsAgree(result, pairwise[cell] ?? []);
            continue;
          }
          const tied = flipped.tied[cell];
          for (const p of tied === undefined ? [] : estimated) {
            agree([p.estimate, p.standardError, ...p.interval], tied![p.policy]!, 1e-9, `${cell} ${p.policy}, tied`);
          }
          if (!FLIPPABLE.has(cell)) continue;
          const moved = estimateFlipped(settings, loaded, flipped.flips);
          for (const [policy, recorded] of Object.entries(policies)) {
            agree(moved[policy]!, [recorded.estimate, recorded.se, ...recorded.ci], 1e-9, `${cell} ${policy}, flipped`);
          }
        }
      });
    }
    test(`${name}: auto chooses as recorded`, () => {
      const auto = recorded.modes.auto!;
      const result = estimate({ estimator: 'direct', mode: 'parity', rewardCalibration: 'auto' }, loaded);
      expect(result.calibration?.selected).toBe(auto.selected_mode === 'two_stage' ? 'two-stage' : 'monotone');
    });
  }
});

function pairsAgree(result: EstimateResult, recorded: readonly RecordedPair[]): void {
  const pairs = compareAll(result, { draws: 1, seed: 1 });
  for (const theirs of recorded) {
    const ours = pairs.find((p) => p.a === theirs.a && p.b === theirs.b)!;
    expect(ours.difference).toBeCloseTo(theirs.difference, 9);
    expect(ours.standardError).toBeCloseTo(theirs.se, 9);
    expect(ours.pValue).toBeCloseTo(theirs.p, 9);
  }
}

function agree(ours: readonly number[], theirs: readonly number[], tolerance: number, where: string): void {
  theirs.forEach((value, i) => {
    expect(Math.abs(ours[i]! - value), `${where} ${i}: ${ours[i]} against ${value}`).toBeLessThanOrEqual(tolerance);
  });
}

function compare(p: EstimatedPolicy, recorded: RecordedCell, where: string): void {
  const near = (ours: number, theirs: number, what: string) => agree([ours], [theirs], 1e-9, `${where} ${what}`);
  near(p.estimate, recorded.estimate, 'estimate');
  near(p.standardError, recorded.se, 'standard error');
  near(p.interval[0], recorded.ci[0], 'lower');
  near(p.interval[1], recorded.ci[1], 'upper');
  expect(p.n, where).toBe(recorded.n);
  if (recorded.df !== undefined) expect(p.degreesOfFreedom, where).toBe(recorded.df);
  if (recorded.ess_frac !== undefined && p.essFraction !== null) near(p.essFraction, recorded.ess_frac, 'ESS');
  if (recorded.var_oracle !== undefined) near(p.components.oracleVariance, recorded.var_oracle, 'oracle variance');
  for (const [component, weight] of Object.entries(recorded.stack_weights ?? {})) {
    near(p.diagnostics.mixture![component]!, weight, `mixture ${component}`);
  }
}
