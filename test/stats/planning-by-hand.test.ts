import { describe, expect, test } from 'vitest';
import {
  explainedShare,
  impliedVarianceModel,
  POWER,
  type PowerOptions,
  planAtShare,
  planForBudget,
  planForDifference,
  reachOf,
} from '../../src/stats/planning.ts';

/** z at 97.5 % and at 80 %. */
const [Z, Z_POWER] = [1.959963985, 0.841621234];
const model = (perPrompt: number, perLabel: number) => ({ perPrompt, perLabel, rSquared: 1 });
const detectableDifference = (standardError: number, options?: PowerOptions) =>
  reachOf({ perPrompt: standardError ** 2, perLabel: 0 }, 1, 1, options).detectableDifference;
const planned = (outcome: ReturnType<typeof planForBudget>) => {
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.plan;
};

test('the usual power: 80 % at 5 %, a calibration on at least 30 labels', () => {
  expect(POWER).toEqual({ alpha: 0.05, power: 0.8, minimumLabels: 30 });
});

describe('detectable difference', () => {
  test('(z + z)·√2·SE', () => {
    expect(detectableDifference(0.02)).toBeCloseTo((Z + Z_POWER) * Math.SQRT2 * 0.02, 8);
    // At 10 % and 50 % power: 1.6449 + 0.
    expect(detectableDifference(0.02, { alpha: 0.1, power: 0.5, minimumLabels: 30 })).toBeCloseTo(
      1.644853627 * Math.SQRT2 * 0.02,
      8,
    );
  });
});

describe('a plan for a budget', () => {
  test('n : m = √(σ_e²/c_S) : √(σ_c²/c_Y), and what it reaches', () => {
    // √(0.09/1) : √(0.04/4) = 3 : 1 with n + 4m = 700: 300 and 100.
    const plan = planned(planForBudget(model(0.09, 0.04), { perPrompt: 1, perLabel: 4 }, 700));
    expect([plan.prompts, plan.labels, plan.cost]).toEqual([300, 100, 700]);
    // 0.09/300 + 0.04/100 = 0.0007.
    expect(plan.standardError).toBeCloseTo(Math.sqrt(0.0007), 12);
    expect(plan.detectableDifference).toBeCloseTo((Z + Z_POWER) * Math.SQRT2 * Math.sqrt(0.0007), 8);
  });

  test('a label needs its prompt: where labels would outnumber prompts both are as many', () => {
    // √0.01 : √0.09 = 1 : 3: equal, 400/(1 + 1).
    const plan = planned(planForBudget(model(0.01, 0.09), { perPrompt: 1, perLabel: 1 }, 400));
    expect([plan.prompts, plan.labels]).toEqual([200, 200]);
  });

  test('at the floor of labels the rest goes to prompts', () => {
    // Labels carry nothing: 30 of them cost 60, prompts get 40 of 100.
    const plan = planned(planForBudget(model(0.09, 0), { perPrompt: 1, perLabel: 2 }, 100));
    expect([plan.prompts, plan.labels, plan.cost]).toEqual([40, 30, 100]);
    expect(plan.standardError).toBeCloseTo(Math.sqrt(0.09 / 40), 12);
  });

  test('whole numbers by truncation: a budget of 704 buys no part of a label', () => {
    const plan = planned(planForBudget(model(0.09, 0.04), { perPrompt: 1, perLabel: 4 }, 704));
    // 704 · 0.3/0.7 = 301.7 and 100.6.
    expect([plan.prompts, plan.labels]).toEqual([301, 100]);
  });

  test('a whole number of labels is not lost to rounding', () => {
    // √0.09 : √(0.01/9) = 9 : 1 and n + 9m = 558: 279 and 31, which comes out as 30.999999999999996.
    const plan = planned(planForBudget(model(0.09, 0.01), { perPrompt: 1, perLabel: 9 }, 558));
    expect([plan.prompts, plan.labels, plan.cost]).toEqual([279, 31, 558]);
  });

  test('the least budget is 30 labelled prompts, exactly', () => {
    const costs = { perPrompt: 1, perLabel: 2 };
    expect(planned(planForBudget(model(0.09, 0.04), costs, 90))).toMatchObject({ prompts: 30, labels: 30, cost: 90 });
    expect(planForBudget(model(0.09, 0.04), costs, 89.9)).toMatchObject({ ok: false, reason: 'budget-too-small' });
    expect(planForBudget(model(0.09, 0.04), costs, 89.9)).toMatchObject({
      message: expect.stringContaining('cost 90'),
    });
    expect(planForBudget(model(0, 0), costs, 900)).toMatchObject({ ok: false, reason: 'no-variance' });
    expect(planForBudget(model(0, 0.04), costs, 900).ok).toBe(true);
    expect(planForBudget(model(0.09, 0), costs, 900).ok).toBe(true);
  });
});

