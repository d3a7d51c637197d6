import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ESTIMATOR_NAMES,
  type EstimatorSettings,
  type EvaluationData,
  estimate,
  estimateMany,
} from '../../src/stats/index.ts';
import { FIXTURES, loadCase } from './support/reference-data.ts';

const plain = loadCase(path.join(FIXTURES, 'plain'));

/** Some log probabilities and draws are absent, so that rows differ by policy, deletion and estimator. */
function withGaps(data: EvaluationData): EvaluationData {
  const targetLogprobs = new Map(data.logged.targetLogprobs);
  targetLogprobs.set(
    'severe',
    targetLogprobs.get('severe')!.map((value, i) => (i % 7 === 0 ? Number.NaN : value)),
  );
  const freshDraws = new Map(data.freshDraws);
  const { judgeScores, ...rest } = freshDraws.get('moderate')!;
  freshDraws.set('moderate', { ...rest, judgeScores: judgeScores.map((s, i) => (i % 11 === 0 ? Number.NaN : s)) });
  return { ...data, logged: { ...data.logged, targetLogprobs }, freshDraws };
}

const VARIANTS: readonly Partial<EstimatorSettings>[] = [
  {},
  { mode: 'parity' },
  { deletion: 'list-wise' },
  { onMissingJudgeScore: 'drop', onMissingFreshDraw: 'drop' },
  { seed: 7, oracleUncertainty: false },
  { rewardCalibration: 'none' },
];

describe('what estimators share on one data set', () => {
  test('changes no bit of any result, in whatever order they come', () => {
    const data = withGaps(plain);
    const settings = VARIANTS.flatMap((variant) =>
      ESTIMATOR_NAMES.map((estimator): EstimatorSettings => ({ estimator, ...variant })),
    );
    settings.push({ estimator: 'snips', weightClip: 2 }, { estimator: 'direct', covariates: ['response_length'] });
    const alone = settings.map((one) => estimate(one, data));
    expect(estimateMany(settings, data)).toEqual(alone);
    expect(estimateMany([...settings].reverse(), data).reverse()).toEqual(alone);
  });

  test('parity holds the boundary card against logged scores, as recorded; recommended against the policy’s own', () => {
    const card = (mode: 'parity' | 'recommended') => {
      const [clone, , severe] = estimate({ estimator: 'dr-cpo', mode, rewardCalibration: 'monotone' }, plain).policies;
      return [clone!, severe!].map((p) => p.diagnostics.boundary!.outOfRange);
    };
    expect(card('parity')).toEqual([0.0275, 0.0275]);
    expect(card('recommended')[1]).not.toBe(0.0275);
  });
});
