/** Every estimate of a scorer: ablations by policies, and one row a cell with all its parts. */

import type { EstimatedRow, EstimateRow } from '../../../datasets/results.ts';
import { cellsOf, reach } from '../cells.ts';
import type { ReportData } from '../data.ts';
import { holdsTruth, truthCoverage, truthOf } from '../ranking.ts';
import { sensitivityOf } from '../sensitivity.ts';
import { type Cell, type CellColumn, left, number, right, type Table, tableOf, text } from '../table.ts';

export function estimatesTable(data: ReportData, scorer: string): Table {
  const cells = cellsOf(data.estimates);
  const rowsOf = (ablation: string) => data.policies.map((policy) => cells.get(scorer, ablation, policy));
  const truths = data.policies.map((policy) => truthOf(data, policy));
  const known = truths.some((truth) => truth !== null);
  const coverage = right<string>('Holds truth', (ablation) => coverageCell(data, rowsOf(ablation)), {
    in: ['markdown', 'html'],
  });
  const table = tableOf<string>(
    [
      left('Ablation', (ablation) => text(ablation)),
      ...data.policies.map((policy) =>
        right<string>(policy, (ablation) => estimateCell(data, cells.get(scorer, ablation, policy))),
      ),
      ...(known ? [coverage] : []),
    ],
    cells.ablationsOf(scorer),
    { title: ['Estimates ± the further end of the 95 % interval,', { strong: scorer }, 'scorer'] },
  );
  if (!known) return table;
  const truthCells = [text('Truth', 'truth'), ...truths.map((truth): Cell => ({ truth })), null];
  return { ...table, rows: [...table.rows, { cells: truthCells, role: 'truth' }] };
}

function estimateCell(data: ReportData, row: EstimateRow | undefined): Cell {
  if (row === undefined) return null;
  if (row.status === 'refused') return { refusedBy: row.gate };
  const misses = holdsTruth(data, row) === false;
  return { estimate: row.estimate, reach: reach(row), misses, tempered: row.tempered };
}

function coverageCell(data: ReportData, rows: readonly (EstimateRow | undefined)[]): Cell {
  const { inside, known } = truthCoverage(
    data,
    rows.flatMap((row) => (row?.status === 'ok' ? [row] : [])),
  );
  return text(known === 0 ? '–' : `${inside} of ${known}`);
}

export function allColumnsTable(data: ReportData, scorer: string): Table {
  const estimated = (name: string, cell: (row: EstimatedRow) => Cell): CellColumn<EstimateRow> =>
    right(name, (row) => (row.status === 'ok' ? cell(row) : null));
  const diagnostic = (name: string, key: keyof EstimateRow['diagnostics']) =>
    right<EstimateRow>(name, ({ diagnostics }) => number(diagnostics[key], 'significant'));
  return tableOf<EstimateRow>(
    [
      left('Ablation', ({ ablation }) => text(ablation)),
      left('Policy', ({ policy }) => text(policy)),
      right('Estimate', (row) =>
        row.status === 'ok' ? { value: row.estimate, as: 'decimal', tempered: row.tempered } : { refusedBy: row.gate },
      ),
      estimated('95 % interval', ({ lower, upper }) => ({ lower, upper })),
      estimated('Sensitivity', (row) => number(sensitivityOf(row, data.estimates), 'decimal')),
      estimated('SE', ({ standardError }) => number(standardError, 'decimal')),
      estimated('Sampling SE', ({ samplingStandardError }) => number(samplingStandardError, 'decimal')),
      estimated('Oracle SE', ({ oracleStandardError }) => number(oracleStandardError, 'decimal')),
      estimated('Extrapolation SE', ({ extrapolationStandardError }) => number(extrapolationStandardError, 'decimal')),
      estimated('Judge’s SE', ({ judgeStandardError }) => number(judgeStandardError, 'decimal')),
      estimated('df', ({ degreesOfFreedom: df }) => (df === null ? text('∞') : number(df, 'count'))),
      right('n', ({ n }) => number(n, 'count')),
      diagnostic('ESS', 'ess'),
      diagnostic('Raw ESS', 'rawEss'),
      diagnostic('Mean raw weight', 'meanRawWeight'),
      diagnostic('Tail index', 'tailIndex'),
      right('Largest share', ({ diagnostics }) => number(diagnostics.maxWeightShare, 'percent')),
    ],
    data.estimates.filter((row) => row.scorer === scorer),
    {
      title: ['All columns,', { strong: scorer }, 'scorer'],
      note: 'SE is made of the sampling, the oracle and the extrapolation part, and under calibrated-ips of what its weights may be off by; the judge’s is apart.',
    },
  );
}