describe('a plan for a difference', () => {
  const costs = { perPrompt: 1, perLabel: 4 };

  test('inside: D²/V for V = (d/(z + z)/√2)²', () => {
    // V = 0.0007 is what 700 buys above; 0.7²/0.0007 = 700.
    const difference = (Z + Z_POWER) * Math.SQRT2 * Math.sqrt(0.0007);
    const plan = planned(planForDifference(model(0.09, 0.04), costs, difference));
    expect(Math.abs(plan.cost - 700)).toBeLessThanOrEqual(5);
    expect(plan.detectableDifference).toBeLessThanOrEqual(1.02 * difference);
  });

  test('of a variance that is a difference’s own: without the √2 of two independent policies, on its own degrees of freedom', () => {
    const own = { ...POWER, variance: 'difference' } as const;
    expect(detectableDifference(0.01, own)).toBeCloseTo(0.01 * (Z + Z_POWER), 8);
    expect(detectableDifference(0.01, { ...POWER, variance: 'independent' })).toBeCloseTo(
      0.01 * (Z + Z_POWER) * Math.SQRT2,
      8,
    );
    // Student's 97.5 % on four degrees of freedom is 2.776445.
    expect(detectableDifference(0.01, { ...own, degreesOfFreedom: 4 })).toBeCloseTo(0.01 * (2.776445105 + Z_POWER), 8);
    const plan = planned(planForDifference(model(0.09, 0.04), costs, (Z + Z_POWER) * Math.sqrt(0.0007), own));
    expect(Math.abs(plan.cost - 700)).toBeLessThanOrEqual(5);
  });

  test('at the floor of labels: n = σ_e²/(V − σ_c²/30)', () => {
    // V = 0.004 with 0.03/30 = 0.001 left for labels: 0.9/0.003 = 300 prompts.
    const difference = (Z + Z_POWER) * Math.SQRT2 * Math.sqrt(0.004);
    const plan = planned(planForDifference(model(0.9, 0.03), { perPrompt: 1, perLabel: 100 }, difference));
    expect(plan.labels).toBe(30);
    expect(Math.abs(plan.prompts - 300)).toBeLessThanOrEqual(1);
  });

  test('no plan is below the floor of 30 labelled prompts', () => {
    // The law would spend 0.38/0.0038 = 100 on labels nearly alone; 30 prompts at 10 and their labels at 1 cost 330.
    const difference = (Z + Z_POWER) * Math.SQRT2 * Math.sqrt((Math.sqrt(0.1) + 0.3) ** 2 / 100);
    const plan = planned(planForDifference(model(0.01, 0.09), { perPrompt: 10, perLabel: 1 }, difference));
    expect([plan.prompts, plan.labels, plan.cost]).toEqual([30, 30, 330]);
  });

  test('what it finds is what was asked for, at hardly more than the law needs', () => {
    for (const difference of [0.05, 0.1, 0.2, 0.4, 2]) {
      const plan = planned(planForDifference(model(0.09, 0.04), costs, difference));
      expect(plan.detectableDifference).toBeLessThanOrEqual(difference);
      // Never more than the floor, or 3 % over what the law needs.
      const needed = (difference / (Z + Z_POWER) / Math.SQRT2) ** 2;
      expect(plan.cost).toBeLessThanOrEqual(Math.max(150, (1.03 * 0.49) / needed + 5));
    }
    expect(planForDifference(model(0, 0), costs, 0.1)).toMatchObject({ ok: false });
  });
});

test('whole labels: as many as the difference takes where they make all the error', () => {
  // 0.09/5.9 is wanted, 5 labels give 18 % too much: 6.
  const few = { ...POWER, minimumLabels: 4 };
  const of = (labels: number) => {
    const difference = (Z + Z_POWER) * Math.SQRT2 * Math.sqrt(0.09 / labels);
    return planned(planForDifference(model(0, 0.09), { perPrompt: 0.001, perLabel: 1 }, difference, few));
  };
  expect([of(5.9).prompts, of(5.9).labels, of(6.1).labels]).toEqual([6, 6, 7]);
});

