/** What it takes to make all of this again from nothing: by stage, and by node. */

import { type Cost, nodeCosts, stageCosts, totalCost } from '../costs.ts';
import type { ReportData } from '../data.ts';
import { type CellColumn, left, number, right, type Table, tableOf, text } from '../table.ts';

const costColumns = (what: string): readonly CellColumn<Cost>[] => [
  left(what, ({ name }) => text(name)),
  left('Models', ({ models }) => ({ list: models.map((model) => text(model)), between: ', ' })),
  right('Calls', ({ calls }) => number(calls, 'count')),
  right('Input tokens', ({ inputTokens }) => number(inputTokens, 'count')),
  right('Output tokens', ({ outputTokens }) => number(outputTokens, 'count')),
  right('Cost', ({ dollars }) => number(dollars, 'dollars')),
];

export function stageCostTable(data: ReportData): Table {
  const columns = costColumns('Stage');
  const table = tableOf(columns, stageCosts(data), { title: ['By stage'] });
  const total = { ...totalCost(data), models: [] };
  return { ...table, rows: [...table.rows, { cells: columns.map(({ cell }) => cell(total)), role: 'total' }] };
}

export function nodeCostTable(data: ReportData): Table {
  return tableOf(costColumns('Node'), nodeCosts(data), { title: ['By node and model'] });
}
