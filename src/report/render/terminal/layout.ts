/** A table of ablations (rows) by policies (columns) that fits a terminal's width. */

import type { Colour, Paint } from '../../../text/paint.ts';
import { columnsOf, padEnd, padStart, truncate } from '../../../text/width.ts';
import { clipMiddle } from '../../../text/wrap.ts';

export interface LayoutCell {
  /** The same content, longest form first; the grid takes one that fits. */
  readonly forms: readonly [string, ...string[]];
  /** The last form may be clipped rather than widen its column. */
  readonly clippable?: boolean;
  readonly style?: Colour;
}

interface LayoutRow {
  readonly label: string;
  /** One a column. */
  readonly cells: readonly (LayoutCell | undefined)[];
  readonly style?: Colour;
}

/** All texts are clean already. */
interface Layout {
  /** Stands above the row labels. */
  readonly corner: string;
  readonly columns: readonly string[];
  readonly rows: readonly LayoutRow[];
}

const GAP = 2;
const MOST_LABEL = 32;
/** A label gives way to the columns down to this width. */
const LEAST_LABEL = 21;
const LEAST_COLUMN = 9;
/** A clippable cell keeps this much. */
const LEAST_CLIPPED = 12;

/** Columns that do not fit beside each other go into further blocks below, each with the labels again. */
export function layoutLines(layout: Layout, width: number, paint: Paint): string[] {
  const longest = Math.max(...[layout.corner, ...layout.rows.map((row) => row.label)].map(columnsOf));
  const least = sum(layout.columns.map((_, column) => GAP + shortestWidth(layout, column)));
  const labelWidth = Math.min(
    longest,
    MOST_LABEL,
    Math.max(LEAST_LABEL, width - least),
    Math.max(8, Math.floor(width / 2)),
  );
  const room = width - labelWidth;
  const lines: string[] = [];
  for (const block of blocksOf(layout, room)) {
    if (lines.length > 0) lines.push('');
    const widths = columnWidths(layout, block, room);
    const label = (text: string) => padEnd(clipMiddle(text, labelWidth), labelWidth);
    const header = block.map((column, index) =>
      padStart(clipMiddle(layout.columns[column]!, widths[index]!), widths[index]!),
    );
    lines.push(paint('dim', joined([label(layout.corner), ...header])));
    for (const row of layout.rows) {
      const cells = block.map((column, index) => {
        const cell = row.cells[column];
        const text = padStart(formThatFits(cell, widths[index]!), widths[index]!);
        return cell?.style === undefined ? text : paint(cell.style, text);
      });
      const line = joined([label(row.label), ...cells]);
      lines.push(row.style === undefined ? line : paint(row.style, line));
    }
  }
  return lines;
}

const joined = (parts: readonly string[]) => parts.join(' '.repeat(GAP)).trimEnd();
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Splits the columns so that each block's shortest forms fit. */
function blocksOf(layout: Layout, room: number): number[][] {
  const blocks: number[][] = [];
  let used = 0;
  for (let column = 0; column < layout.columns.length; column++) {
    const least = GAP + shortestWidth(layout, column);
    const block = blocks.at(-1);
    if (block === undefined || used + least > room) {
      blocks.push([column]);
      used = least;
    } else {
      block.push(column);
      used += least;
    }
  }
  return blocks;
}

/** As wide as the shortest forms need; what room is left goes to the headings, then to the longer forms. */
function columnWidths(layout: Layout, block: readonly number[], room: number): number[] {
  const widths = block.map((column) => Math.min(shortestWidth(layout, column), room - GAP));
  let spare = room - sum(widths.map((width) => width + GAP));
  const wishes = [
    block.map((column) => columnsOf(layout.columns[column]!)),
    block.map((column) => Math.max(...layout.rows.map((row) => columnsOf(row.cells[column]?.forms[0] ?? '')))),
  ];
  for (const wanted of wishes) {
    for (let index = 0; spare > 0 && widths.some((width, each) => width < wanted[each]!); index++) {
      const column = index % widths.length;
      if (widths[column]! >= wanted[column]!) continue;
      widths[column]!++;
      spare--;
    }
  }
  return widths;
}

function shortestWidth(layout: Layout, column: number): number {
  const cells = layout.rows.map(({ cells }) => {
    const cell = cells[column];
    const width = columnsOf(cell?.forms.at(-1) ?? '');
    return cell?.clippable === true ? Math.min(width, LEAST_CLIPPED) : width;
  });
  return Math.max(LEAST_COLUMN, ...cells);
}

function formThatFits(cell: LayoutCell | undefined, width: number): string {
  if (cell === undefined) return '';
  return truncate(cell.forms.find((form) => columnsOf(form) <= width) ?? cell.forms.at(-1)!, width);
}
