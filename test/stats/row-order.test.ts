import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS, simulateEquations } from '../../bench/coverage/equations.ts';
import {
  compareAll,
  ESTIMATORS,
  type EvaluationData,
  estimate,
  type FreshDraws,
  type LoggedRows,
} from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

/** Judge scores of five levels: thirds, folds, groups and ranks all meet ties. Turns red where any of them reads the order of rows. */
const DATA = simulateEquations(
  { ...EQUATION_WORLDS.LIKERT!, prompts: 80, repeats: 2, labels: 60, ownLabels: 30, missing: 0.02 },
  5,
);
const RECOMMENDED = ESTIMATORS.all.filter(({ leads, name }) => leads !== undefined || name === 'naive');

function order(count: number, seed: number): number[] {
  const { uniform } = randomSource(seed, 7);
  return Array.from({ length: count }, (_, i) => ({ i, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
}

function shuffled({ logged, freshDraws, ...rest }: EvaluationData, seed: number): EvaluationData {
  const take = <C extends ArrayLike<unknown>>(column: C, rows: readonly number[]): C =>
    (column instanceof Float64Array
      ? Float64Array.from(rows, (i) => column[i]!)
      : column instanceof Int32Array
        ? Int32Array.from(rows, (i) => column[i]!)
        : rows.map((i) => column[i])) as ArrayLike<unknown> as C;
  const { targetLogprobs, ...columns } = logged;
  const rows = order(logged.promptIds.length, seed);
  const each = <T extends object>(of: T, by: readonly number[]): T =>
    Object.fromEntries(Object.entries(of).map(([name, column]) => [name, take(column as ArrayLike<unknown>, by)])) as T;
  const log: LoggedRows = {
    ...each(columns, rows),
    targetLogprobs: new Map([...targetLogprobs].map(([policy, column]) => [policy, take(column, rows)])),
  };
  const draws = [...freshDraws].map(([policy, of], i): [string, FreshDraws] => [
    policy,
    each(of, order(of.promptIds.length, 100 * seed + i)),
  ]);
  return { ...rest, logged: log, freshDraws: new Map(draws) };
}

/** All that a result says, as numbers and words. */
function told(estimator: string, data: EvaluationData) {
  const settings = { onMissingFreshDraw: 'drop', onMissingJudgeScore: 'drop' } as const;
  const result = estimate({ estimator, ...settings }, data);
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

describe.each(RECOMMENDED.map(({ name }) => name))('%s', (estimator) => {
  test('gives the same statuses and numbers whatever the order of rows and draws', () => {
    const as = told(estimator, DATA);
    expect(as.policies.some((p) => 'numbers' in p)).toBe(true);
    for (let seed = 1; seed <= 5; seed++) {
      const again = told(estimator, shuffled(DATA, seed));
      expect(words(again)).toEqual(words(as));
      const pairs = numbers(as).map((value, i) => [value, numbers(again)[i]!] as const);
      expect(pairs.filter(([a, b]) => Math.abs(a - b) > 1e-12 * Math.max(1, Math.abs(a)))).toEqual([]);
    }
  });
});
