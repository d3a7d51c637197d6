import { hashedOrder } from '../data/folds.ts';
import type { OwnLabels } from '../study/computation.ts';
import { type Bounds, bettingInterval } from './betting.ts';

/**
 * The interval of a policy's mean label by bets on its own labels, prompt by prompt in the order of a hash of their ids
 * (Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686). It takes for granted that labels lie in [0, 1] and are a random
 * sample of the policy's responses, or one of known probabilities; no normal law, and no smallest number of them. A
 * prompt's value is the mean of its labels by their weights 1/π, and its bet the share that its weight is of the largest
 * prompt's, so that the mean is one over responses.
 *
 * The judge is left out: with predictions the values are Y − λ(f − E f), which may be as far apart as 1 + λ, and up to 100
 * labels the bets on them say less than those on the labels alone, for a good judge too.
 */
export function labelBettingInterval({ promptIds, labels, weights, seed }: OwnLabels, alpha: number): Bounds {
  const byPrompt = new Map<string, { weight: number; sum: number }>();
  promptIds.forEach((id, i) => {
    const weight = weights === null ? 1 : weights[i]!;
    const before = byPrompt.get(id) ?? { weight: 0, sum: 0 };
    byPrompt.set(id, { weight: before.weight + weight, sum: before.sum + weight * labels[i]! });
  });
  const prompts = hashedOrder([...byPrompt.keys()], seed).map((id) => byPrompt.get(id)!);
  const largest = Math.max(...prompts.map(({ weight }) => weight));
  return bettingInterval(
    // A mean of labels may leave [0, 1] by a rounding.
    prompts.map(({ weight, sum }) => Math.min(sum / weight, 1)),
    { alpha, horizon: 'fixed', shares: prompts.map(({ weight }) => weight / largest) },
  );
}

/** Smallest level that is looked for. */
const SMALLEST_P = 1e-6;
const HALVINGS = 20;

/**
 * The difference of two such means, however their labels depend on each other: each level at α/2. p is the level from which on the
 * interval leaves 0 out, 10⁻⁶ at the least.
 */
export function bettingDifference(
  a: OwnLabels,
  b: OwnLabels,
  alpha: number,
): { readonly interval: Bounds; readonly pValue: number } {
  const at = (level: number): Bounds => {
    const [x, y] = [labelBettingInterval(a, level / 2), labelBettingInterval(b, level / 2)];
    return [x[0] - y[1], x[1] - y[0]];
  };
  const leavesOutZero = ([low, high]: Bounds) => low > 0 || high < 0;
  let [open, out] = [SMALLEST_P, 1];
  if (leavesOutZero(at(open))) return { interval: at(alpha), pValue: open };
  for (let i = 0; i < HALVINGS; i++) {
    const middle = Math.sqrt(open * out);
    if (leavesOutZero(at(middle))) out = middle;
    else open = middle;
  }
  return { interval: at(alpha), pValue: out };
}
