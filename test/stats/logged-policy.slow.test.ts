/** The policy that wrote the log, estimated by its own rows beside the policies that are weighed on them. */

import { describe, expect, it } from 'vitest';
import type { EvaluationData } from '../../src/stats/data/data.ts';
import { compareAll, type EstimatorSettings, estimate, rankPolicies } from '../../src/stats/index.ts';
import { mean } from '../../src/stats/numeric/moments.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

const N = 120;
const random = randomSource(7, 1);
const ids = Array.from({ length: N }, (_, i) => `q${i}`);
const draw = () => Float64Array.from(ids, () => Math.round(100 * random.uniform()) / 100);
const none = new Float64Array(N).fill(Number.NaN);
const scores = draw();
const labels = scores.map((score) => Math.min(1, Math.max(0, 0.2 + 0.6 * score + (random.uniform() - 0.5) / 5)));
const every = (k: number) => labels.map((label, i) => (i % k === 0 ? label : Number.NaN));
const columns = (judgeScores: Float64Array, oracleLabels: Float64Array) => ({
  promptIds: ids,
  judgeScores,
  judgeVariances: new Float64Array(N),
  oracleLabels,
  responseLengths: new Float64Array(N).fill(50),
});

const base = Float64Array.from(ids, (_, i) => -20 - (i % 7));
function data(logLabels: Float64Array, logger?: string): EvaluationData {
  const drawIndexes = new Int32Array(N);
  return {
    logged: {
      ...columns(scores, logLabels),
      baseLogprobs: base,
      targetLogprobs: new Map(['a', 'b'].map((policy) => [policy, base.map((value, i) => value + ((i % 3) - 1) / 20)])),
    },
    policies: ['a', 'b'],
    freshDraws: new Map([
      [
        'a',
        {
          ...columns(
            scores.map((score) => score ** 0.8),
            none,
          ),
          drawIndexes,
        },
      ],
      [
        'b',
        {
          ...columns(
            scores.map((score) => score ** 1.2),
            every(6),
          ),
          drawIndexes,
        },
      ],
    ]),
    ...(logger === undefined ? {} : { logger }),
  };
}

function cellOf(settings: EstimatorSettings, given: EvaluationData, policy = 'log') {
  const cell = estimate(settings, given).policies.find((each) => each.policy === policy);
  if (cell?.status !== 'ok') throw new Error(`${policy} is refused`);
  return cell;
}

const ALL = [
  'naive',
  'direct',
  'direct-augmented',
  'ips',
  'snips',
  'calibrated-ips',
  'dr-cpo',
  'mrdr',
  'tmle',
] as const;

describe('the policy that wrote the log', () => {
  it.each([...ALL, 'stacked-dr', 'dr-labelled'] as const)('is estimated by %s, and moves no other', (estimator) => {
    const [alone, beside] = [data(every(3)), data(every(3), 'log')].map((given) => estimate({ estimator }, given));
    expect(beside!.policies.map(({ policy }) => policy)).toEqual(['a', 'b', 'log']);
    expect(beside!.policies.slice(0, 2)).toEqual(alone!.policies);
    expect(beside!.policies[2]).toMatchObject({ status: 'ok', n: N, rawEss: null });
    expect(compareAll(beside!).slice(0, compareAll(alone!).length)).toEqual(compareAll(alone!));
  });

  it('is worth the mean of its rewards, whatever weighs the others', () => {
    const given = data(every(3), 'log');
    expect(cellOf({ estimator: 'naive' }, given).estimate).toBeCloseTo(mean(scores), 12);
    const { estimate: direct, interval } = cellOf({ estimator: 'direct' }, given);
    for (const estimator of ['ips', 'snips', 'dr-cpo', 'tmle'] as const) {
      expect(cellOf({ estimator }, given)).toMatchObject({ estimate: direct, interval });
    }
    expect(cellOf({ estimator: 'ips', rewardCalibration: 'none' }, given).estimate).toBeCloseTo(mean(scores), 12);
  });

  it('is corrected by labels that the calibration has not seen', () => {
    const given = data(every(3), 'log');
    const { estimate: augmented, diagnostics } = cellOf({ estimator: 'direct-augmented', tuning: 'none' }, given);
    // In sample an isotonic fit has no mean residual; out of fold it has one.
    expect(diagnostics.parts!.correction).not.toBeCloseTo(0, 5);
    expect(augmented).toBeCloseTo(diagnostics.parts!.outcome + diagnostics.parts!.correction, 12);
    expect(diagnostics.transport).toBeNull();
  });

  it('is the mean label where every row has one', () => {
    for (const estimator of ['ips', 'dr-labelled', 'direct-augmented'] as const) {
      expect(cellOf({ estimator }, data(labels, 'log')).estimate).toBeCloseTo(mean(labels), 12);
    }
  });

  it('has an interval from the bootstrap, whose residuals are out of fold too', () => {
    const settings = { estimator: 'direct-augmented', inference: 'bootstrap', replicates: 200 } as const;
    const { interval, replicates, estimate: at } = cellOf(settings, data(every(3), 'log'));
    expect(replicates).toHaveLength(200);
    expect(Math.abs(mean(replicates!) - at)).toBeLessThan(0.01);
    expect(interval[0]).toBeLessThan(at);
    expect(interval[1]).toBeGreaterThan(at);
    expect(cellOf(settings, data(every(3), 'log'), 'b')).toEqual(cellOf(settings, data(every(3)), 'b'));
  });

  it('is ranked with the others, and compared in a family of its own', () => {
    const result = estimate({ estimator: 'direct' }, data(every(3), 'log'));
    expect(rankPolicies(result).map(({ policy }) => policy)).toEqual(['a', 'log', 'b']);
    const pairs = compareAll(result);
    expect(pairs.map(({ a, b }) => `${a} ${b}`)).toEqual(['a b', 'a log', 'b log']);
    // One pair alone is adjusted for nothing.
    expect(pairs[0]!.adjustedP).toBe(pairs[0]!.pValue);
  });

  it('is left out in parity, and refused with the others where nothing can be calibrated', () => {
    const parity = estimate({ estimator: 'snips', mode: 'parity' }, data(every(3), 'log'));
    expect(parity.policies.map(({ policy }) => policy)).toEqual(['a', 'b']);
    const refused = estimate({ estimator: 'direct' }, data(none, 'log'));
    expect(refused.policies.map(({ policy, status }) => [policy, status])).toContainEqual(['log', 'refused']);
  });
});
