/** Intervals of the law that sampled, against distributions that are exactly known. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRecoverable, type SamplingLaw, sumAsSampled } from '../../src/teacher-forcing/as-sampled.ts';

/** Of one token: what it can be, or why nothing tells. */
function logprobAsSampled(logprob: number, told: readonly number[] | null, asked: number, law: SamplingLaw) {
  const sum = sumAsSampled([logprob], [told], asked, law);
  if (sum.status !== 'ok') return sum;
  return { status: sum.status, lower: sum.logprob - sum.bound, upper: sum.logprob + sum.bound };
}

/** Log probabilities of a vocabulary, from any scores. */
function lawOf(scores: readonly number[]): number[] {
  const most = Math.max(...scores);
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) + most;
  return scores.map((score) => score - total);
}

const likeliest = (law: readonly number[], count: number): number[] => [...law].sort((a, b) => b - a).slice(0, count);

const scores = fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 8, maxLength: 120 });

describe('a value at another temperature', () => {
  it('lies within its interval, whatever the law and however few alternatives are told', () => {
    fc.assert(
      fc.property(
        scores,
        fc.nat(),
        fc.integer({ min: 2, max: 8 }),
        fc.constantFrom(0.1, 0.3, 0.5, 0.7, 0.9),
        fc.boolean(),
        fc.nat(3),
        (all, at, asked, temperature, isAdded, lost) => {
          const law = lawOf(all);
          const own = law[at % law.length]!;
          // Tokens that look alike fall together, so that some are lost.
          const told = likeliest(law, asked).filter((_, index) => index !== lost);
          // Some servers add the token itself where it is not among them.
          const found = logprobAsSampled(own, isAdded && own < (told.at(-1) ?? 0) ? [...told, own] : told, asked, {
            temperature,
            topP: 1,
          });
          const exact = lawOf(law.map((value) => value / temperature))[at % law.length]!;
          expect(found.status).toBe('ok');
          if (found.status !== 'ok') return;
          expect(found.lower).toBeLessThanOrEqual(exact + 1e-9);
          expect(found.upper).toBeGreaterThanOrEqual(exact - 1e-9);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is nearly exact where the likeliest tokens are nearly all', () => {
    const law = lawOf(Array.from({ length: 1000 }, (_, index) => -0.4 * index));
    const found = logprobAsSampled(law[2]!, likeliest(law, 20), 20, { temperature: 0.5, topP: 1 });
    expect(found.status === 'ok' && found.upper - found.lower).toBeLessThan(1e-5);
  });
});

describe('a value at another temperature, by hand', () => {
  // At ½ each probability counts by its square, and by its share of the squares of all.
  const own = Math.log(0.5);
  const at = (told: readonly number[], asked: number, temperature = 0.5, logprob = own) =>
    logprobAsSampled(logprob, told.map(Math.log), asked, { temperature, topP: 1 });
  /** The largest that the sum can be: by what is told, by what is left, and by the rounding of both. */
  const expectBounds = (found: ReturnType<typeof at>, least: number, most: number, temperature = 0.5) => {
    const slack = 1e-6 / temperature;
    if (found.status !== 'ok') throw new Error(found.status);
    expect(found.upper).toBeCloseTo(Math.log(0.5) / temperature - Math.log(least) + slack, 10);
    expect(found.lower).toBeCloseTo(Math.log(0.5) / temperature - Math.log(most) - slack, 10);
  };
  const left = (probability: number, power = 2) => (probability + 1e-6) ** power;

  it('what is left is no likelier than the least that is told, where all that were asked for came', () => {
    // 0.2 is left: all of it one token.
    expectBounds(at([0.5, 0.3], 2), 0.34, 0.34 + left(0.2));
    // 0.4 is left, in tokens of 0.1 at the most.
    expectBounds(at([0.5, 0.1], 2), 0.26, 0.26 + (0.4 + 1e-6) * 0.1);
    // One of three did not come, and may be the likelier one.
    expectBounds(at([0.5, 0.1], 3), 0.26, 0.26 + left(0.4));
    // The token is the least: it may have been added to one that came alone.
    expectBounds(at([0.5], 1), 0.25, 0.25 + left(0.5));
  });

  it('a token that is not told counts beside those that are', () => {
    expectBounds(at([0.3, 0.1], 2), 0.35, 0.35 + (0.1 + 1e-6) * 0.1);
  });

  it('where all is told a rounding may still be left', () => {
    expectBounds(at([0.5, 0.5], 2, 0.8), 2 * 0.5 ** 1.25, 2 * 0.5 ** 1.25 + left(0, 1.25), 0.8);
    // A sum above one leaves nothing.
    expectBounds(at([0.5, 0.50001], 2, 0.8), 0.5 ** 1.25 + 0.50001 ** 1.25, 0.5 ** 1.25 + 0.50001 ** 1.25, 0.8);
  });
});

describe('a value within a nucleus', () => {
  const law = [0.5, 0.3, 0.15, 0.05].map(Math.log);
  const within = (own: number, topP: number, told = law) =>
    logprobAsSampled(law[own]!, told, told.length, { temperature: 1, topP });

  it('is divided by what the nucleus comes to', () => {
    const found = within(1, 0.75);
    expect(found).toMatchObject({ status: 'ok' });
    if (found.status !== 'ok') return;
    expect(found.lower).toBeCloseTo(Math.log(0.3 / 0.8), 9);
    expect(found.upper).toBeCloseTo(Math.log(0.3 / 0.8), 9);
  });

  it('is divided by one token more or fewer, where rounding hides which is the last', () => {
    // 0.5 + 0.3 is the nucleus of 0.8, or all but the last token are.
    const sum = sumAsSampled([law[0]!], [law], 4, { temperature: 1, topP: 0.8 });
    expect(sum).toEqual({
      status: 'ok',
      logprob: expect.closeTo((Math.log(0.5 / 0.8) + Math.log(0.5 / 0.95)) / 2, 9),
      bound: expect.closeTo(Math.log(0.95 / 0.8) / 2, 9),
    });
  });

  it('has no number outside of it, at its very edge, or where it is not all told', () => {
    expect(within(2, 0.75)).toEqual({ status: 'outside_nucleus' });
    expect(within(2, 0.8)).toEqual({ status: 'no_alternatives' });
    expect(within(0, 0.97, law.slice(0, 3))).toEqual({ status: 'no_alternatives' });
  });
});

it('has no number where no alternatives came', () => {
  const law = { temperature: 0.5, topP: 1 };
  for (const none of [[], null]) {
    expect(logprobAsSampled(-1, none, 3, law)).toEqual({ status: 'no_alternatives' });
  }
  expect(sumAsSampled([-1, -1], [[-1, -2, -3]], 3, law)).toEqual({ status: 'no_alternatives' });
  expect(sumAsSampled([-1], undefined, 3, law)).toEqual({ status: 'no_alternatives' });
});

it('is recovered at lower temperatures, or by top_p alone', () => {
  const laws = [
    [1, 1],
    [0.5, 1],
    [0, 1],
    [1.5, 1],
    [1, 0.9],
    [0.5, 0.9],
  ] as const;
  expect(laws.map(([temperature, topP]) => isRecoverable({ temperature, topP }))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});
