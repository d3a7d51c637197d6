/** Numbers in table cells, with typographer's minus signs. */

import type { EstimateRow } from '../../../datasets/results.ts';
import { html, type Markup } from '../../../text/html.ts';
import { decimal, interval, significant } from '../../../text/numbers.ts';
import { minus } from '../../charts/axis.ts';
import { cellsOf, halfWidth } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { holdsTruth } from '../../model/ranking.ts';
import { TEMPERED_MARK } from '../../model/words.ts';

export function decimalCell(value: number | null): string {
  return minus(decimal(value));
}

export function significantCell(value: number | null): string {
  return minus(significant(value));
}

export function intervalCell(lower: number, upper: number): string {
  return interval(lower, upper).replace(/-/g, '−');
}

/** `0.612 ± 0.030`, or the gate that refused it. */
export function estimateCell(data: ReportData, row: EstimateRow | undefined): Markup | null {
  if (row === undefined) return null;
  if (row.status === 'refused') return html`<span class="refused">refused: ${row.gate}</span>`;
  const number = decimalCell(row.estimate);
  const shown = holdsTruth(data, row) === false ? html`<span class="misses">${number}</span>` : number;
  return html`${shown} <span class="pm">± ${decimal(halfWidth(row))}</span>${row.tempered && TEMPERED_MARK}`;
}

/** The scorers in the order that gives each its colour and marker. */
export function scorerIndex(data: ReportData, scorer: string): number {
  const { scorers } = cellsOf(data.estimates);
  const all = [...new Set([...scorers, ...data.quality.map((quality) => quality.scorer)])];
  return Math.max(0, all.indexOf(scorer));
}
