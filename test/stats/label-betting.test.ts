import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS, equationValue, simulateEquations } from '../../bench/coverage/equations.ts';
import { hashedOrder } from '../../src/stats/data/folds.ts';
import { bettingInterval, compareAll, type EstimatorSettings, estimate, resolveConfig } from '../../src/stats/index.ts';
import { bettingDifference, labelBettingInterval } from '../../src/stats/inference/label-betting.ts';
import type { OwnLabels } from '../../src/stats/study/computation.ts';
import { estimated, resultOf } from './support/hand-made.ts';

const own: OwnLabels = {
  promptIds: Array.from({ length: 20 }, (_, i) => `p${i}`),
  labels: Float64Array.from({ length: 20 }, (_, i) => (i % 5) / 4),
  weights: null,
  seed: 42,
};
const FIXED = { alpha: 0.05, horizon: 'fixed' } as const;

describe('bets on own labels', () => {
  test('take them in the order of a hash, whatever the order of rows', () => {
    const inOrder = hashedOrder(own.promptIds, 42).map((id) => own.labels[own.promptIds.indexOf(id)]!);
    const expected = bettingInterval(inOrder, FIXED);
    expect(labelBettingInterval(own, 0.05)).toEqual(expected);
    const reversed = { ...own, promptIds: own.promptIds.toReversed(), labels: own.labels.toReversed() };
    expect(labelBettingInterval(reversed, 0.05)).toEqual(expected);
  });

  test('several labels of a prompt are one value, of a share by their weight', () => {
    // Twenty prompts like a, of 0 once and 1 three times, and twenty like b.
    const ids = (prefix: string) => Array.from({ length: 20 }, (_, i) => `${prefix}${i}`);
    const of = (a: number, again: number, b: number) => [
      ...ids('a').flatMap(() => [a, again]),
      ...ids('b').map(() => b),
    ];
    const bets = {
      ...own,
      promptIds: [...ids('a').flatMap((id) => [id, id]), ...ids('b')],
      labels: Float64Array.from(of(0, 1, 0.25)),
      weights: Float64Array.from(of(1, 3, 2)),
    };
    const byPrompt = hashedOrder([...ids('a'), ...ids('b')], 42).map((id) =>
      id.startsWith('a') ? [0.75, 1] : [0.25, 0.5],
    );
    expect(labelBettingInterval(bets, 0.05)[0]).toBeGreaterThan(0.2);
    expect(labelBettingInterval(bets, 0.05)).toEqual(
      bettingInterval(
        byPrompt.map(([label]) => label!),
        { ...FIXED, shares: byPrompt.map(([, share]) => share!) },
      ),
    );
  });

  test('a smaller share is a smaller bet, by hand', () => {
    // One value 1 at α = 0.5: capital 1 + min(λ s, 0.95/μ)(1 − μ), λ = √(2 ln 4/¼) = 3.33; with s = ¼ it never reaches 4.
    const alone = { alpha: 0.5, horizon: 'fixed' } as const;
    const [low] = bettingInterval([1], alone);
    expect(1 + Math.min(Math.sqrt(8 * Math.log(4)), 0.95 / low) * (1 - low)).toBeCloseTo(4, 6);
    expect(bettingInterval([1], { ...alone, shares: [0.25] })).toEqual([0, 1]);
  });

  test('a difference has each level at α/2, and p at the level from which on it leaves 0 out', () => {
    const many = Array.from({ length: 60 }, (_, i) => `q${i}`);
    const shifted = (added: number): OwnLabels => ({
      ...own,
      promptIds: many,
      labels: Float64Array.from(many, (_, i) => added + (0.5 * (i % 5)) / 4),
    });
    const [a, b] = [shifted(0), shifted(0.25)];
    const { interval, pValue } = bettingDifference(a, b, 0.05);
    const [x, y] = [labelBettingInterval(a, 0.025), labelBettingInterval(b, 0.025)];
    expect(interval).toEqual([x[0] - y[1], x[1] - y[0]]);
    expect(bettingDifference(a, b, pValue * 1.01).interval[1]).toBeLessThan(0);
    expect(bettingDifference(a, b, pValue * 0.99).interval[1]).toBeGreaterThan(0);
    expect(bettingDifference(a, a, 0.05).pValue).toBe(1);
  });
});

describe('direct-augmented with interval: betting', () => {
  const settings: EstimatorSettings = { estimator: 'direct-augmented', interval: 'betting' };
  const world = { ...EQUATION_WORLDS.BIN95!, prompts: 200, ownLabels: 15 };

  test('holds a quantity at 95 % with 15 own labels, at the estimate of the normal one', () => {
    let held = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const data = simulateEquations(world, seed);
      const normal = estimate({ estimator: 'direct-augmented' }, data).policies;
      estimate(settings, data).policies.forEach((p, i) => {
        const other = normal[i]!;
        if (p.status !== 'ok' || other.status !== 'ok') throw new Error('refused');
        expect([p.estimate, p.standardError]).toEqual([other.estimate, other.standardError]);
        const truth = equationValue(world, p.policy);
        const [low, high] = p.interval;
        if (low <= truth && truth <= high) held++;
        expect(p.diagnostics.gates.find(({ gate }) => gate === 'rare-labels')!.note).toContain('so the standard error');
      });
    }
    expect(held).toBeGreaterThanOrEqual(34);
  });

  test('pairs are held to α together by their number', () => {
    const pairs = compareAll(estimate(settings, simulateEquations(world, 3)));
    expect(pairs).toHaveLength(3);
    for (const { pValue, maxTP, interval, simultaneousInterval } of pairs) {
      expect(maxTP).toBe(Math.min(1, 3 * pValue));
      expect(simultaneousInterval[0]).toBeLessThan(interval[0]);
    }
  });

  test('a clear difference among three costs three times its own p', () => {
    const betting = (policy: string, label: number) =>
      estimated(policy, label, [0, 0], {
        bets: {
          ...own,
          promptIds: Array.from({ length: 60 }, (_, i) => `r${i}`),
          labels: Float64Array.from({ length: 60 }, (_, i) => label + (i % 2 === 0 ? 0.02 : -0.02)),
        },
      });
    const pairs = compareAll(resultOf([betting('a', 0.2), betting('b', 0.5), betting('c', 0.8)]), {
      draws: 9,
      seed: 1,
    });
    for (const { pValue, maxTP } of pairs) {
      expect(pValue).toBeLessThan(0.01);
      expect(maxTP).toBe(3 * pValue);
    }
  });

  test('a difference beyond any doubt has the smallest p that is looked for, and none has one of 1', () => {
    const of = (label: number): OwnLabels => ({
      ...own,
      promptIds: Array.from({ length: 100 }, (_, i) => `r${i}`),
      labels: new Float64Array(100).fill(label),
      weights: null,
    });
    expect(bettingDifference(of(1), of(0), 0.05).pValue).toBe(1e-6);
    expect(bettingDifference(of(0.5), of(0.5), 0.05).pValue).toBeCloseTo(1, 5);
  });

  test('is no setting of another estimator, nor of the bootstrap', () => {
    expect(() => resolveConfig({ estimator: 'direct', interval: 'betting' })).toThrow('interval: no setting of direct');
    expect(() => resolveConfig({ ...settings, inference: 'bootstrap' })).toThrow('not with interval betting');
  });
});
