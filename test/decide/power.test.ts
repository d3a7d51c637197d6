import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { QUALITY } from '../../src/datasets/dataset-rows.ts';
import { outlookOf } from '../../src/datasets/planning/outlook.ts';
import { type Pilot, pilotOf } from '../../src/datasets/planning/pilot.ts';
import { powerOf, settingsOf } from '../../src/decide/power.ts';
import { POWER } from '../../src/stats/index.ts';
import { powerText } from '../../src/terminal/power-text.ts';
import { toyGraph, toyWorld } from '../helpers/toy.ts';
import { labelledData } from '../kinds/labelled-data.ts';
import { input } from '../kinds/support.ts';

describe('pilotOf', () => {
  it('splits the variance into what prompts and what labels would lower', () => {
    const pilot = pilotOf({ estimator: 'direct' }, labelledData({ prompts: 300, labelled: 0.3, ownLabelled: 0 }));
    expect(pilot).toMatchObject({ prompts: 300, ownLabels: 0 });
    for (const policy of pilot.policies) {
      if (policy.status !== 'ok') throw new Error(policy.reason);
      const variance = policy.perPrompt / pilot.prompts + policy.perLabel / pilot.labels;
      // Where labels and draws err against each other, a plan does not count on it.
      expect(Math.sqrt(variance)).toBeGreaterThan(policy.standardError - 1e-12);
      expect(Math.sqrt(variance)).toBeLessThan(1.1 * policy.standardError);
      expect(policy.rSquared).not.toBeNull();
    }
  });

  it('does not measure subsets of a dataset that is too small for them', () => {
    const pilot = pilotOf({ estimator: 'direct' }, labelledData({ prompts: 60 }));
    expect(pilot.policies.map((policy) => policy.status === 'ok' && policy.rSquared)).toEqual([null, null]);
  });

  it('plans for the policy that wrote the log like for the others', () => {
    const data = { ...labelledData({ prompts: 60 }), logger: 'p0' };
    const pilot = pilotOf({ estimator: 'direct' }, data);
    const policies = pilot.policies.map(({ policy }) => policy);
    expect(policies).toEqual([...data.policies, 'p0']);
    expect(pilot.pairs.some(({ a, b }) => a === 'p0' || b === 'p0')).toBe(true);
    const prices = { score: 0.01, label: 0.1 };
    const outlook = outlookOf({
      dataset: 'd',
      estimator: 'direct',
      pilot,
      prices,
      goal: { type: 'none' },
      options: POWER,
    });
    expect(outlook.responsesPerPrompt).toBe(policies.length);
  });

  it('keeps a refusal', () => {
    const pilot = pilotOf({ estimator: 'direct' }, labelledData({ prompts: 60, labelled: 0 }));
    expect(pilot.policies[0]).toMatchObject({ status: 'refused', gate: 'no-oracle-labels' });
  });
});

describe('what is wished for', () => {
  const pilot = (scale: readonly [number, number] | undefined) => ({
    name: 'd',
    output: input({ files: { [QUALITY]: JSON.stringify({ scale }) } }),
    graph: toyGraph(),
    finished: () => undefined,
    prices: toyWorld().ports().prices,
  });
  const wished =
    (difference: number | undefined, budget: number | undefined, scale: readonly [number, number] | null = [1, 5]) =>
    () =>
      powerOf(pilot(scale ?? undefined), {
        estimator: 'direct',
        settings: settingsOf('direct'),
        wish: { difference, budget },
        prices: {},
        options: POWER,
        between: undefined,
        force: false,
      });

  it('is a difference that the labels’ scale can have, or dollars', () => {
    for (const difference of [0, -1, 4, 4.5]) {
      expect(wished(difference, undefined)).toThrow('--difference is on the labels’ scale of 1 to 5: between 0 and 4');
    }
    expect(wished(undefined, 0)).toThrow('--budget takes dollars, more than 0');
    expect(wished(1, undefined, null)).toThrow('--difference is on the labels’ scale of 0 to 1: between 0 and 1');
    expect(wished(0.9, undefined, null)).not.toThrow(/--difference/);
    // What can be wished for is read on; there are no rows here.
    expect(wished(3.9, undefined)).not.toThrow(/--difference/);
    expect(wished(undefined, 0.01)).not.toThrow(/--budget/);
  });
});

