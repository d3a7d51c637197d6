import { describe, expect, it } from 'vitest';
import { dollars } from '../../src/text/money.ts';
import { count, decimal, interval, percent, signed, significant } from '../../src/text/numbers.ts';

const nbsp = '\u00a0';

describe('numbers for people', () => {
  it.each([
    [0.12345, '0.123'],
    [-0.0004, '0.000'],
    [-0.0006, '-0.001'],
    [99.9994, '99.999'],
    [100, '100.0'],
    [-100, '-100.0'],
    [999_999, '999999.0'],
    [1e6, '1.0e+6'],
    [null, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NEGATIVE_INFINITY, '-∞'],
  ])('decimal %s: %s', (value, text) => {
    expect(decimal(value)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.00099, '9.9e-4'],
    [0.001, '0.001'],
    [0.0123456, '0.0123'],
    [0.1, '0.100'],
    [0.5, '0.500'],
    [12.345, '12.3'],
    [12, '12'],
    [99.94, '99.9'],
    [1234.5, '1,235'],
    [100, '100'],
    [1e6, '1.0e+6'],
    [-5.5, '-5.50'],
    [null, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NEGATIVE_INFINITY, '-∞'],
  ])('significant %s: %s', (value, text) => {
    expect(significant(value)).toBe(text);
  });

  it.each([
    [0, `0${nbsp}%`],
    [0.0004, `< 0.1${nbsp}%`],
    [0.0005, `0.1${nbsp}%`],
    [0.0512, `5.1${nbsp}%`],
    [0.1, `10${nbsp}%`],
    [0.456, `46${nbsp}%`],
    [0.99, `99${nbsp}%`],
    [0.9912, `99.1${nbsp}%`],
    [0.9994, `99.9${nbsp}%`],
    [0.9996, `100${nbsp}%`],
    [1, `100${nbsp}%`],
    [null, '–'],
  ])('percent %s: %s', (value, text) => {
    expect(percent(value)).toBe(text);
  });

  it.each([
    [0, '$0'],
    [9e-5, '<$0.0001'],
    [1e-4, '$0.0001'],
    [0.00123, '$0.0012'],
    [0.01, '$0.0100'],
    [0.99994, '$0.9999'],
    [0.99995, '$1.00'],
    [1234.567, '$1,234.57'],
    [null, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('dollars %s: %s', (value, text) => {
    expect(dollars(value)).toBe(text);
  });

  it('signs, intervals and thousands', () => {
    expect([signed(0.1), signed(0), signed(-0.1)]).toEqual(['+0.100', '0.000', '-0.100']);
    expect(interval(0.1, 0.25)).toBe('[0.100, 0.250]');
    expect([999, 1000, -1234567, 1234.5, -0.4].map(count)).toEqual(['999', '1,000', '-1,234,567', '1,235', '0']);
  });
});
