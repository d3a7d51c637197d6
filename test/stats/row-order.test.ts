import { describe, expect, test } from 'vitest';
import { ATTACKS, simulateAttack } from '../../bench/coverage/attacks.ts';
import { shuffled } from '../../bench/coverage/shuffled.ts';
import { inOwnOrder } from '../../src/stats/data/row-order.ts';
import { compareAll, type EstimatorSettings, type EvaluationData, estimate } from '../../src/stats/index.ts';

const told = (settings: EstimatorSettings, data: EvaluationData) => {
  const result = estimate(settings, data);
  const levels = result.policies.map((p) =>
    p.status === 'refused' ? p.code : [p.estimate, p.standardError, ...p.interval, p.degreesOfFreedom],
  );
  return [levels, compareAll(result, { draws: 200, seed: 1 })];
};

describe('rows in another order', () => {
  const data = simulateAttack({ ...ATTACKS['TIED-20']!, prompts: 80 }, 11);

  test.each(['snips', 'calibrated-ips', 'stacked-dr', 'direct-augmented'] as const)(
    'give the same bits: %s',
    (estimator) => {
      expect(told({ estimator }, shuffled(data, 1))).toEqual(told({ estimator }, data));
    },
  );

  test('are numbered as they were given where they are refused', () => {
    const judgeScores = data.logged.judgeScores.slice();
    judgeScores[7] = Number.NaN;
    const [p] = estimate({ estimator: 'snips' }, { ...data, logged: { ...data.logged, judgeScores } }).policies;
    expect(p).toMatchObject({ status: 'refused', code: 'missing-judge-scores' });
    expect(p?.status === 'refused' && p.message).toMatch(/: 7$/);
  });
});

test('rows go by prompt, then by score and label with what is missing last; draws that a refusal will number stay', () => {
  const of = (judgeScores: number[], oracleLabels: number[]) => ({
    promptIds: ['b', 'a', 'a', 'a'],
    drawIndexes: Int32Array.of(0, 0, 1, 2),
    judgeScores: Float64Array.from(judgeScores),
    judgeVariances: new Float64Array(4),
    oracleLabels: Float64Array.from(oracleLabels),
    responseLengths: new Float64Array(4),
  });
  const draws = of([0.1, 0.5, 0.5, 0.2], [Number.NaN, Number.NaN, 1, 0]);
  const bad = of([0.1, 2, 0.5, 0.2], [Number.NaN, 1, 1, 0]);
  const { drawIndexes: _, ...columns } = draws;
  const logged = {
    ...columns,
    baseLogprobs: new Float64Array(4),
    targetLogprobs: new Map([['p', new Float64Array(4)]]),
  };
  const data = {
    logged,
    policies: ['p'],
    freshDraws: new Map([
      ['p', draws],
      ['q', bad],
    ]),
  };
  const ordered = inOwnOrder(data);
  expect(ordered.logged.promptIds).toEqual(['a', 'a', 'a', 'b']);
  expect([...ordered.logged.judgeScores]).toEqual([0.2, 0.5, 0.5, 0.1]);
  expect([...ordered.logged.oracleLabels]).toEqual([0, 1, Number.NaN, Number.NaN]);
  expect([...ordered.freshDraws.get('p')!.drawIndexes]).toEqual([2, 1, 0, 0]);
  expect(ordered.freshDraws.get('q')).toBe(bad);
  expect(inOwnOrder(data)).toBe(ordered);
});
