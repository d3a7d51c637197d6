import { describe, expect, test } from 'vitest';
import { ATTACKS, type AttackSettings, simulateAttack } from '../../bench/coverage/attacks.ts';
import { EQUATION_WORLDS, simulateEquations } from '../../bench/coverage/equations.ts';
import { shuffled } from '../../bench/coverage/shuffled.ts';
import {
  type CommonSettings,
  compareAll,
  ESTIMATORS,
  type EstimatorSettings,
  type EvaluationData,
  estimate,
} from '../../src/stats/index.ts';

/** Judge scores of five levels: thirds, folds, groups and ranks all meet ties. Turns red where any of them reads the order of rows. */
const DATA = simulateEquations(
  { ...EQUATION_WORLDS.LIKERT!, prompts: 80, repeats: 2, labels: 60, ownLabels: 30, missing: 0.02 },
  5,
);
const RECOMMENDED = ESTIMATORS.all.filter(({ leads, name }) => leads !== undefined || name === 'naive');

/** All that a result says, as numbers and words. */
function told(of: EstimatorSettings | CommonSettings, data: EvaluationData) {
  const result = estimate({ onMissingFreshDraw: 'drop', onMissingJudgeScore: 'drop', ...of }, data);
  return {
    policies: result.policies.map((p) =>
      p.status === 'refused'
        ? { refused: p.code, numbers: undefined }
        : {
            numbers: [p.estimate, p.standardError, ...p.interval, p.degreesOfFreedom],
            warnings: p.diagnostics.gates.filter(({ verdict }) => verdict !== 'pass').map(({ gate }) => gate),
          },
    ),
    pairs: compareAll(result, { draws: 500, seed: 1 }).map((pair) => ({
      numbers: [pair.difference, pair.standardError, ...pair.interval, pair.pValue, ...pair.simultaneousInterval],
    })),
  };
}

type Told = ReturnType<typeof told>;
const numbers = ({ policies, pairs }: Told) => [...policies, ...pairs].flatMap((of) => of.numbers ?? []);
const words = ({ policies }: Told) => policies.map(({ numbers: _, ...of }) => of);

function expectNoOrder(settings: EstimatorSettings | CommonSettings, data: EvaluationData, shuffles: number): void {
  const as = told(settings, data);
  expect(as.policies.some((p) => 'numbers' in p && p.numbers !== undefined)).toBe(true);
  for (let seed = 1; seed <= shuffles; seed++) {
    const again = told(settings, shuffled(data, seed));
    expect(words(again)).toEqual(words(as));
    const pairs = numbers(as).map((value, i) => [value, numbers(again)[i]!] as const);
    expect(pairs.filter(([a, b]) => !Object.is(a, b))).toEqual([]);
  }
}

describe.each(RECOMMENDED.map(({ name }) => name))('%s', (estimator) => {
  test('gives the same statuses and numbers whatever the order of rows and draws', () => {
    expectNoOrder({ estimator }, DATA, 5);
  });
});

const few = (name: string, changes: Partial<AttackSettings> = {}) =>
  simulateAttack({ ...ATTACKS[name]!, prompts: 90, labels: 40, policies: ['same', 'up'], ...changes }, 2);

test.each<[string, EstimatorSettings | CommonSettings, EvaluationData]>([
  [
    'the bootstrap',
    { estimator: 'direct', inference: 'bootstrap', replicates: 100, rewardCalibration: 'monotone' },
    few('STARS'),
  ],
  // A clone and the policy that logged differ by nothing but what few labels leave open: its degrees of freedom were those
  // of roundings.
  ['a clone beside the policy that logged', { estimator: 'snips' }, simulateAttack(ATTACKS['SET-HALF']!, 5)],
  [
    'the bootstrap with own labels',
    { estimator: 'direct-augmented', inference: 'bootstrap', replicates: 100, rewardCalibration: 'monotone' },
    few('NO-LOG-STARS', { rows: 0 }),
  ],
  ['bets', { estimator: 'direct-augmented', interval: 'betting' }, few('OWN-40-HALF', { ownLabels: 20 })],
  ['splines', { estimator: 'dr-cpo', rewardCalibration: 'two-stage' }, DATA],
  ['a covariate', { estimator: 'direct', covariates: ['response_length'] }, DATA],
  ['labels by probability', { estimator: 'direct-augmented' }, few('BY-SCORE', { ownLabels: 40, draws: 2 })],
  ['labels by probability, on the log', { estimator: 'dr-labelled' }, few('BY-SCORE-HALF', { labels: 60 })],
  ['a calibration set', { estimator: 'dr-augmented' }, few('SET-HALF', { set: 60 })],
  ['preferences', { estimator: 'direct', antisymmetric: true }, few('PREFERENCE')],
  ['preferences by weight', { estimator: 'snips', antisymmetric: true }, few('PREFERENCE', { rows: 2 })],
  ['data without a log', { estimator: 'direct' }, few('NO-LOG-STARS', { rows: 0, draws: 2 })],
  ['own labels without a log', { estimator: 'direct-augmented' }, few('NO-LOG-STARS', { rows: 0, draws: 2 })],
  ['rare labels', { estimator: 'direct' }, few('FIFTIETH', { labels: 60 })],
])('%s: no order of rows moves anything', (_, settings, data) => {
  expectNoOrder(settings, data, 2);
});
