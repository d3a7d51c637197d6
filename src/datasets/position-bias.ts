/** Whether a pairwise judge minds who stands first. */

import { mean, standardErrorOfMean } from '../stats/numeric/moments.ts';
import { studentQuantile } from '../stats/numeric/special-functions.ts';
import type { PositionBias } from './results.ts';

type Orders = readonly (readonly [first: number, second: number])[];

/**
 * Each score is the preference for the policy, with it first and with it second. A judge that adds c to whoever stands first
 * has a bias of 2c; the mean of both orders, which is the score that is estimated from, has none.
 */
export function positionBiases(byPolicy: ReadonlyMap<string, ReadonlyMap<string, Orders>>): PositionBias[] {
  return [...byPolicy].map(([policy, byPrompt]) => {
    const prompts = [...byPrompt.values()];
    const bias = meanOverPrompts(prompts, ([first, second]) => first - second);
    const consistent = meanOverPrompts(prompts, ([first, second]) =>
      Math.sign(first - 0.5) === Math.sign(second - 0.5) ? 1 : 0,
    );
    return {
      policy,
      prompts: prompts.length,
      bias: bias.value,
      lower: bias.value - bias.half,
      upper: bias.value + bias.half,
      consistent: consistent.value,
      consistentLower: Math.max(0, consistent.value - consistent.half),
      consistentUpper: Math.min(1, consistent.value + consistent.half),
    };
  });
}

/** A mean over prompts of each prompt's mean, and half of its interval; with one prompt nothing is known of that. */
function meanOverPrompts(prompts: readonly Orders[], value: (orders: Orders[number]) => number) {
  const values = prompts.map((orders) => mean(orders.map(value)));
  const error = values.length > 1 ? standardErrorOfMean(values) : 1;
  return { value: mean(values), half: studentQuantile(0.975, Math.max(1, values.length - 1)) * error };
}
