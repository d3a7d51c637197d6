import { describe, expect, test } from 'vitest';
import {
  bettingInterval,
  hashedOrder,
  type NonInferiorityOptions,
  nonInferiorityStep,
  type SequentialState,
  UNDECIDED,
} from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

const sample = (seed: number, size: number, draw: (random: ReturnType<typeof randomSource>) => number) => {
  const random = randomSource(seed, 0);
  return Array.from({ length: size }, () => draw(random));
};

describe('an interval by betting', () => {
  test('two values by hand: which means are ruined', () => {
    // α = 0.5: capital must reach 2 · 2 = 4. Bets √(2 ln 4/(σ̂² 2)): σ̂² ¼, then (¼ + (1 − ¾)²)/2 = 5/32; both above ½/μ for μ above 0.22.
    // There K⁺ = (1 + (1 − μ)/(2μ))² reaches 4 where μ ≤ ⅓; below, larger bets are capped alike.
    const [low, high] = bettingInterval([1, 1], { alpha: 0.5, horizon: 'fixed' });
    expect(low).toBeCloseTo(1 / 3, 2);
    expect(low).toBeLessThanOrEqual(1 / 3);
    expect(high).toBe(1);
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

describe('sequential non-inferiority', () => {
  const options: NonInferiorityOptions = { margin: 0.05, alpha: 0.05 };
  const run = (differences: readonly number[], from: SequentialState = UNDECIDED, of = options) =>
    differences.reduce((state, d) => nonInferiorityStep(state, d, of), from);

  test('two prompts by hand', () => {
    // μ₀ 0.475; before any value μ̂ ½ and σ̂² ¼: λ = 0.025/0.250625. X = 1: ln(1 + λ · 0.525); no bet on fail.
    const first = run([1]);
    const bet = 0.025 / 0.250625;
    expect(first.logPass).toBeCloseTo(Math.log(1 + bet * 0.525), 14);
    expect(first.logFail).toBe(0);
    // Then μ̂ ¾, σ̂² (¼ + 1/16)/2, distance 0.275. X = 0.25 for D = −½.
    const second = run([1, -0.5]);
    const next = 0.275 / (0.15625 + 0.275 ** 2);
    expect(next).toBeGreaterThan(0.5 / 0.475);
    expect(second.logPass).toBeCloseTo(first.logPass + Math.log(1 + (0.5 / 0.475) * (0.25 - 0.475)), 14);
  });

  test('goes on from where it stopped, in any parts', () => {
    const differences = sample(3, 60, (r) => 0.4 * (r.uniform() - 0.5));
    const whole = run(differences);
    expect(run(differences.slice(17), JSON.parse(JSON.stringify(run(differences.slice(0, 17)))))).toEqual(whole);
    expect(() => nonInferiorityStep(UNDECIDED, 1.5, options)).toThrow(RangeError);
  });

  test('a verdict stays', () => {
    const passed = run(Array(200).fill(0.5));
    expect(passed.verdict).toBe('pass');
    expect(run([-1, -1, -1], passed)).toBe(passed);
    expect(run(Array(200).fill(-0.5)).verdict).toBe('fail');
  });

  test.each([
    ['spread of 0.2', (r: ReturnType<typeof randomSource>) => Math.max(-1, Math.min(1, -0.05 + 0.2 * r.normal()))],
    [
      'binary labels, 90 against 95 %',
      (r: ReturnType<typeof randomSource>) => (r.uniform() < 0.9 ? 1 : 0) - (r.uniform() < 0.95 ? 1 : 0),
    ],
  ])('at the margin itself passes in at most α of all cases, with a look after every prompt: %s', (_, draw) => {
    let passed = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = randomSource(seed, 5);
      let state = UNDECIDED;
      for (let i = 0; i < 1000 && state.verdict === 'continue'; i++)
        state = nonInferiorityStep(state, draw(random), options);
      if (state.verdict === 'pass') passed++;
    }
    // 5 % of 300 is 15; above 26 with chance below 0.5 %.
    expect(passed).toBeLessThanOrEqual(26);
  });

  test('equal policies pass within 500 prompts', () => {
    let passed = 0;
    for (let seed = 0; seed < 100; seed++) {
      if (run(sample(seed, 500, (r) => Math.max(-1, Math.min(1, 0.2 * r.normal())))).verdict === 'pass') passed++;
    }
    expect(passed).toBeGreaterThanOrEqual(95);
  });

  test('prompts come in the order of a hash, whatever the order of the file', () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const order = hashedOrder(ids, 1);
    expect(hashedOrder([...ids].reverse(), 1)).toEqual(order);
    expect(order).not.toEqual(ids);
    expect([...order].sort()).toEqual([...ids].sort());
    expect(hashedOrder(ids, 2)).not.toEqual(order);
  });
});
