/** The scores of a grid's methods: over all cells, and one method's by sample size and oracle coverage. */

import type { CellScore, GridScore, MethodName, MethodScore } from '../../../datasets/grid-rows.ts';
import { count } from '../../../text/numbers.ts';
import { type Cell, type CellColumn, left, type Medium, number, right, type Table, tableOf, text } from '../table.ts';

/** Explains the columns to a reader who meets them first here. */
const NOTE =
  'Errors are against the mean of all held labels of a policy’s own responses; RMSE, debiased leaves out what that mean’s own error puts in. Coverage is of 95 % intervals. The interval score is the width plus 40 times what a missed value lies outside. The last columns compare the order of a cell’s policies with the held one (Kendall’s tau-b, pairs in order, the first); a refused best policy counts against Top-1.';

/** Columns that a terminal has no room for. */
const WIDE: { readonly in: readonly Medium[] } = { in: ['markdown', 'html'] };

const GRID_COLUMNS: readonly CellColumn<GridScore>[] = [
  right('Cells', ({ cells }) => number(cells, 'count'), WIDE),
  right('Refused', ({ refused }) => number(refused, 'rate')),
  right('RMSE', ({ rmse }) => number(rmse, 'error')),
  right('RMSE, debiased', ({ rmseDebiased }) => number(rmseDebiased, 'error'), WIDE),
  right('Bias', ({ bias }) => number(bias, 'error')),
  right('Coverage', ({ coverage }) => number(coverage, 'rate')),
  right('Width', ({ meanWidth }) => number(meanWidth, 'error')),
  right('Interval score', ({ intervalScore }) => number(intervalScore, 'error'), WIDE),
  right('SE', ({ standardError }) => number(standardError, 'error'), WIDE),
  right('Tau', ({ kendallTau }) => number(kendallTau, 'decimal')),
  right('Pairwise', ({ pairwiseAccuracy }) => number(pairwiseAccuracy, 'rate'), WIDE),
  right('Top-1', ({ topOneAccuracy }) => number(topOneAccuracy, 'rate')),
];

export function methodsTable(methods: readonly MethodScore[]): Table {
  const cells = methods.reduce((total, method) => total + method.cells, 0);
  return tableOf<MethodScore>(
    [left('Method', (method) => text(methodLabel(method, methods))), ...GRID_COLUMNS],
    byError(methods),
    { title: [`${count(cells)} cells; errors are against the held labels`], note: NOTE },
  );
}

/** RMSE and coverage, one table a method. */
export function methodCellTables(methods: readonly MethodScore[], cells: readonly CellScore[]): Table[] {
  const sizes = distinct(cells.map(({ sample_size }) => sample_size));
  const coverages = distinct(cells.map(({ oracle_coverage }) => oracle_coverage));
  return byError(methods).map((method) => {
    const own = cells.filter((cell) => sameMethod(cell, method));
    const columns = coverages.map((coverage) => {
      const name: Cell = { list: [number(coverage, 'percent'), text('labelled')], between: ' ' };
      return right<number>(name, (size) => {
        const cell = own.find((entry) => entry.sample_size === size && entry.oracle_coverage === coverage);
        if (cell === undefined) return null;
        return { list: [number(cell.rmse, 'error'), number(cell.coverage, 'rate')], between: ', ' };
      });
    });
    const title = [methodLabel(method, methods)];
    return tableOf<number>([left('Prompts', (size) => number(size, 'count')), ...columns], sizes, { title });
  });
}

/** By the debiased error, least first; methods that gave no estimate come last. */
function byError(methods: readonly MethodScore[]): MethodScore[] {
  const key = ({ rmseDebiased }: MethodScore) => rmseDebiased ?? Number.POSITIVE_INFINITY;
  return [...methods].sort((a, b) => key(a) - key(b));
}

/** The ablation, and its calibration and covariates where the grid tries several. */
function methodLabel(method: MethodName, all: readonly MethodName[]): string {
  const same = all.filter(({ ablation }) => ablation === method.ablation);
  if (same.length === 1) return method.ablation;
  const parts = [method.reward_calibration, ...(method.covariates === '' ? [] : [method.covariates])];
  return `${method.ablation} (${parts.join(', ')})`;
}

function sameMethod(a: MethodName, b: MethodName): boolean {
  return a.ablation === b.ablation && a.reward_calibration === b.reward_calibration && a.covariates === b.covariates;
}

const distinct = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
