/** The scores of a grid as Markdown, CSV and terminal text. */

import type { CellScore, GridScore, MethodName, MethodScore } from '../../datasets/grid-rows.ts';
import { escapeMarkdown, plainLine } from '../../text/escape.ts';
import { count, decimal, percent, significant } from '../../text/numbers.ts';
import type { Paint } from '../../text/paint.ts';
import { wrap } from '../../text/wrap.ts';
import { gridLines, type GridRow as TableRow } from './terminal-grid.ts';

type Column = readonly [name: string, text: (score: GridScore) => string];

const COLUMNS: readonly Column[] = [
  ['Cells', ({ cells }) => count(cells)],
  ['Refused', ({ refused }) => tenths(refused)],
  ['RMSE', ({ rmse }) => digits(rmse)],
  ['RMSE, debiased', ({ rmseDebiased }) => digits(rmseDebiased)],
  ['Bias', ({ bias }) => digits(bias)],
  ['Coverage', ({ coverage }) => tenths(coverage)],
  ['Width', ({ meanWidth }) => digits(meanWidth)],
  ['Interval score', ({ intervalScore }) => digits(intervalScore)],
  ['SE', ({ standardError }) => digits(standardError)],
  ['Tau', ({ kendallTau }) => decimal(kendallTau)],
  ['Pairwise', ({ pairwiseAccuracy }) => tenths(pairwiseAccuracy)],
  ['Top-1', ({ topOneAccuracy }) => tenths(topOneAccuracy)],
];

/** What the columns say, for who meets them first here. */
const NOTE =
  'Errors are against the mean of all held labels of a policy’s own responses; RMSE, debiased leaves out what that mean’s own error puts in. Coverage is of 95 % intervals. The interval score is the width plus 40 times what a missed value lies outside. The last columns compare the order of a cell’s policies with the held one (Kendall’s tau-b, pairs in order, the first); a refused best policy counts against Top-1.';

/** By the debiased error, least first; methods that gave no estimate come last. */
export function byError(methods: readonly MethodScore[]): MethodScore[] {
  const key = ({ rmseDebiased }: MethodScore) => rmseDebiased ?? Number.POSITIVE_INFINITY;
  return [...methods].sort((a, b) => key(a) - key(b));
}

export function gridMarkdown(title: string, methods: readonly MethodScore[], cells: readonly CellScore[]): string {
  const text = escapeMarkdown;
  const main = markdownTable(
    ['Method', ...COLUMNS.map(([name]) => name)],
    byError(methods).map((method) => [text(methodLabel(method, methods)), ...COLUMNS.map(([, of]) => of(method))]),
  );
  const sizes = [...new Set(cells.map(({ sample_size }) => sample_size))].sort((a, b) => a - b);
  const coverages = [...new Set(cells.map(({ oracle_coverage }) => oracle_coverage))].sort((a, b) => a - b);
  const sections = byError(methods).map((method) => {
    const label = methodLabel(method, methods);
    const own = cells.filter((cell) => sameMethod(cell, method));
    const rows = sizes.map((size) => [
      count(size),
      ...coverages.map((coverage) => {
        const cell = own.find((entry) => entry.sample_size === size && entry.oracle_coverage === coverage);
        return cell === undefined ? '' : `${digits(cell.rmse)}, ${tenths(cell.coverage)}`;
      }),
    ]);
    return `### ${text(label)}\n\n${markdownTable(['Prompts', ...coverages.map((share) => `${percent(share)} labelled`)], rows)}`;
  });
  return [`# ${text(title)}`, NOTE, main, '## RMSE and coverage by sample size and oracle coverage', ...sections, '']
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = header.map((_, column) => (column === 0 ? ':---' : '---:'));
  return [header, rule, ...rows].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

const CSV_COLUMNS = [
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

/** One line a method, sample size and oracle coverage, at full precision; an empty field where nothing was estimated. */
export function cellsCsv(cells: readonly CellScore[]): string {
  const lines = cells.map((cell) => CSV_COLUMNS.map((name) => csvField(cell[name])).join(','));
  return `${[CSV_COLUMNS.join(','), ...lines].join('\n')}\n`;
}

function csvField(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'number' ? String(value) : plainLine(value);
  // A field that begins like a formula is text to a spreadsheet too.
  const safe = typeof value === 'string' && /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The columns that fit a terminal, the most telling first. */
const TERMINAL_COLUMNS = ['Refused', 'RMSE', 'Bias', 'Coverage', 'Width', 'Tau', 'Top-1'];

export function gridTable(methods: readonly MethodScore[], width: number, paint: Paint): string {
  const columns = COLUMNS.filter(([name]) => TERMINAL_COLUMNS.includes(name));
  const rows = byError(methods).map(
    (method): TableRow => ({
      label: plainLine(methodLabel(method, methods)),
      cells: columns.map(([, text]) => ({ forms: [text(method)] })),
    }),
  );
  const cells = methods.reduce((total, method) => total + method.cells, 0);
  const title = `${count(cells)} cells; errors are against the held labels`;
  return `${[
    ...wrap(title, width).map((line) => paint('bold', line)),
    ...gridLines({ corner: '', columns: columns.map(([name]) => name), rows }, width, paint),
  ].join('\n')}\n`;
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

/** An error: three significant digits, so that small ones still differ. */
function digits(value: number | null): string {
  if (value === null) return decimal(null);
  return Math.abs(value) < 0.1 ? value.toFixed(4) : significant(value);
}

/** Rates are compared with each other, so all have the same decimal. */
function tenths(share: number | null): string {
  return share === null ? decimal(null) : `${(100 * share).toFixed(1)} %`;
}
