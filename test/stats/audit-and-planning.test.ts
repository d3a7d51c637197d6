import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_WORLD, simulate } from '../../bench/coverage/world.ts';
import { calibrateRewards } from '../../src/stats/calibration/reward-calibration.ts';
import { predictReward } from '../../src/stats/calibration/reward-function.ts';
import { inputsOf } from '../../src/stats/data/data.ts';
import {
  auditTransport,
  type EstimatedPolicy,
  estimate,
  planForBudget,
  planForDifference,
  type RefusedPolicy,
} from '../../src/stats/index.ts';
import { hasShared, loadCase, readJson, SHARED } from './support/reference-data.ts';

const options = { margin: 0.05, alpha: 0.05, audits: 1 };
const ids = (n: number) => Array.from({ length: n }, (_, i) => `p${i}`);

describe('transport audit', () => {
  test('states', () => {
    const audit = (n: number, bias: number, noise: number, margin: number | null = 0.05) =>
      auditTransport(
        Float64Array.from({ length: n }, (_, i) => 0.5 + bias + (i % 2 === 0 ? noise : -noise)),
        new Float64Array(n).fill(0.5),
        ids(n),
        { ...options, margin },
      );
    expect(audit(40, 0.01, 0.05).state).toBe('pass');
    expect(audit(10, 0.01, 0.001).state).toBe('inconclusive');
    expect(audit(40, 0.05, 0.1).state).toBe('inconclusive');
    expect(audit(40, 0.3, 0.1).state).toBe('fail');
    expect(audit(6, 0.3, 0.01).state).toBe('fail');
    expect(audit(40, 0, 0.1, null).state).toBe('not-graded');
    expect(audit(1, 0.5, 0).state).toBe('inconclusive');
    expect(auditTransport([Number.NaN], [0.5], ['a'], options).state).toBe('not-checked');
  });

  test('by hand: clusters, weights, and what would have passed', () => {
    const audit = auditTransport([0.6, 0.8, 0.5], [0.5, 0.5, 0.5], ['a', 'a', 'b'], options, [1, 1, 2]);
    expect(audit.bias).toBeCloseTo(0.1, 12);
    // Cluster residual totals 0.2 and −0.2: SE² = 2 · 0.08 / 16.
    expect(audit.standardError).toBeCloseTo(0.1, 12);
    expect(audit.effectivePrompts).toBeCloseTo(2, 12);
    expect(audit.smallestPassingMargin).toBeCloseTo(audit.interval![1], 12);
    expect(audit.smallestPassingMargin).toBeCloseTo(0.1 + 12.706204736174698 * 0.1, 9);
  });

  test('a judge that drifts on one policy: what trusts the calibration is refused, own labels still estimate', () => {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 600, ownLabels: 60, drift: { pi_cot: -0.15 } }, 3);
    const direct = estimate({ estimator: 'direct' }, data).policies;
    expect((direct[1] as RefusedPolicy).code).toBe('transport-failed');
    expect(direct[0]!.status).toBe('ok');
    const augmented = estimate({ estimator: 'direct-augmented' }, data).policies[1] as EstimatedPolicy;
    expect(augmented.interval[0]).toBeLessThan(0.6729);
    expect(augmented.interval[1]).toBeGreaterThan(0.6729);
  });

  test('few own labels refuse direct-augmented with how many to collect', () => {
    const data = simulate({ ...DEFAULT_WORLD, prompts: 300, ownLabels: 4 }, 3);
    const refused = estimate({ estimator: 'direct-augmented' }, data).policies[0] as RefusedPolicy;
    expect(refused.code).toBe('too-few-own-labels');
    expect(refused.whatToCollect).toContain('6 more');
  });
});