describe('what a calibration of few labels may overstate', () => {
  const own = { ...POWER, variance: 'difference' } as const;
  const of = { perPrompt: 0, perLabel: 1, overstated: 10, rSquared: 1 };

  test('is found from t·√(V/(1 − t² o)) on, and with power z·√V further', () => {
    // V = 1/100, o = 10/100: 1 − 3.8415 · 0.1 = 0.61585, 1.959964/√0.61585 = 2.49752, and 0.84162 more: 3.33914 standard
    // errors of 0.1.
    const { standardError, detectableDifference: found } = reachOf(of, 1000, 100, own);
    expect(found).toBeCloseTo(0.3339142, 6);
    // 0.01 + 0.1 · 0.33391².
    expect(standardError).toBeCloseTo(0.145427, 5);
    expect(reachOf({ ...of, overstated: 0 }, 1000, 100, own).detectableDifference).toBeCloseTo((Z + Z_POWER) / 10, 8);
  });

  test('tells nothing apart where the share alone reaches that far, 1/t² = 0.2603', () => {
    expect(reachOf(of, 1000, 38, own).detectableDifference).toBe(Number.POSITIVE_INFINITY);
    expect(reachOf(of, 1000, 39, own).detectableDifference).toBeCloseTo(
      Math.sqrt(1 / 39) * (Z / Math.sqrt(1 - (Z ** 2 * 10) / 39) + Z_POWER),
      6,
    );
  });

  test('is bought off by labels: more for a budget, and as many as a difference takes, not one more', () => {
    const both = { perPrompt: 1, perLabel: 0.1, overstated: 10, rSquared: 1 };
    const costs = { perPrompt: 1, perLabel: 1 };
    const bare = planned(planForBudget({ ...both, overstated: 0 }, costs, 1000, own));
    const plan = planned(planForBudget(both, costs, 1000, own));
    expect(plan.labels).toBeGreaterThan(bare.labels);
    // As good as the best that the money buys.
    const best = Math.min(
      ...Array.from({ length: 470 }, (_, i) => reachOf(both, 970 - i, 30 + i, own).detectableDifference),
    );
    expect(plan.detectableDifference).toBeLessThan(1.001 * best);
    expect(reachOf(both, bare.prompts, bare.labels, own).detectableDifference).toBeGreaterThan(1.001 * best);
    const reached = planned(planForDifference(both, costs, 0.1, own));
    expect(reached.detectableDifference).toBeLessThanOrEqual(0.1);
    expect(planned(planForBudget(both, costs, reached.cost - 1, own)).detectableDifference).toBeGreaterThan(0.1);
    const shared = planned(planAtShare(both, costs, 0.5, { difference: 0.1 }, own));
    expect(shared.detectableDifference).toBeLessThanOrEqual(0.1);
    const oneLess = reachOf(both, shared.prompts - 1, Math.ceil((shared.prompts - 1) / 2), own);
    expect(oneLess.detectableDifference).toBeGreaterThan(0.1);
  });

  test('no plan is within what neither prompts nor labels lower', () => {
    const costs = { perPrompt: 1, perLabel: 1 };
    const least = (Z + Z_POWER) * 0.01;
    const remaining = { ...model(0.1, 0.1), remaining: 0.0001 };
    expect(planForDifference(remaining, costs, 0.99 * least, own)).toMatchObject({ ok: false, reason: 'unreachable' });
    expect(planAtShare(remaining, costs, 0.5, { difference: 0.99 * least }, own).ok).toBe(false);
    expect(planned(planForDifference(remaining, costs, 1.01 * least, own)).standardError).toBeCloseTo(0.0101, 5);
  });
});

describe('a plan at a given share of labels', () => {
  const costs = { perPrompt: 0.01, perLabel: 0.16 };
  // (0.1 + 0.2/0.25)/n = 0.9/n, at 0.01 + 0.25 · 0.16 = 0.05 a prompt.
  const at = (wish: Parameters<typeof planAtShare>[3], of = model(0.1, 0.2)) => planAtShare(of, costs, 0.25, wish);

  test('for a budget: as many prompts as it pays, a share of them with labels', () => {
    const plan = planned(at({ budget: 50 }));
    expect([plan.prompts, plan.labels]).toEqual([1000, 250]);
    expect(plan.cost).toBeCloseTo(50, 12);
    expect(plan.standardError).toBeCloseTo(Math.sqrt(0.0009), 12);
    // 50.2 pays 1004 prompts, and 251 labels; 50.1 pays 1002, and no half of a label.
    expect(planned(at({ budget: 50.2 }))).toMatchObject({ prompts: 1004, labels: 251 });
    expect(planned(at({ budget: 50.1 }))).toMatchObject({ prompts: 1002, labels: 250 });
  });

  test('never less than the least labels: 30 at a quarter take 120 prompts', () => {
    expect(planned(at({ budget: 6 }))).toMatchObject({ prompts: 120, labels: 30 });
    expect(at({ budget: 5.99 })).toEqual({
      ok: false,
      reason: 'budget-too-small',
      message: '120 prompts with 30 labelled ones among them cost 6',
    });
    expect(planned(at({ difference: 5 }))).toMatchObject({ prompts: 120, labels: 30 });
    // A third of 91 is 30.3: 90 are enough, and 30 of them have labels.
    expect(planned(planAtShare(model(0.1, 0.2), costs, 1 / 3, { difference: 5 }))).toMatchObject({
      prompts: 90,
      labels: 30,
    });
  });

  test('for a difference: n = V (z + z)² 2/d², and one label more rather than one too few', () => {
    const difference = (Z + Z_POWER) * Math.SQRT2 * Math.sqrt(0.1 / 1000.5 + 0.2 / 250.7);
    const plan = planned(at({ difference }));
    expect([plan.prompts, plan.labels]).toEqual([1001, 251]);
    expect(plan.detectableDifference).toBeLessThanOrEqual(difference);
  });

  test('of no variance there is nothing to plan; one of the two is enough', () => {
    expect(at({ budget: 50 }, model(0, 0))).toMatchObject({ ok: false, reason: 'no-variance' });
    expect(at({ budget: 50 }, model(-1, -1))).toMatchObject({ ok: false, reason: 'no-variance' });
    expect(planned(at({ budget: 50 }, model(0.1, 0))).standardError).toBeCloseTo(0.01, 12);
    expect(planned(at({ budget: 50 }, model(0, 0.1))).standardError).toBeCloseTo(0.02, 12);
  });
});

