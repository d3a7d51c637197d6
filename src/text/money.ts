/** Dollars as people read them, the same in the terminal, the report and the viewer. */

import { count } from './numbers.ts';

/** Less than any price can make; what is left when equal sums of dollars are subtracted. */
const DUST = 1e-12;

/** Dollars: two decimals from $1 on, four below, `<$0.0001` for less than that, `$0` for nothing, `unknown` for null. */
export function dollars(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'unknown';
  const size = Math.abs(value);
  if (size < DUST) return '$0';
  const sign = value < 0 ? '-' : '';
  if (size < 0.0001) return `${sign}<$0.0001`;
  if (size < 0.99995) return `${sign}$${size.toFixed(4)}`;
  const cents = size.toFixed(2);
  return `${sign}$${count(Number(cents.slice(0, -3)))}${cents.slice(-3)}`;
}

/** A price for a million tokens: at least cents, and no digit lost that the price has. */
export function pricePerMillion(value: number): string {
  const text = String(Number(value.toPrecision(6)));
  return `$${/\.\d\d/.test(text) ? text : value.toFixed(2)}`;
}
