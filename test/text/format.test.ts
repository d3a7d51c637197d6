import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration } from '../../src/text/duration.ts';
import { printable, printableLines } from '../../src/text/escape.ts';
import { dollars } from '../../src/text/money.ts';
import { count, rate } from '../../src/text/numbers.ts';
import { counted } from '../../src/text/plural.ts';
import { size } from '../../src/text/size.ts';
import { table } from '../../src/text/table.ts';
import { columnsOf, padEnd, padStart, truncate } from '../../src/text/width.ts';
import { anyText } from '../helpers/any-text.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567.6, '1,234,568'],
    [-1234, '-1,234'],
    [-0.2, '0'],
  ])('count %s', (value, expected) => expect(count(value)).toBe(expected));

  it.each([
    [0, '$0'],
    [7e-17, '$0'],
    [0.00004, '<$0.0001'],
    [0.0132, '$0.0132'],
    [0.5, '$0.5000'],
    [0.99996, '$1.00'],
    [1, '$1.00'],
    [60.1, '$60.10'],
    [1234.567, '$1,234.57'],
    [999999.999, '$1,000,000.00'],
    [-0.25, '-$0.2500'],
  ])('dollars %s', (value, expected) => expect(dollars(value)).toBe(expected));

  it.each([
    [0, '0 ms'],
    [340, '340 ms'],
    [999.6, '1.0 s'],
    [2100, '2.1 s'],
    [59_960, '1 min 00 s'],
    [200_000, '3 min 20 s'],
    [3_599_000, '59 min 59 s'],
    [3_600_000, '1 h 00 min'],
    [7_500_000, '2 h 05 min'],
    [180_000_000, '50 h 00 min'],
    [-5, '0 ms'],
  ])('duration %s', (value, expected) => expect(duration(value)).toBe(expected));

  it('counts nouns and rates', () => {
    expect([counted(1, 'call'), counted(0, 'call'), counted(1200, 'call')]).toEqual([
      '1 call',
      '0 calls',
      '1,200 calls',
    ]);
    expect([rate(3.44), rate(99.96), rate(1234.5)]).toEqual(['3.4/s', '100/s', '1,235/s']);
  });
});

describe('printable', () => {
  it.each([
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u001b[31mred\u001b[0m', '\\e[31mred\\e[0m'],
    ['\u0007\u0000\u009b2J', '\\x07\\x00\\x9b2J'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['half \ud800', 'half \\u{d800}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['naïve 日本語 😀', 'naïve 日本語 😀'],
  ])('%j', (text, expected) => expect(printable(text)).toBe(expected));

  it('leaves no text with which to steer a terminal', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(printable(text)).not.toMatch(/\p{Cc}|\p{Bidi_Control}|\p{Cs}/u);
        expect(printableLines(text).replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}|\p{Cs}/u);
        expect(printable(printable(text))).toBe(printable(text));
      }),
    );
  });
});

describe('width', () => {
  it.each([
    ['abc', 3],
    ['日本語', 6],
    ['é', 1],
    ['e\u0301', 1],
    ['😀', 2],
    ['👩‍👩‍👧', 2],
    ['ｆｕｌｌ', 8],
    ['한글', 4],
    ['', 0],
  ])('%s takes %i', (text, columns) => expect(columnsOf(text)).toBe(columns));

  it('truncates to what fits, between characters', () => {
    expect(truncate('responses/pi_cot', 10)).toBe('responses…');
    expect(truncate('日本語の文', 6)).toBe('日本…');
    expect(truncate('fits', 4)).toBe('fits');
    expect(truncate('x', 0)).toBe('');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, columns) => {
        expect(columnsOf(truncate(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('pads by columns', () => {
    expect([padEnd('語', 4), padStart('語', 4), padEnd('long', 2)]).toEqual(['語  ', '  語', 'long']);
  });
});

describe('tables', () => {
  it('aligns columns, and shows cells as they are safe', () => {
    const rows = [
      ['node', 'calls', 'why'],
      ['scores/日本', '1,200', 'prompt\u001b[2J changed'],
      ['p', '3', ''],
    ];
    expect(table(rows, { align: ['left', 'right', 'left'] }).split('\n')).toEqual([
      'node         calls  why',
      'scores/日本  1,200  prompt\\e[2J changed',
      'p                3',
    ]);
    expect(table([])).toBe('');
  });
});

it.each([
  [0, '0 B'],
  [412, '412 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [3_449, '3.4 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [1.25e9, '1.3 GB'],
  [4e12, '4.0 TB'],
  [4e15, '4000 TB'],
])('a file of %d bytes is one of %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
