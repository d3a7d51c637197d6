/** What a calibration is fitted on beside the log: labels of a set of their own, and preferences the other way round. */

import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS, simulateEquations } from '../../bench/coverage/equations.ts';
import { type EstimatedPolicy, type EvaluationData, estimate, resolveConfig } from '../../src/stats/index.ts';
import { take } from '../../src/stats/numeric/moments.ts';

const data = simulateEquations({ ...EQUATION_WORLDS.CONT!, prompts: 200, policies: ['mod'] }, 7);
const { logged } = data;

/** The log without the labels of every second labelled row, and these rows as a set. */
function split(): EvaluationData {
  const labelled = [...logged.oracleLabels.keys()].filter((i) => !Number.isNaN(logged.oracleLabels[i]!));
  const apart = Int32Array.from(labelled.filter((_, k) => k % 2 === 1));
  const of = new Set(apart);
  return {
    ...data,
    logged: { ...logged, oracleLabels: logged.oracleLabels.map((y, i) => (of.has(i) ? Number.NaN : y)) },
    calibrationSet: {
      promptIds: Array.from(apart, (i) => logged.promptIds[i]!),
      drawIndexes: new Int32Array(apart.length),
      judgeScores: take(logged.judgeScores, apart),
      judgeVariances: new Float64Array(apart.length),
      oracleLabels: take(logged.oracleLabels, apart),
      responseLengths: take(logged.responseLengths, apart),
    },
  };
}

describe('a calibration set', () => {
  test('teaches as the same labels on the log do, by either inference', () => {
    for (const inference of ['analytic', 'bootstrap'] as const) {
      const settings = { estimator: 'direct', rewardCalibration: 'monotone', inference, replicates: 100 } as const;
      const [whole, apart] = [data, split()].map((of) => estimate(settings, of).policies[0] as EstimatedPolicy);
      expect(apart!.estimate).toBeCloseTo(whole!.estimate, 12);
      expect(apart!.interval[0]).toBeCloseTo(whole!.interval[0], 9);
      expect(apart!.diagnostics.labelSupport!.labels).toBe(125);
    }
  });

  test('stands in for the log’s labels where these are missing', () => {
    const { logged: rest, ...others } = split();
    const unlabelled = { ...rest, oracleLabels: rest.oracleLabels.map(() => Number.NaN) };
    const result = estimate({ estimator: 'direct' }, { ...others, logged: unlabelled });
    expect(result.policies[0]!.status).toBe('ok');
    expect(result.warnings).toEqual([]);
  });
});

describe('an antisymmetric calibration', () => {
  const settings = { estimator: 'direct', rewardCalibration: 'monotone', antisymmetric: true } as const;

  test('gives s and 1 − s rewards that add up to 1', () => {
    const { curve } = estimate(settings, data).calibration!;
    curve.forEach(([, reward], i) => {
      expect(reward + curve[100 - i]![1]).toBeCloseTo(1, 12);
    });
    expect(curve[80]![1]).toBeGreaterThan(0.5);
  });

  test('does not take mirrored labels for labels: all won is rare', () => {
    const upper = (of: { readonly judgeScores: Float64Array }) => of.judgeScores.map((score) => 0.5 + score / 2);
    const draws = data.freshDraws.get('mod')!;
    const won = {
      ...data,
      logged: {
        ...logged,
        judgeScores: upper(logged),
        oracleLabels: logged.oracleLabels.map((y) => (Number.isNaN(y) ? y : 1)),
      },
      freshDraws: new Map([['mod', { ...draws, judgeScores: upper(draws) }]]),
    };
    const [p] = estimate({ ...settings, gates: { minimumLabelSupport: 0, minimumScoreOverlap: 0 } }, won).policies;
    expect(p!.diagnostics.rareLabels).toMatchObject({ usual: 1 });
    const [plain] = estimate(settings, data).policies;
    expect(plain!.diagnostics.rareLabels).toBeNull();
  });

  test('needs a calibration of the score alone', () => {
    expect(() => resolveConfig({ ...settings, rewardCalibration: 'none' })).toThrow('antisymmetric');
    expect(() => resolveConfig({ estimator: 'direct', antisymmetric: true, covariates: ['response_length'] })).toThrow(
      'antisymmetric',
    );
  });
});