describe('outlookOf', () => {
  const pilot: Pilot = {
    prompts: 200,
    labels: 50,
    ownLabels: 40,
    logger: 'p0',
    policies: [
      { status: 'ok', policy: 'a', perPrompt: 0.02, perLabel: 0.01, rSquared: 0.9, standardError: 0.017 },
      { status: 'ok', policy: 'b', perPrompt: 0.04, perLabel: 0.02, rSquared: 0.7, standardError: 0.0245 },
      { status: 'refused', policy: 'c', gate: 'ess', reason: 'few', collect: 'More rows.' },
    ],
    pairs: [],
  };
  const question = { dataset: 'd', estimator: 'direct', pilot, prices: { score: 0.01, label: 0.1 }, options: POWER };

  it('plans for the least certain policy, and within the budget', () => {
    const outlook = outlookOf({ ...question, goal: { type: 'budget', budget: 100 } });
    const plan = outlook.plan!;
    expect(outlook.hardest).toBe('b');
    // Four policies answer each prompt, the logger among them; the square-root law spends √(0.04·0.04) : √(0.02·0.1).
    const [prompt, label] = [Math.sqrt(0.04 * 0.04), Math.sqrt(0.02 * 0.1)];
    expect(plan.prompts).toBe(Math.floor((100 * prompt) / (prompt + label) / 0.04));
    expect(plan.labels).toBe(Math.floor((100 * label) / (prompt + label) / 0.1));
    expect(plan.cost).toBeLessThanOrEqual(100);
  });

  const pairs = [
    {
      a: 'a',
      b: 'b',
      perPrompt: 0.01,
      perLabel: 0.004,
      rSquared: 0.9,
      overstated: 0,
      remaining: 0,
      standardError: 0.0114,
      degreesOfFreedom: 1e9,
    },
    {
      a: 'a',
      b: 'c',
      perPrompt: 0.005,
      perLabel: 0.004,
      rSquared: 0.9,
      overstated: 0,
      remaining: 0,
      standardError: 0.01,
      degreesOfFreedom: 1e9,
    },
  ];

  it('plans for the least certain pair, from its paired variance', () => {
    const goal = { type: 'difference', difference: 0.02 } as const;
    const outlook = outlookOf({ ...question, pilot: { ...pilot, pairs }, goal });
    expect(outlook.hardest).toBe('a − b');
    // (1.96 + 0.8416)·SE of the difference, without a √2.
    expect(outlook.detectableDifference).toBeCloseTo(2.801585 * Math.sqrt(0.01 / 200 + 0.004 / 50), 5);
    const { prompts, labels, detectableDifference } = outlook.plan!;
    expect(detectableDifference).toBeCloseTo(2.801585 * Math.sqrt(0.01 / prompts + 0.004 / labels), 5);
    expect(detectableDifference).toBeLessThanOrEqual(0.02 * 1.02);
    // As if independent it would take more than twice as much.
    const independent = outlookOf({ ...question, goal }).plan!;
    expect(independent.cost).toBeGreaterThan(2 * outlook.plan!.cost);
  });

  it('plans for the two policies that are named', () => {
    const of = { ...question, pilot: { ...pilot, pairs }, goal: { type: 'none' } as const };
    const outlook = outlookOf({ ...of, between: ['c', 'a'] });
    expect([outlook.hardest, outlook.chosen]).toEqual(['a − c', true]);
    expect(outlook.detectableDifference).toBeCloseTo(2.801585 * Math.sqrt(0.005 / 200 + 0.004 / 50), 5);
    expect(() => outlookOf({ ...of, between: ['b', 'c'] })).toThrow(/no difference of these two/);
  });

  it.each([80, 56])('fits a terminal of %i columns', (width) => {
    const long = 'a-longer-name';
    const wide = { ...pairs[0]!, a: long, b: `${long}-2`, rSquared: null };
    const policies = pilot.policies.map((each) => ({ ...each, policy: long }));
    const outlook = outlookOf({
      ...question,
      pilot: { ...pilot, policies, pairs: [wide] },
      goal: { type: 'difference', difference: 0.02 },
      force: true,
    });
    const text = powerText(outlook, width);
    expect(text.split('\n').filter((line) => line.length > width)).toEqual([]);
    expect(text.replace(/\s+/g, ' ')).toContain(`(80 % power at α 0.05; for ${outlook.hardest}, the least certain).`);
  });

  it('makes no plan on a law that the pilot’s subsets do not bear out, unless forced', () => {
    const doubtful = { ...pilot, pairs: [{ ...pairs[0]!, rSquared: 0.49 }] };
    const goal = { type: 'difference', difference: 0.02 } as const;
    expect(() => outlookOf({ ...question, pilot: doubtful, goal })).toThrow(/R² is 0.49/);
    expect(outlookOf({ ...question, pilot: doubtful, goal, force: true }).plan).not.toBeNull();
    expect(powerText(outlookOf({ ...question, pilot: doubtful, goal: { type: 'none' } }))).toMatch(/^R² below 0\.5/);
  });

  it('plans for a difference', () => {
    const { plan } = outlookOf({ ...question, goal: { type: 'difference', difference: 0.03 } });
    expect(plan!.detectableDifference).toBeLessThanOrEqual(0.03 * 1.02);
  });

  it('pays for own labels where the estimator reads them', () => {
    const own = outlookOf({ ...question, estimator: 'direct-augmented', goal: { type: 'budget', budget: 100 } });
    expect(own.ownLabelsPerPrompt).toBe(0.2);
    expect(own.plan!.prompts * (0.04 + 0.02) + own.plan!.labels * 0.1).toBeCloseTo(own.plan!.cost, 9);
    expect(powerText(own)).toContain('own labels');
  });

  it('pays without a log for no logged response, and for the labels of every policy on a labelled prompt', () => {
    const goal = { type: 'budget', budget: 100 } as const;
    const { logger: _, ...unlogged } = pilot;
    const { plan, ...pooled } = outlookOf({
      ...question,
      pilot: { ...unlogged, pooledLabels: 3 * pilot.labels },
      goal,
    });
    expect([pooled.responsesPerPrompt, pooled.labelsPerPrompt]).toEqual([pilot.policies.length, 3]);
    expect(plan!.prompts * 0.01 * pilot.policies.length + plan!.labels * 0.3).toBeCloseTo(plan!.cost, 9);
    const text = powerText({ ...pooled, plan });
    expect(text).toContain(`${3 * pilot.labels} labels on ${pilot.labels} of them`);
    expect(text).not.toContain('logged');
  });

  it('pays without a log once for labels that calibrate and correct, as many a prompt as the pilot has', () => {
    const { logger: _, ...unlogged } = pilot;
    const of = { ...question, estimator: 'direct-augmented', pilot: { ...unlogged, pooledLabels: 3 * pilot.labels } };
    const share = pilot.labels / pilot.prompts;
    for (const goal of [
      { type: 'budget', budget: 100 },
      { type: 'difference', difference: 0.03 },
    ] as const) {
      const outlook = outlookOf({ ...of, goal });
      const { prompts, labels, cost, detectableDifference } = outlook.plan!;
      expect(labels).toBe(goal.type === 'budget' ? Math.floor(share * prompts) : Math.ceil(share * prompts));
      expect(cost).toBeCloseTo(prompts * 0.01 * pilot.policies.length + labels * 3 * 0.1, 9);
      if (goal.type === 'budget') expect(cost).toBeLessThanOrEqual(100);
      else expect(detectableDifference).toBeLessThanOrEqual(0.03);
      expect(powerText(outlook)).not.toContain('own labels');
    }
    expect(() => outlookOf({ ...of, goal: { type: 'budget', budget: 1 } })).toThrow(/labelled ones among them cost/);
  });

  it('says what a plan lacks', () => {
    const fail = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        if (error instanceof ProblemError) return error.problems[0]!;
      }
      throw new Error('nothing was refused');
    };
    const goal = { type: 'budget', budget: 100 } as const;
    const prices = { score: undefined, label: 0.1 };
    expect(fail(() => outlookOf({ ...question, prices, goal })).hint).toBe('give --score-price in dollars');
    expect(fail(() => outlookOf({ ...question, goal: { type: 'budget', budget: 1 } })).headline).toBe(
      '30 labelled prompts alone cost 4.2',
    );
    const none = { ...pilot, policies: pilot.policies.slice(2) };
    const nothing = fail(() => outlookOf({ ...question, pilot: none, goal }));
    expect(nothing.headline).toContain('gives no estimate on d');
    expect(nothing.hint).toBe('More rows. Or plan for another estimator with --estimator.');
  });
});
