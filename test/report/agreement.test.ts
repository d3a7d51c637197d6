import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementOf } from '../../src/compare/agreement.ts';

describe('agreement', () => {
  it('is what paper and pencil give', () => {
    const agreement = agreementOf([
      [0.2, 0.3],
      [0.4, 0.4],
      [0.6, 0.8],
    ]);
    expect(agreement).toMatchObject({ n: 3, unchanged: 1 / 3 });
    expect(agreement.meanBefore).toBeCloseTo(0.4);
    expect(agreement.meanAfter).toBeCloseTo(0.5);
    expect(agreement.shift).toBeCloseTo(0.1);
    expect(agreement.meanAbsolute).toBeCloseTo(0.1);
    // Differences 0.1, 0, 0.2: standard deviation 0.1; Student's quantile at 2 degrees of freedom is 4.3027.
    expect(agreement.upper! - agreement.shift).toBeCloseTo((4.3027 * 0.1) / Math.sqrt(3), 4);
    expect(agreement.correlation).toBeCloseTo(0.1 / Math.sqrt(0.08 * 0.14));
  });

  it('tells of items that moved either way how far, and of those that did not how many', () => {
    const moved = agreementOf([
      [0.5, 0.75],
      [0.5, 0.25],
      [0.25, 0.25],
      [0.5, 0],
    ]);
    expect(moved).toMatchObject({ shift: -0.125, meanAbsolute: 0.25, unchanged: 0.25 });
  });

  it('claims no interval of one pair, and no correlation of a constant', () => {
    expect(agreementOf([[0.5, 0.7]])).toMatchObject({ n: 1, lower: null, upper: null, correlation: null });
    expect(agreementOf([])).toMatchObject({ n: 0, lower: null, unchanged: 0 });
    expect(
      agreementOf([
        [0.5, 0.1],
        [0.5, 0.9],
      ]).correlation,
    ).toBeNull();
  });

  it('changes its sign when the sides change places', () => {
    const value = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 30 }), (pairs) => {
        const there = agreementOf(pairs);
        const back = agreementOf(pairs.map(([a, b]) => [b, a] as const));
        expect(back.shift).toBeCloseTo(-there.shift, 10);
        expect(back.lower!).toBeCloseTo(-there.upper!, 10);
        expect(back.correlation ?? 0).toBeCloseTo(there.correlation ?? 0, 10);
        expect(back.unchanged).toBe(there.unchanged);
      }),
    );
  });
});
