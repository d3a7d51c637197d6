/** `estimates.csv`: one row a scorer × ablation × policy, RFC 4180, numbers at full precision, in the labels' units. */

import type { EstimateRow } from '../../datasets/results.ts';
import { type CsvCell, csvCell } from '../../text/csv.ts';
import type { ReportData } from '../model/data.ts';
import { truthOf } from '../model/ranking.ts';
import { sensitivityOf } from '../model/sensitivity.ts';

/** An estimated row's columns are empty in a refused row, and the other way round. */
const COLUMNS: readonly (readonly [name: string, value: (row: EstimateRow, data: ReportData) => CsvCell])[] = [
  ['scorer', (row) => row.scorer],
  ['ablation', (row) => row.ablation],
  ['estimator', (row) => row.estimator],
  ['policy', (row) => row.policy],
  ['status', (row) => row.status],
  ['n', (row) => row.n],
  ['estimate', (row) => (row.status === 'ok' ? row.estimate : null)],
  ['standard_error', (row) => (row.status === 'ok' ? row.standardError : null)],
  ['sampling_standard_error', (row) => (row.status === 'ok' ? row.samplingStandardError : null)],
  ['oracle_standard_error', (row) => (row.status === 'ok' ? row.oracleStandardError : null)],
  ['shared_variance', (row) => (row.status === 'ok' ? row.sharedVariance : null)],
  ['extrapolation_standard_error', (row) => (row.status === 'ok' ? row.extrapolationStandardError : null)],
  ['stabilisation_standard_error', (row) => (row.status === 'ok' ? (row.stabilisationStandardError ?? null) : null)],
  ['judge_standard_error', (row) => (row.status === 'ok' ? row.judgeStandardError : null)],
  ['lower', (row) => (row.status === 'ok' ? row.lower : null)],
  ['upper', (row) => (row.status === 'ok' ? row.upper : null)],
  ['degrees_of_freedom', (row) => (row.status === 'ok' ? row.degreesOfFreedom : null)],
  ['sensitivity', (row, data) => (row.status === 'ok' ? sensitivityOf(row, data.estimates) : null)],
  ['truth', (row, data) => truthOf(data, row.policy)],
  ['ess', (row) => row.diagnostics.ess],
  ['raw_ess', (row) => row.diagnostics.rawEss],
  ['mean_raw_weight', (row) => row.diagnostics.meanRawWeight],
  ['tail_index', (row) => row.diagnostics.tailIndex],
  ['max_weight_share', (row) => row.diagnostics.maxWeightShare],
  ['tempered', (row) => row.tempered],
  ['gate', (row) => (row.status === 'refused' ? row.gate : null)],
  ['reason', (row) => (row.status === 'refused' ? row.reason : null)],
  ['collect', (row) => (row.status === 'refused' ? row.collect : null)],
  ['warnings', (row) => (row.status === 'ok' ? row.warnings.map(({ text }) => text).join('; ') : null)],
];

export function estimatesCsv(data: ReportData): string {
  const header = COLUMNS.map(([name]) => name).join(',');
  const lines = data.estimates.map((row) => COLUMNS.map(([, value]) => csvCell(value(row, data))).join(','));
  return [header, ...lines, ''].join('\r\n');
}
