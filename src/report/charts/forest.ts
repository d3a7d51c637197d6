/** The ranking's plot and a policy's forest plot: every ablation's estimate and interval. */

import type { EstimatedRow, EstimateRow } from '../../datasets/results.ts';
import type { Scale } from '../../datasets/scale.ts';
import { clip, plainLine } from '../../text/escape.ts';
import { decimal, interval } from '../../text/numbers.ts';
import { columnsOf } from '../../text/width.ts';
import { type Cells, cellsOf } from '../model/cells.ts';
import type { ReportData } from '../model/data.ts';
import { type Ranking, truthOf } from '../model/ranking.ts';
import { TEMPERED_MARK } from '../model/words.ts';
import { minus, type Range } from './axis.ts';
import type { Chart } from './chart.ts';
import { type IntervalLine, intervalChart } from './interval-plot.ts';
import { seriesColor, seriesMarker } from './palette.ts';

/** Wide beside the text, narrow for a telephone, which leaves the figures to the table. */
type Size = 'wide' | 'narrow';

export function rankingChart(data: ReportData, ranking: Ranking, size: Size): Chart {
  const wide = size === 'wide';
  const fontSize = wide ? 14 : 13;
  const index = Math.max(0, cellsOf(data.estimates).scorers.indexOf(ranking.scorer));
  const nameOf = ({ policy }: EstimateRow) => clip(plainLine(policy), wide ? 24 : 16);
  const look = { color: seriesColor(index), marker: 'circle' } as const;
  const ranked = ranking.ranked.map(({ row, truth }): IntervalLine => {
    const label = nameOf(row) + (row.tempered ? TEMPERED_MARK : '');
    return { label, strong: true, value: row, figures: figuresOf(row), truth, ...look };
  });
  const refused = ranking.refused.map((row): IntervalLine => {
    return {
      label: nameOf(row),
      value: null,
      refusal: `refused: ${clip(plainLine(row.gate), 30)}`,
      figures: '',
      ...look,
    };
  });
  const lines = [...ranked, ...refused];
  const rows = ranking.ranked.map(({ row }) => row);
  const truths = ranking.ranked.flatMap(({ truth }) => (truth === null ? [] : [truth]));
  return intervalChart({
    lines,
    range: usefulRange(rows, truths, data.scale),
    truth: null,
    width: wide ? 1040 : 380,
    lineHeight: wide ? 38 : 34,
    fontSize,
    labelWidth: labelWidth(lines, fontSize),
    figureWidth: wide ? 160 : 0,
    axisName: 'estimated policy value',
    description: `Ranking of policies with 95 % intervals. ${ranking.ranked.map(({ row, truth }) => describe(row.policy, row, truth)).join('; ')}.`,
  });
}

export function forestChart(data: ReportData, policy: string, size: Size): Chart {
  const cells = cellsOf(data.estimates);
  const truth = truthOf(data, policy);
  const rows = rowsOf(cells, policy);
  const lines = cells.ablations.flatMap((ablation) => ablationLines(cells, ablation, policy, size));
  return intervalChart({
    lines,
    range: usefulRange(rows.filter(isEstimated), truth === null ? [] : [truth], data.scale),
    truth,
    width: size === 'wide' ? 530 : 380,
    lineHeight: size === 'wide' ? 21 : 20,
    fontSize: 12,
    labelWidth: labelWidth(lines, 12),
    figureWidth: size === 'wide' ? 126 : 0,
    axisName: 'estimated policy value',
    description: `Forest plot of ${policy}${truth === null ? '' : `, truth ${decimal(truth)}`}. ${rows.map((row) => describe(`${row.ablation} ${row.scorer}`, row, null)).join('; ')}.`,
  });
}

function ablationLines(cells: Cells, ablation: string, policy: string, size: Size): IntervalLine[] {
  const present = cells.scorers.flatMap((scorer, index) => {
    const row = cells.get(scorer, ablation, policy);
    return row === undefined ? [] : [{ row, index }];
  });
  return present.map(
    ({ row, index }, position): IntervalLine => ({
      label: position === 0 ? clipMiddle(plainLine(ablation), size === 'wide' ? 28 : 21) : '',
      color: seriesColor(index),
      marker: seriesMarker(index),
      value: row.status === 'ok' ? row : null,
      refusal: row.status === 'refused' ? `refused: ${clip(plainLine(row.gate), 28)}` : '',
      figures: row.status === 'ok' ? figuresOf(row) : '',
      ruled: position === 0,
    }),
  );
}

/** A letter's width as a share of its height, in the widest of the fonts that a reader may have. */
const LETTER = { plain: 0.6, strong: 0.67 } as const;

/** Room for the longest label; no fonts are at hand to measure it with. */
function labelWidth(lines: readonly IntervalLine[], fontSize: number): number {
  const widths = lines.map(({ label, strong }) => columnsOf(label) * (strong === true ? LETTER.strong : LETTER.plain));
  return Math.ceil(Math.max(2, ...widths) * fontSize);
}

function rowsOf(cells: Cells, policy: string): EstimateRow[] {
  return cells.ablations.flatMap((ablation) =>
    cells.scorers.flatMap((scorer) => cells.get(scorer, ablation, policy) ?? []),
  );
}

const isEstimated = (row: EstimateRow): row is EstimatedRow => row.status === 'ok';

/**
 * Holds every point and truth, and every interval but those several times as wide as most: one estimator without
 * overlap must not press all others into a line. What is cut off is drawn as an arrow.
 */
export function usefulRange(
  rows: readonly EstimatedRow[],
  truths: readonly number[],
  [lowest, highest]: Scale = [0, 1],
): Range {
  const whole = highest - lowest;
  const widths = rows.map(({ lower, upper }) => upper - lower).sort((a, b) => a - b);
  const most = 4 * (widths[Math.floor((widths.length - 1) / 2)] ?? 0);
  const values = [...truths];
  for (const { estimate, lower, upper } of rows) {
    if (upper - lower <= most) values.push(lower, upper);
    if (lowest - whole / 4 <= estimate && estimate <= highest + whole / 4) values.push(estimate);
  }
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return { from: lowest, to: highest };
  const from = Math.min(...finite);
  const to = Math.max(...finite);
  const margin = Math.max(whole / 100, (to - from) * 0.04);
  return { from: from - margin, to: to + margin };
}

function figuresOf(row: EstimatedRow): string {
  const mark = row.tempered ? TEMPERED_MARK : '';
  return `${minus(decimal(row.estimate))}${mark} ${interval(row.lower, row.upper).replace(/-/g, '−')}`;
}

function describe(name: string, row: EstimateRow, truth: number | null): string {
  if (row.status === 'refused') return `${name} refused: ${row.gate}`;
  const tempered = row.tempered ? ' (tempered)' : '';
  return `${name} ${decimal(row.estimate)} ${interval(row.lower, row.upper)}${truth === null ? '' : `, truth ${decimal(truth)}`}${tempered}`;
}

function clipMiddle(name: string, length: number): string {
  const characters = [...name];
  if (characters.length <= length) return name;
  const head = Math.floor((length - 1) / 2);
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (length - 1 - head)).join('')}`;
}
