import { studentQuantile } from '../numeric/special-functions.ts';
import type { LabelBets, LabelledPrompt } from '../study/label-bets.ts';
import { type Bounds, bettingEnd, type Wager } from './betting.ts';

/** Prompts of which a mean prediction is normal, whatever its law. */
const PROMPTS_TO_BE_NORMAL = 200;
/** The part of α that the mean prediction may use up. */
const PREDICTION_PART = 0.1;

/**
 * The interval of a mean with own labels, by bets on the labels in turn (Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686):
 *
 *   Z_i = Y_i − λ_i (f_i − c),  c = E f(S′),  λ_i known before label i
 *
 * has mean θ whatever the judge does, and lies in [−λ(b − c), 1 + λ(c − a)] for predictions in [a, b]. c is known to an interval at α/10 (Student's of
 * the mean prediction from 200 prompts on, by betting below), the bets have the other 9α/10; each end of θ is taken at the end of c that
 * favours it. Without predictions, a = b or λ = 0, all of α is for the labels. No normal law of the labels, and no smallest number of them.
 */
export function labelBettingInterval(bets: LabelBets, alpha: number): Bounds {
  const { prompts, range } = bets;
  const judged = range[0] < range[1] && prompts.some(({ judgeWeight }) => judgeWeight > 0);
  const part = judged ? PREDICTION_PART * alpha : 0;
  const [least, most] = judged ? meanPredictionBounds(bets, part) : range;
  const options = { alpha: alpha - part, horizon: 'fixed' } as const;
  const [from, to] = [
    bettingEnd(wagersAt(prompts, range, least), 'lower', options),
    bettingEnd(wagersAt(prompts, range, most), 'upper', options),
  ];
  return from > to ? [0, 1] : [from, to];
}

function wagersAt(prompts: readonly LabelledPrompt[], [a, b]: Bounds, c: number): Wager[] {
  return prompts.map(({ label, prediction, judgeWeight, share }) => {
    const lambda = a < b ? judgeWeight : 0;
    const bounds: Bounds = [-lambda * (b - c), 1 + lambda * (c - a)];
    // A sum may leave its bounds by a rounding.
    const value = Math.min(Math.max(label - lambda * (prediction - c), bounds[0]), bounds[1]);
    return { value, bounds, share };
  });
}

function meanPredictionBounds({ predictions, range: [a, b], meanPrediction }: LabelBets, alpha: number): Bounds {
  const held = (value: number) => Math.min(Math.max(value, a), b);
  if (predictions.length >= PROMPTS_TO_BE_NORMAL) {
    const { value, standardError, degreesOfFreedom } = meanPrediction;
    const half = studentQuantile(1 - alpha / 2, degreesOfFreedom) * standardError;
    return [held(value - half), held(value + half)];
  }
  const wagers = predictions.map(
    ({ value, share }): Wager => ({ value: (held(value) - a) / (b - a), bounds: [0, 1], share }),
  );
  const options = { alpha, horizon: 'fixed' } as const;
  return [a + (b - a) * bettingEnd(wagers, 'lower', options), a + (b - a) * bettingEnd(wagers, 'upper', options)];
}

/** Smallest level that is looked for. */
const SMALLEST_P = 1e-6;
const HALVINGS = 20;

/**
 * The difference of two such means, however their labels depend on each other: each level at α/2. p is the level from which on the
 * interval leaves 0 out, 10⁻⁶ at the least.
 */
export function bettingDifference(
  a: LabelBets,
  b: LabelBets,
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
