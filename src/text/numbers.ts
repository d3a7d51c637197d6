/** How numbers are written for people. Files for machines hold them at full precision instead. */

const ABSENT = '–';

/** A policy value or a standard error: three decimals, or four digits where that would be long. */
export function decimal(value: number | null): string {
  if (value === null || Number.isNaN(value)) return ABSENT;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(1);
  if (size >= 100) return value.toFixed(1);
  return unsignedZero(value.toFixed(3));
}

/** A diagnostic of any magnitude: three significant digits. */
export function significant(value: number | null): string {
  if (value === null || Number.isNaN(value)) return ABSENT;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1);
  if (size >= 100) return count(value);
  return size >= 0.1 && !Number.isInteger(value) ? value.toPrecision(3) : String(Number(value.toPrecision(3)));
}

/** A difference: with its sign, but for one that rounds to nothing. */
export function signed(value: number, decimals?: number): string {
  const text = decimals === undefined ? decimal(value) : unsignedZero(value.toFixed(decimals));
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

export function interval(lower: number, upper: number): string {
  return `[${decimal(lower)}, ${decimal(upper)}]`;
}

/** `1,234,567`, whatever the locale; a fraction is rounded. */
export function count(value: number): string {
  const digits = Math.abs(Math.round(value)).toString();
  return `${value <= -0.5 ? '-' : ''}${digits.replace(/\B(?=(\d{3})+$)/g, ',')}`;
}

/** A share in [0, 1] as a percentage. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return ABSENT;
  const value = share * 100;
  if (value > 0 && value < 0.05) return '< 0.1\u00a0%';
  return `${value > 0 && value < 99.95 && (value < 10 || value > 99) ? value.toFixed(1) : value.toFixed(0)}\u00a0%`;
}

/** How far something is, as a whole percentage: 100 % means that all of it is done. */
export function progressPercent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** A rate a second: one decimal below 100. */
export function rate(perSecond: number): string {
  return `${perSecond < 99.95 ? perSecond.toFixed(1) : count(perSecond)}/s`;
}

const unsignedZero = (text: string) => (/^-0\.?0*$/.test(text) ? text.slice(1) : text);
