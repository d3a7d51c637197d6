/** Rows as aligned columns of plain text. */

import { printable } from './escape.ts';
import { columnsOf, padEnd, padStart } from './width.ts';
import { clipMiddle } from './wrap.ts';

type Alignment = 'left' | 'right';

const GAP = 2;
/** A first column keeps so much. */
const LEAST_NAME = 8;

/**
 * Rows as aligned columns, two spaces apart, without trailing spaces or a last line feed. Cells are made printable.
 *
 * @param options.align by column; `left` where absent
 * @param options.width columns of the terminal: texts of the first column are cut in the middle where a line is longer
 */
export function table(
  rows: readonly (readonly string[])[],
  options: { readonly align?: readonly Alignment[]; readonly width?: number } = {},
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell));
  }
  const longest = widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
  const over = options.width === undefined ? 0 : longest - options.width;
  if (over > 0) widths[0] = Math.max(LEAST_NAME, (widths[0] ?? 0) - over);
  const lines = cells.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        const cell = column === 0 ? clipMiddle(text, width) : text;
        return options.align?.[column] === 'right' ? padStart(cell, width) : padEnd(cell, width);
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
  return lines.join('\n');
}
