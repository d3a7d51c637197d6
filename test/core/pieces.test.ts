import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestText } from '../../src/core/digest.ts';
import { joinPieces, joinQuoted, measurePieces, piecesAre, quotePart, quoteRun, run } from '../../src/core/pieces.ts';
import { anyText } from '../helpers/any-text.ts';

/** Texts of any UTF-16 units, halves of surrogate pairs at their ends included. */
const torn = fc.oneof(
  anyText(),
  fc.array(fc.constantFrom('\ud83d', '\ude00', 'a', '"', '\n', '\u2028', 'é', '')).map((units) => units.join('')),
);

describe('a text joined from quoted parts', () => {
  it('has the JSON form of the whole, wherever the seams are', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(torn, fc.boolean()), { maxLength: 6 }), (parts) => {
        const whole = parts.map(([text]) => text).join('');
        const { text, json } = joinQuoted(parts.map(([part, again]) => (again ? quoteRun : quotePart)(part)));
        expect({ text, json: joinPieces(json) }).toEqual({ text: whole, json: JSON.stringify(whole) });
        expect(measurePieces(json).digest).toBe(digestText(JSON.stringify(whole)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps a surrogate pair whole where a seam parts it, also with nothing between its halves', () => {
    expect(joinPieces(joinQuoted(['\ud83d', '', '\ude00'].map(quotePart)).json)).toBe('"😀"');
  });
});

describe('pieces', () => {
  it('are measured as their whole, however long it is', () => {
    for (const size of [0, 1, 20_000, 70_000, 300_000]) {
      const pieces = [run('é'.repeat(size)), 'a', '語'.repeat(size), run('b'), 'c'.repeat(size)];
      const whole = joinPieces(pieces);
      expect(measurePieces(pieces)).toEqual({ digest: digestText(whole), bytes: Buffer.byteLength(whole) });
    }
  });
});

it('pieces are a text where every byte of it is theirs', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const pieces = [run('{"a":'), '"ü"', run('}')];
  expect(piecesAre(pieces, bytes('{"a":"ü"}'))).toBe(true);
  expect(piecesAre(pieces, bytes('{"a":"ä"}'))).toBe(false);
  expect(piecesAre(pieces, bytes('{"a":"ü"}}'))).toBe(false);
});
