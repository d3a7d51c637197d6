/** Data whose rows stand in another order: nothing that is made of them may differ. */

import type { EvaluationData, FreshDraws, LoggedRows } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

function order(count: number, seed: number): number[] {
  const { uniform } = randomSource(seed, 7);
  return Array.from({ length: count }, (_, i) => ({ i, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
}

/** The same data, its rows and draws in another order. */
export function shuffled({ logged, freshDraws, ...rest }: EvaluationData, seed: number): EvaluationData {
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
  const { calibrationSet } = rest;
  const set =
    calibrationSet === undefined
      ? {}
      : { calibrationSet: each(calibrationSet, order(calibrationSet.promptIds.length, seed)) };
  return { ...rest, ...set, logged: log, freshDraws: new Map(draws) };
}
