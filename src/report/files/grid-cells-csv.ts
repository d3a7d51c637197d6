/** `cells.csv`: one line a method, sample size and oracle coverage, at full precision. */

import type { CellScore } from '../../datasets/grid-rows.ts';
import { csvCell } from '../../text/csv.ts';

const COLUMNS = [
  'ablation',
  'estimator',
  'reward_calibration',
  'covariates',
  'sample_size',
  'oracle_coverage',
  'cells',
  'refused',
  'bias',
  'rmse',
  'rmseDebiased',
  'coverage',
  'meanWidth',
  'intervalScore',
  'standardError',
  'kendallTau',
  'pairwiseAccuracy',
  'topOneAccuracy',
] as const satisfies readonly (keyof CellScore)[];

/** A field is empty where nothing was estimated. */
export function cellsCsv(cells: readonly CellScore[]): string {
  const lines = cells.map((cell) => COLUMNS.map((name) => csvCell(cell[name])).join(','));
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
}