describe('planning', () => {
  const model = { perPrompt: 0.04, perLabel: 0.01, rSquared: 1 };

  test('square-root law by hand', () => {
    const outcome = planForBudget(model, { perPrompt: 1, perLabel: 4 }, 1000);
    // √(0.04/1) : √(0.01/4) = 4 : 1, and n + 4m = 1000.
    expect(outcome.ok && [outcome.plan.prompts, outcome.plan.labels, outcome.plan.cost]).toEqual([500, 125, 1000]);
  });

  test('labels never outnumber prompts, never fall below the floor, and money is never overspent', () => {
    const positive = fc.double({ min: 1e-6, max: 10, noNaN: true });
    fc.assert(
      fc.property(
        positive,
        positive,
        positive,
        positive,
        fc.double({ min: 1, max: 1e4, noNaN: true }),
        (a, b, c, d, money) => {
          const outcome = planForBudget(
            { perPrompt: a, perLabel: b, rSquared: 1 },
            { perPrompt: c, perLabel: d },
            money,
          );
          if (!outcome.ok) {
            expect(money).toBeLessThan(30 * (c + d));
            return;
          }
          const { plan } = outcome;
          expect(plan.labels).toBeGreaterThanOrEqual(30);
          expect(plan.prompts).toBeGreaterThanOrEqual(plan.labels);
          expect(plan.cost).toBeLessThanOrEqual(money * (1 + 1e-9));
        },
      ),
    );
  });

  test('a plan for a difference reaches it, and half the difference costs about four times as much', () => {
    const costs = { perPrompt: 0.01, perLabel: 0.16 };
    const cost = (difference: number) => {
      const outcome = planForDifference(model, costs, difference);
      if (!outcome.ok) throw new Error(outcome.message);
      expect(outcome.plan.detectableDifference).toBeLessThanOrEqual(1.02 * difference);
      return outcome.plan.cost;
    };
    expect(cost(0.02) / cost(0.04)).toBeCloseTo(4, 0);
    expect(planForDifference({ perPrompt: 0, perLabel: 0, rSquared: 1 }, costs, 0.1).ok).toBe(false);
  });
});

interface RecordedAudit {
  readonly delta_hat: number;
  readonly delta_se: number;
}

interface TruthRow {
  readonly prompt_id: string;
  readonly policy: string;
  readonly oracle_label: number;
}

describe.runIf(hasShared)('the audit of cje-eval 0.3.0 (runs where ../shared/reference is present)', () => {
  test('bias and standard error on 60 probe labels a policy', () => {
    const folder = path.join(SHARED, 'plain');
    const data = loadCase(folder);
    const recorded = readJson<{ direct_only_v030: { transport_audit_v030_n60: Record<string, RecordedAudit> } }>(
      path.join(folder, 'results.json'),
    ).direct_only_v030.transport_audit_v030_n60;
    const truth = readFileSync(path.join(folder, 'truth.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as TruthRow);
    const inputs = inputsOf(data.logged.judgeScores, []);
    const calibration = calibrateRewards(inputs, data.logged.oracleLabels, data.logged.promptIds, {
      mode: 'monotone',
      folds: 5,
      seed: 42,
      jackknifeGroups: null,
    });
    for (const [policy, theirs] of Object.entries(recorded)) {
      const draws = data.freshDraws.get(policy)!;
      const key = (id: string) => createHash('sha256').update(`${id}|probe`).digest('hex');
      const probe = new Set([...draws.promptIds].sort((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, 60));
      const labelOf = new Map(truth.filter((t) => t.policy === policy).map((t) => [t.prompt_id, t.oracle_label]));
      const labels = draws.promptIds.map((id) => (probe.has(id) ? labelOf.get(id)! : Number.NaN));
      const rewards = predictReward(calibration.full, inputsOf(draws.judgeScores, []));
      const ours = auditTransport(labels, rewards, draws.promptIds, options);
      expect(ours.bias).toBeCloseTo(theirs.delta_hat, 9);
      expect(ours.standardError).toBeCloseTo(theirs.delta_se, 9);
    }
  });
});
