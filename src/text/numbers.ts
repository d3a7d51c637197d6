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
  if (size >= 100) return count(Math.round(value));
  return size >= 0.1 && !Number.isInteger(value) ? value.toPrecision(3) : String(Number(value.toPrecision(3)));
}

export function signed(value: number): string {
  const text = decimal(value);
  return value > 0 ? `+${text}` : text;
}

export function interval(lower: number, upper: number): string {
  return `[${decimal(lower)}, ${decimal(upper)}]`;
}

/** With separators between thousands, whatever the locale. */
export function count(value: number): string {
  const [whole = '', fraction] = String(Math.abs(value)).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${value < 0 ? '-' : ''}${grouped}${fraction === undefined ? '' : `.${fraction}`}`;
}

/** A share in [0, 1] as a percentage. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return ABSENT;
  const value = share * 100;
  if (value > 0 && value < 0.05) return '< 0.1\u00a0%';
  return `${value > 0 && value < 99.95 && (value < 10 || value > 99) ? value.toFixed(1) : value.toFixed(0)}\u00a0%`;
}

/** Cents, or two digits of what is less than a cent. */
export function dollars(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return 'unknown';
  if (value === 0) return '$0.00';
  if (value < 0.01) return value < 1e-6 ? '< $0.000001' : `$${trimZeros(value.toFixed(6))}`;
  const [whole = '0', cents = '00'] = value.toFixed(2).split('.');
  return `$${count(Number(whole))}.${cents}`;
}

const trimZeros = (text: string) => text.replace(/0+$/, '');
const unsignedZero = (text: string) => (/^-0\.?0*$/.test(text) ? text.slice(1) : text);
