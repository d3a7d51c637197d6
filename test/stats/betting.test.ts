import { describe, expect, test } from 'vitest';
import { bettingInterval } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

const sample = (seed: number, size: number, draw: (random: ReturnType<typeof randomSource>) => number) => {
  const random = randomSource(seed, 0);
  return Array.from({ length: size }, () => draw(random));
};

describe('an interval by betting', () => {
  test('two values by hand: which means are ruined', () => {
    // α = 0.5: capital must reach 2 · 2 = 4. Bets √(2 ln 4/(σ̂² 2)): σ̂² ¼, then (¼ + (1 − ¾)²)/2 = 5/32: 2.35 and 2.98,
    // both above 0.95/μ for μ above 0.41. There K⁺ = (1 + 0.95 (1 − μ)/μ)² reaches 4 where μ ≤ 0.95/1.95; below, larger
    // bets are capped alike.
    const [low, high] = bettingInterval([1, 1], { alpha: 0.5, horizon: 'fixed' });
    expect(low).toBeCloseTo(0.95 / 1.95, 8);
    expect(high).toBe(1);
  });

  test.each(['fixed', 'sequence'] as const)(
    'either end is the last mean that a bet by the formula has ruined: %s',
    (horizon) => {
      const alpha = 0.1;
      const values = sample(7, 25, (r) => 0.2 + 0.5 * r.uniform());
      const shares = sample(8, 25, (r) => 0.3 + 0.7 * r.uniform());
      const [low, high] = bettingInterval(values, { alpha, horizon, shares });
      const richest = (mean: number, side: 1 | -1) => {
        // ½ and ¼ are taken for granted beside what was seen.
        let [sum, squares, capital, most] = [0.5, 0.25, 1, 1];
        values.forEach((x, i) => {
          const size = horizon === 'fixed' ? 25 : (i + 1) * Math.log(1 + (i + 1));
          const bet = Math.sqrt((2 * Math.log(2 / alpha)) / ((squares / (i + 1)) * size));
          const cap = 0.95 / (side === 1 ? mean : 1 - mean);
          capital *= 1 + side * Math.min(bet * shares[i]!, cap) * (x - mean);
          most = Math.max(most, capital);
          sum += x;
          squares += (shares[i]! * (x - sum / (i + 2))) ** 2;
        });
        return most;
      };
      expect(low).toBeGreaterThan(0.1);
      expect(high).toBeLessThan(0.9);
      expect(richest(low, 1)).toBeCloseTo(2 / alpha, 5);
      expect(richest(high, -1)).toBeCloseTo(2 / alpha, 5);
    },
  );

  test('values that ruin every mean say nothing', () => {
    // α = ½: a first 1 ruins what lies below 0.24, where 1 + 0.95 (1 − μ)/μ is 4; sixty times 0 ruin all above.
    const zeros = Array<number>(60).fill(0);
    const options = { alpha: 0.5, horizon: 'sequence' } as const;
    expect(bettingInterval([1], options)[0]).toBeCloseTo(0.95 / 3.95, 8);
    expect(bettingInterval([0.2, ...zeros], options)[1]).toBeLessThan(0.2);
    expect(bettingInterval([1, ...zeros], options)).toEqual([0, 1]);
  });

  test('mirrored values give the mirrored interval; none give all', () => {
    const values = sample(1, 40, (r) => r.uniform() ** 2);
    for (const horizon of ['fixed', 'sequence'] as const) {
      const [low, high] = bettingInterval(values, { alpha: 0.05, horizon });
      const [mirroredLow, mirroredHigh] = bettingInterval(
        values.map((x) => 1 - x),
        { alpha: 0.05, horizon },
      );
      expect([mirroredLow, mirroredHigh]).toEqual([expect.closeTo(1 - high, 9), expect.closeTo(1 - low, 9)]);
    }
    expect(bettingInterval([], { alpha: 0.05, horizon: 'fixed' })).toEqual([0, 1]);
    expect(() => bettingInterval([0.5, 1.01], { alpha: 0.05, horizon: 'fixed' })).toThrow(RangeError);
  });

  test('more confidence is wider, more values are narrower', () => {
    const values = sample(2, 400, (r) => (r.uniform() < 0.9 ? 1 : 0));
    const width = (size: number, alpha: number) => {
      const [low, high] = bettingInterval(values.slice(0, size), { alpha, horizon: 'fixed' });
      return high - low;
    };
    expect(width(100, 0.01)).toBeGreaterThan(width(100, 0.05));
    expect(width(400, 0.05)).toBeLessThan(0.65 * width(100, 0.05));
  });

  test('holds the mean of ten labels of a quantity at 95 %, where a normal one does in half of the cases', () => {
    let held = 0;
    for (let seed = 0; seed < 400; seed++) {
      const [low, high] = bettingInterval(
        sample(seed, 10, (r) => (r.uniform() < 0.95 ? 1 : 0)),
        { alpha: 0.05, horizon: 'fixed' },
      );
      if (low <= 0.95 && 0.95 <= high) held++;
    }
    expect(held / 400).toBeGreaterThanOrEqual(0.95);
  });

  test('a sequence holds at every look together', () => {
    let lost = 0;
    for (let seed = 0; seed < 100; seed++) {
      const values = sample(seed, 200, (r) => (r.uniform() < 0.3 ? 1 : 0));
      for (let size = 5; size <= 200; size += 15) {
        const [low, high] = bettingInterval(values.slice(0, size), { alpha: 0.1, horizon: 'sequence' });
        if (low > 0.3 || high < 0.3) {
          lost++;
          break;
        }
      }
    }
    expect(lost).toBeLessThanOrEqual(18);
  });
});
