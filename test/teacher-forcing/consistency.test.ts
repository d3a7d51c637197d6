import { describe, expect, it } from 'vitest';
import { compareWithGeneration } from '../../src/teacher-forcing/consistency.ts';

const GENERATED = [-0.01, -1.2, -0.4, -3.1, -0.02, -0.9, -2.2, -0.3, -5.5, -0.05, -1.7, -0.6];

describe('forced beside generated log probabilities', () => {
  it('are told apart by the way in which they differ', () => {
    const named = (forced: readonly number[]) => compareWithGeneration(forced, GENERATED).agreement;
    expect(named(GENERATED)).toBe('agrees');
    expect(named(GENERATED.map((value, index) => value + (index % 2 === 0 ? 0.01 : -0.01)))).toBe('agrees');
    expect(named([...GENERATED.slice(1), -1])).toBe('shifted');
    expect(named([-1, ...GENERATED.slice(0, -1)])).toBe('shifted');
    expect(named(GENERATED.map((value) => value / Math.LN2))).toBe('scaled');
    expect(named(GENERATED.map((value) => value / Math.LN10))).toBe('scaled');
    expect(named(GENERATED.map((value) => 1.7 * value))).toBe('scaled');
    expect(named(GENERATED.map((value) => -Math.exp(value)))).toBe('probability');
    expect(named(GENERATED.map(() => 0))).toBe('zeroed');
    expect(named(GENERATED.map((value, index) => (index > 9 ? 0 : value)))).toBe('zeroed');
    expect(named(GENERATED.map((value, index) => value - (index % 3)))).toBe('differs');
  });

  it('differ where one token is off and all others are the same; among noise a step of rounded logits is more of it', () => {
    const generated = Array.from({ length: 60 }, (_, index) => -1 - (index % 7));
    const agreementsWith = (noise: number) =>
      [0, 0.002, 0.25, -0.25, 0.27, -0.27, 0.9, -0.9].map((apart) => {
        const forced = generated.map(
          (value, index) => value + (index % 2 === 0 ? noise : -noise) + (index === 40 ? apart : 0),
        );
        return compareWithGeneration(forced, generated).agreement;
      });
    expect(agreementsWith(0)).toEqual(['agrees', ...Array(7).fill('differs')]);
    expect(agreementsWith(1e-3)).toEqual([...Array(4).fill('agrees'), ...Array(4).fill('differs')]);
  });

  it('say nothing of noise where too few tokens were uncertain', () => {
    const sure = Array.from({ length: 40 }, () => -1e-4);
    expect(compareWithGeneration([...sure, -1, -1, -1, -1.3], [...sure, -1, -1, -1, -1.1]).agreement).toBe('agrees');
  });

  it('are told apart by what noise cannot do: a scale, a side, digits that are cut, one token of another value', () => {
    const generated = Array.from({ length: 60 }, (_, index) => -0.3 - ((index * 7) % 11) / 3);
    const named = (of: (value: number, index: number) => number) =>
      compareWithGeneration(generated.map(of), generated).agreement;
    expect(named((value) => value / 0.97)).toBe('scaled');
    expect(named((value) => value - 0.015)).toBe('differs');
    expect(named((value) => Math.round(value * 10) / 10)).toBe('rounded');
    expect(named((value) => Math.round(value * 1000) / 1000)).toBe('rounded');
    expect(named((value) => 1.001 * value)).toBe('scaled');
    expect(named((value) => value - 1e-4)).toBe('differs');
    expect(named((value, index) => (index === 40 ? value - 0.4 : value))).toBe('differs');
    // Four tenths may be chance.
    const few = [-0.31, -1.31, -2.28, -3.29];
    const tenths = (of: readonly number[]) => of.map((value) => Math.round(value * 10) / 10);
    expect(compareWithGeneration(tenths(few), few).agreement).not.toBe('rounded');
    expect(compareWithGeneration(tenths([...few, -1.28]), [...few, -1.28]).agreement).toBe('rounded');
  });

  it('are the same under noise as real engines have it: small on each token, and a step of rounded logits now and then', () => {
    // A normal deviate from a generator of this test's own.
    let state = 1;
    const chance = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state + 0.5) / 2 ** 32;
    };
    const normal = () => Math.sqrt(-2 * Math.log(chance())) * Math.cos(2 * Math.PI * chance());
    let refused = 0;
    for (let row = 0; row < 600; row++) {
      const generated = Array.from({ length: 20 + (row % 200) }, () => Math.log(chance()) * 0.8);
      const forced = generated.map((value) => {
        const step = chance() < 0.01 ? 0.125 * (chance() < 0.5 ? -1 : 1) : 0;
        return Math.min(-1e-9, value + 0.012 * normal() + step);
      });
      if (compareWithGeneration(forced, generated).agreement !== 'agrees') refused++;
    }
    expect(refused).toBeLessThanOrEqual(1);
  });

  it('have a slope and a difference over the tokens that generation found uncertain', () => {
    const check = compareWithGeneration([-0.5, -2, -0], [-0.5, -1, -0.05]);
    expect(check).toEqual({
      generated: expect.closeTo(-1.55, 12),
      agreement: 'differs',
      informative: 2,
      gg: 1.25,
      fg: 2.25,
      median: 1,
      largest: 1,
    });
  });

  it('say nothing of a scale where generation was certain throughout', () => {
    expect(compareWithGeneration([0, 0], [-0.01, 0])).toMatchObject({ agreement: 'agrees', informative: 0, gg: 0 });
  });
});
