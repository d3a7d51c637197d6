/** Rows as aligned columns of plain text. */

import { printable } from './escape.ts';
import { columnsOf, padEnd, padStart } from './width.ts';

type Alignment = 'left' | 'right';

/**
 * Rows as aligned columns, two spaces apart, without trailing spaces or a last line feed. Cells are made printable.
 *
 * @param options.align by column; `left` where absent
 */
export function table(
  rows: readonly (readonly string[])[],
  options: { readonly align?: readonly Alignment[] } = {},
): string {
  const cells = rows.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell));
  }
  const lines = cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return options.align?.[column] === 'right' ? padStart(cell, width) : padEnd(cell, width);
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}
