/** Numbers of a table as text, in the form that the table asks for. */

import { dollars } from '../../text/money.ts';
import { count, decimal, interval, percent, signed, significant } from '../../text/numbers.ts';
import type { NumberForm } from './table.ts';

export function numberText(value: number | null, form: NumberForm): string {
  switch (form) {
    case 'decimal':
      return decimal(value);
    case 'significant':
      return significant(value);
    case 'percent':
      return percent(value);
    case 'dollars':
      return dollars(value);
  }
  if (value === null) return decimal(null);
  switch (form) {
    case 'count':
      return count(value);
    case 'margin':
      return `± ${significant(value)}`;
    case 'error':
      // Three significant digits, so that small errors still differ.
      return Math.abs(value) < 0.1 ? value.toFixed(4) : significant(value);
    case 'rate':
      // Rates are compared with each other, so all have the same decimal.
      return `${(100 * value).toFixed(1)} %`;
  }
}

export function intervalText(lower: number | null, upper: number | null, form: 'decimal' | 'significant'): string {
  if (lower === null || upper === null) return decimal(null);
  return form === 'decimal' ? interval(lower, upper) : `[${significant(lower)}, ${significant(upper)}]`;
}

/** A move too small for three decimals still shows that it is one. */
export function preciseSigned(delta: number): string {
  if (Math.abs(delta) >= 0.0005) return signed(delta);
  return delta > 0 ? '+<0.001' : '-<0.001';
}

/** `+0.016 ▲`; without a change of the estimate itself, that there was one or none. */
export function deltaText(delta: number | null): string {
  if (delta === null) return '·';
  return delta === 0 ? '± changed' : `${preciseSigned(delta)} ${delta > 0 ? '▲' : '▼'}`;
}
