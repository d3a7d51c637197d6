/** A judge that adds 0.15 to whoever stands first: the bias is 0.3, and is found within its interval. */

import { expect, it } from 'vitest';
import { positionBiases } from '../../src/datasets/position-bias.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

const judged = (push: number, seed: number) => {
  const random = randomSource(seed, 1);
  const noise = () => (push === 0 ? 0 : 0.05 * random.normal());
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  return new Map(
    Array.from({ length: 120 }, (_, i) => {
      const preference = 0.5 + 0.1 * random.normal();
      return [`q${i}`, [[clip(preference + push + noise()), clip(preference - push + noise())] as const]] as const;
    }),
  );
};

it('finds the push, whatever the policies are worth', () => {
  let held = 0;
  for (let seed = 0; seed < 100; seed++) {
    const [found] = positionBiases(new Map([['p1', judged(0.15, seed)]]));
    expect(found).toMatchObject({ policy: 'p1', prompts: 120 });
    expect(found!.consistent).toBeLessThan(0.4);
    if (found!.lower <= 0.3 && 0.3 <= found!.upper) held++;
  }
  expect(held).toBeGreaterThanOrEqual(88);
  const [fair] = positionBiases(new Map([['p1', judged(0, 1)]]));
  expect(fair).toMatchObject({ bias: 0, lower: 0, upper: 0, consistent: 1, consistentLower: 1, consistentUpper: 1 });
});

it('by hand: a prompt with two answers counts once', () => {
  const orders = new Map([
    ['a', [[1, 0] as const, [1, 1] as const]],
    ['b', [[0.5, 0.5] as const]],
  ]);
  const [found] = positionBiases(new Map([['p1', orders]]));
  // Prompt means: bias ½ and 0, same in both orders ½ and 1.
  expect(found).toMatchObject({ prompts: 2, bias: 0.25, consistent: 0.75 });
  // A standard error of ¼ for both, and Student's quantile with one degree of freedom; a share stays one.
  expect(found!.lower).toBeCloseTo(0.25 - 12.7062 / 4, 4);
  expect(found!.upper).toBeCloseTo(0.25 + 12.7062 / 4, 4);
  expect(found).toMatchObject({ consistentLower: 0, consistentUpper: 1 });
  // Of one prompt nothing is known: the widest that there is.
  const [alone] = positionBiases(new Map([['p1', new Map([['a', [[1, 0] as const]]])]]));
  expect(alone).toMatchObject({ prompts: 1, bias: 1, consistent: 0, consistentLower: 0, consistentUpper: 1 });
  expect(alone!.lower).toBeCloseTo(1 - 12.7062, 4);
});
