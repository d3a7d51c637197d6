import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinQuoted, quotePiece } from '../../src/core/quoted.ts';

/** Texts of any UTF-16 units, halves of surrogate pairs at their ends included. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('\ud83d', '\ude00', 'a', '"', '\\', '\n', '\u2028', 'é', ''), { maxLength: 4 })
    .map((units) => units.join('')),
);

describe('a text joined from quoted pieces', () => {
  it('has the JSON form of the whole, wherever the seams are', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (pieces) => {
        const whole = pieces.join('');
        expect(joinQuoted(pieces.map(quotePiece))).toEqual({ text: whole, json: JSON.stringify(whole) });
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps a surrogate pair whole where a seam parts it, also with nothing between its halves', () => {
    const { json } = joinQuoted(['\ud83d', '', '\ude00'].map(quotePiece));
    expect(json).toBe('"😀"');
  });
});
