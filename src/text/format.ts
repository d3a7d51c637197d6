/** Numbers as people read them, and tables. */

import { printable } from './escape.ts';
import { columnsOf, padEnd, padStart } from './width.ts';

/** `1,234,567`; a fraction is rounded. */
export function count(value: number): string {
  const digits = Math.abs(Math.round(value)).toString();
  return `${value <= -0.5 ? '-' : ''}${digits.replace(/\B(?=(\d{3})+$)/g, ',')}`;
}

/** A count with its noun: `1 call`, `2 calls`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Less than any price can make; what is left when equal sums of dollars are subtracted. */
const DUST = 1e-12;

/** Dollars: two decimals from $1 on, four below, `<$0.0001` for less than that, `$0` for nothing. */
export function dollars(value: number): string {
  const size = Math.abs(value);
  if (size < DUST) return '$0';
  const sign = value < 0 ? '-' : '';
  if (size < 0.0001) return `${sign}<$0.0001`;
  if (size < 0.99995) return `${sign}$${size.toFixed(4)}`;
  const cents = size.toFixed(2);
  return `${sign}$${count(Number(cents.slice(0, -3)))}${cents.slice(-3)}`;
}

/** Milliseconds as `340 ms`, `2.1 s`, `3 min 20 s`, `2 h 05 min`. */
export function duration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 59_950) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(value / 60_000);
  return `${count(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
}

/** A rate a second: one decimal below 100. */
export function rate(perSecond: number): string {
  return `${perSecond < 99.95 ? perSecond.toFixed(1) : count(perSecond)}/s`;
}

export function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

const pad = (value: number) => String(value).padStart(2, '0');

export type Alignment = 'left' | 'right';

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
