/** Values at the edge of what is believed of them: just inside, and just outside. */

import { describe, expect, it } from 'vitest';
import { compareWithGeneration } from '../../src/teacher-forcing/consistency.ts';
import { sumOf } from '../../src/teacher-forcing/values.ts';

describe('the sum of a response', () => {
  const statusOf = (...values: readonly (number | null)[]) => sumOf(values, { from: 0, to: values.length }).status;
  const times = (count: number, value: number) => new Array<number>(count).fill(value);

  it('is of its own tokens; above 0 by a rounding is 0', () => {
    expect(sumOf([-9, -1, 1e-6, -2, -9], { from: 1, to: 4 })).toEqual({ status: 'ok', logprob: -3, tokens: 3 });
    expect(sumOf([-1], { from: 1, to: 1 }).status).toBe('text_mismatch');
    expect(sumOf([-1, null], { from: 0, to: 2 })).toMatchObject({
      status: 'shape',
      detail: expect.stringContaining('token 1'),
    });
    expect(statusOf(-1, 1.5e-6)).toBe('bad_value');
    expect([statusOf(-9998), statusOf(-9999), statusOf(Number.NaN)]).toEqual(['ok', 'bad_value', 'bad_value']);
  });

  it('of more than fifty tokens is not believed above a hundredth of a nat a token', () => {
    expect(statusOf(...times(51, -0.0099))).toBe('suspicious');
    expect(statusOf(...times(51, -0.0101))).toBe('ok');
    expect(statusOf(...times(50, -0.0099))).toBe('ok');
  });

  it('has no ten zeros in a row where the others are uncertain', () => {
    expect(statusOf(...times(10, 0), -1)).toBe('suspicious');
    expect(statusOf(...times(9, 0), -1)).toBe('ok');
    expect(statusOf(...times(9, 0), -1, ...times(9, 0))).toBe('ok');
    expect(statusOf(-1, ...times(10, 0), -1)).toBe('suspicious');
    expect(statusOf(...times(10, 0))).toBe('ok');
    // Five hundredths of a nat a token are certain enough.
    expect([statusOf(...times(10, 0), -0.0499), statusOf(...times(10, 0), -0.0501)]).toEqual(['ok', 'suspicious']);
  });
});

describe('forced values beside generated ones', () => {
  /** About a nat each, no two neighbours alike. */
  const generated = (count: number) => Array.from({ length: count }, (_, i) => -0.75 - ((i * 7) % 11) / 20);
  const sign = (i: number) => (i % 2 === 0 ? 1 : -1);
  const agreement = (count: number, change: (g: number, i: number) => number) =>
    compareWithGeneration(generated(count).map(change), generated(count)).agreement;
  /** Noise of either sign on all tokens, and one that is off. */
  const withOne = (count: number, noise: number, off: number) =>
    agreement(count, (g, i) => (i === 0 ? g + off : g + sign(i) * noise));

  it('say something of a scale where generation was less certain than a tenth of a nat', () => {
    const of = compareWithGeneration([-0.2, -0.3, -0.4], [-0.1, -0.1001, -0.5]);
    expect(of).toMatchObject({
      informative: 2,
      largest: expect.closeTo(0.1999, 12),
      generated: expect.closeTo(-0.7001, 12),
    });
    expect(compareWithGeneration([0, -1], [-0.1, -1]).agreement).not.toBe('zeroed');
    expect(compareWithGeneration([0, -1], [-0.1001, -1]).agreement).toBe('zeroed');
  });

  it('agree up to a twentieth of a nat a token in the mean', () => {
    const mean = (noise: number) => agreement(20, (g, i) => g + sign(i) * noise);
    expect([mean(0.0495), mean(0.0505)]).toEqual(['agrees', 'differs']);
  });

  it('hold no token that is off by more than 0.26 nats, fifty times the others’ noise, or half a nat', () => {
    expect([withOne(20, 0.001, 0.255), withOne(20, 0.001, 0.265)]).toEqual(['agrees', 'differs']);
    expect([withOne(20, 0.007, 0.345), withOne(20, 0.007, 0.355)]).toEqual(['agrees', 'differs']);
    expect([withOne(20, 0.02, 0.495), withOne(20, 0.02, 0.505)]).toEqual(['agrees', 'differs']);
  });

  it('without noise hold none that is off by more than a thousandth', () => {
    expect([withOne(20, 0, 0.0009), withOne(20, 0, 0.0011)]).toEqual(['agrees', 'differs']);
    // A millionth is no noise, more is; four tokens do not tell.
    expect([withOne(20, 0.9e-6, 0.0011), withOne(20, 1.1e-6, 0.0011)]).toEqual(['differs', 'agrees']);
    expect([withOne(5, 0, 0.0011), withOne(4, 0, 0.0011)]).toEqual(['differs', 'agrees']);
  });

  it('are scaled by two parts in a hundred where noise is left, by one in a hundred thousand without', () => {
    const scaled = (slope: number, noise: number) => agreement(20, (g, i) => slope * g + sign(i) * noise);
    expect([scaled(1.018, 0.002), scaled(1.023, 0.002)]).toEqual(['agrees', 'scaled']);
    expect([scaled(1 + 0.9e-5, 0), scaled(1 + 1.1e-5, 0)]).toEqual(['agrees', 'scaled']);
    const shifted = (by: number) => agreement(20, (g) => g + by);
    expect([shifted(0.9e-5), shifted(1.1e-5)]).toEqual(['agrees', 'differs']);
    expect(agreement(4, (g) => g + 1.1e-5)).toBe('agrees');
  });

  it('are others where they lie to one side by a hundredth of a nat a token, and by five times what noise explains', () => {
    const oneSided = (count: number, by: number) => agreement(count, (g, i) => g + by + sign(i) * 0.001);
    expect([oneSided(40, 0.0098), oneSided(40, 0.0102)]).toEqual(['agrees', 'differs']);
    // Twenty tokens all to one side are √20 = 4.5 times their spread, thirty 5.5 times.
    expect([oneSided(20, 0.012), oneSided(30, 0.012)]).toEqual(['agrees', 'differs']);
  });

  it('are those of a neighbour where that explains them to two hundredths of a nat a token', () => {
    const next = (noise: number) => agreement(20, (_, i) => (generated(21)[i + 1] ?? 0) + sign(i) * noise);
    expect([next(0.0195), next(0.0205)]).toEqual(['shifted', 'differs']);
  });

  it('are told to a tenth, a hundredth or a thousandth, where five tokens say so', () => {
    const rounded = (count: number, unit: number) =>
      compareWithGeneration(
        generated(count).map((g) => Math.round((g - 0.0123456) * unit) / unit),
        generated(count).map((g) => g - 0.0123456),
      ).agreement;
    expect([10, 100, 1000].map((unit) => rounded(5, unit))).toEqual(['rounded', 'rounded', 'rounded']);
    expect(rounded(5, 10_000)).not.toBe('rounded');
    expect(rounded(4, 1000)).not.toBe('rounded');
  });
});