describe('the variance model', () => {
  test('implied by one estimate: sampling times prompts, oracle times labels', () => {
    expect(
      impliedVarianceModel({ samplingVariance: 0.001, oracleVariance: 0.002, sharedVariance: 0 }, 200, 50),
    ).toEqual({
      perPrompt: 0.2,
      perLabel: 0.1,
      overstated: 0,
      remaining: 0,
      rSquared: 1,
    });
  });

  test('of a difference: what few or rare labels add, and lies beyond them, comes with labels, rare own ones with prompts', () => {
    const none = { samplingVariance: 0, oracleVariance: 0, sharedVariance: 0 };
    const of = (more: Parameters<typeof impliedVarianceModel>[0]) => impliedVarianceModel(more, 200, 50);
    expect(of({ ...none, labelVariance: 0.002 }).perLabel).toBeCloseTo(0.1, 14);
    expect(of({ ...none, extrapolationVariance: 0.002 }).perLabel).toBeCloseTo(0.1, 14);
    expect(of({ ...none, ownVariance: 0.001 }).perPrompt).toBeCloseTo(0.2, 14);
    expect(of({ ...none, overstatedShare: 0.03, stabilisationVariance: 0.004 })).toMatchObject({
      overstated: 1.5,
      remaining: 0.004,
    });
  });

  test('what labels and draws share comes with the prompts; below zero it counts for nothing', () => {
    const perPrompt = (sharedVariance: number) =>
      impliedVarianceModel({ samplingVariance: 0.001, oracleVariance: 0, sharedVariance }, 200, 50).perPrompt;
    expect(perPrompt(0.0005)).toBeCloseTo(0.3, 14);
    expect(perPrompt(-0.0005)).toBeCloseTo(0.2, 14);
  });

  test('explains what it leaves of the spread of measured variances', () => {
    // The law says 0.4/10 + 0.2/10, 0.4/20 + 0.2/10 and 0.4/20 + 0.2/20: 0.06, 0.04 and 0.03.
    const measured = [
      { prompts: 10, labels: 10, variance: 0.07 },
      { prompts: 20, labels: 10, variance: 0.03 },
      { prompts: 20, labels: 20, variance: 0.02 },
    ];
    // Times 60/61 it leaves 62 − 60²/61 of 62 squares; about their mean of 0.04 the variances have 9 + 1 + 4.
    expect(explainedShare(model(0.4, 0.2), measured)).toBeCloseTo(1 - (62 - 60 ** 2 / 61) / 14, 12);
    // A law that falls likewise explains as much.
    expect(explainedShare(model(1.2, 0.6), measured)).toBeCloseTo(1 - (62 - 60 ** 2 / 61) / 14, 12);
    // With 0.01 more everywhere it is 0.07, 0.05 and 0.04: 72/90 of that.
    expect(explainedShare({ ...model(0.4, 0.2), remaining: 0.01 }, measured)).toBeCloseTo(
      1 - (62 - 72 ** 2 / 90) / 14,
      12,
    );
    expect(explainedShare(model(0.4, 0.2), measured.slice(1))).toBeNull();
    expect(explainedShare(model(0.4, 0.2), [measured[0]!, measured[0]!, measured[0]!])).toBeNull();
  });
});
