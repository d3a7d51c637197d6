/** The base of logarithms, at places whose probabilities are counted by hand. */

import { describe, expect, it } from 'vitest';
import { baseOf, baseOfDraws, type Draw, type Place } from '../../src/teacher-forcing/base.ts';

/** So many places of these values, of which so many sampled the likeliest token, and the others a token that is likelier than none. */
function places(values: readonly number[], count: number, likeliest: number): Place[] {
  return Array.from({ length: count }, (_, index) => ({
    likeliest: values,
    sampled: index < likeliest ? Math.max(...values) : -9,
  }));
}

describe('the base by the likeliest tokens of each place', () => {
  it.each([
    ['e', Math.log],
    ['2', Math.log2],
    ['10', Math.log10],
  ] as const)('is %s where probabilities of 0.7 and 0.3 come to 1 under it', (base, log) => {
    expect(baseOf(places([log(0.7), log(0.3)], 10, 7))).toBe(base);
  });

  it('is none where they come to more than 1 under all', () => {
    expect(baseOf(places([-0.1, -0.1], 1, 1))).toBe('none');
    expect(baseOf([])).toBe('unknown');
  });

  it('is none where the likeliest token is sampled too often: 0.4 n of √(0.24 n) is more than four from 25 places on', () => {
    const values = [Math.log(0.6), Math.log(0.4)];
    expect([23, 26].map((count) => baseOf(places(values, count, count)))).toEqual(['e', 'none']);
    // Too rarely: −0.6 n of √(0.24 n) from 11 places on.
    expect([10, 12].map((count) => baseOf(places(values, count, 0)))).toEqual(['e', 'none']);
  });

  it('is told by a place where two parts in a hundred are left beside the likeliest token', () => {
    const open = (beside: number) => baseOf(places([Math.log(1 - beside), Math.log(beside)], 50, 49));
    expect([open(0.021), open(0.019)]).toEqual(['e', 'unknown']);
  });

  it('is told by how often the likeliest is sampled alone from 40 places on', () => {
    // 0.7, sampled always: 4.1 standard errors more than under e, 3.3 more than under 2, and far more than under 10.
    expect([39, 40].map((count) => baseOf(places([Math.log(0.7)], count, count)))).toEqual(['unknown', '2']);
    // Always certain tells nothing.
    expect(baseOf(places([0], 100, 100))).toBe('unknown');
  });
});

describe('the base by draws of one place', () => {
  const drawn = (...tokens: readonly (readonly [token: string, times: number, value: number])[]): Draw[] =>
    tokens.flatMap(([token, times, value]) => Array.from({ length: times }, () => ({ token, value })));

  it.each([
    ['e', Math.log],
    ['2', Math.log2],
    ['10', Math.log10],
  ] as const)('is %s where what was drawn of 30 comes to 1 under it', (base, log) => {
    expect(baseOfDraws([drawn(['a', 15, log(0.5)], ['b', 15, log(0.5)])])).toBe(base);
  });

  it('is not known of fewer, nor of a place where one token is certain', () => {
    expect(baseOfDraws([drawn(['a', 15, Math.log(0.5)], ['b', 14, Math.log(0.5)])])).toBe('unknown');
    expect(baseOfDraws([drawn(['a', 99, -0.01])])).toBe('unknown');
  });

  it('leaves to what was never drawn the share of what was drawn once', () => {
    // A third of 300 draws are single ones, so those that were drawn come to two thirds: 0.6 and a hundred of 1/1500.
    const single = Array.from({ length: 100 }, (_, n) => [`s${n}`, 1, Math.log(1 / 1500)] as const);
    expect(baseOfDraws([drawn(['a', 200, Math.log(0.6)], ...single)])).toBe('e');
  });

  it('is none where they come to far more under all', () => {
    expect(baseOfDraws([drawn(['a', 15, -0.05], ['b', 15, -0.05])])).toBe('none');
  });
});
