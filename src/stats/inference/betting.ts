/**
 * Inference on the mean of bounded values by betting (Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686): a gambler who bets
 * against a mean that is the true one gets rich with chance α at most, however often anyone looks (Ville). No normal
 * approximation, and no sample size fixed beforehand.
 */

/** What values can be at the utmost; a bet may lose no more than it has. */
export type Bounds = readonly [low: number, high: number];

/** Mean and variance that the next bet may know of: of the values seen, and one more that is taken for granted. */
export interface Seen {
  readonly count: number;
  readonly sum: number;
  /** Σ (X_i − μ̂_i)², each about the mean known after it, and times the share that is bet on it. */
  readonly squares: number;
}

/** The value taken for granted. */
export interface Prior {
  readonly mean: number;
  readonly variance: number;
}

export const NOTHING_SEEN: Seen = { count: 0, sum: 0, squares: 0 };

export const varianceOf = ({ count, squares }: Seen, prior: Prior) => (prior.variance + squares) / (count + 1);

export function saw({ count, sum, squares }: Seen, x: number, prior: Prior, share = 1): Seen {
  const mean = (prior.mean + sum + x) / (count + 2);
  return { count: count + 1, sum: sum + x, squares: squares + (share * (x - mean)) ** 2 };
}

interface IntervalOptions {
  readonly alpha: number;
  /** `fixed`: bets sized for just these values. `sequence`: for values that go on, the interval holding at every one of them. */
  readonly horizon: 'fixed' | 'sequence';
  /** The share of a whole bet that goes on each value, in (0, 1]; absent for 1. The mean is then the one with E[s (X − μ)] = 0. */
  readonly shares?: ArrayLike<number>;
}

/** Bets lose at most this share of what they have. */
export const MOST_AT_STAKE = 0.95;
/** The value taken for granted: ½, give or take ½. */
const PRIOR: Prior = { mean: 0.5, variance: 0.25 };
/** Halvings of the range in which an end of the interval is looked for. */
const HALVINGS = 30;

/**
 * The interval of means that no bet has ruined (hedged capital, Theorem 3). K±(μ) = Π (1 ± λ±_i s_i (X_i − μ)) with predictable
 *
 *   λ_i = √(2 ln(2/α)/(σ̂²_{i−1} m)), for a sequence √(2 ln(2/α)/(σ̂²_{i−1} i ln(1 + i))),
 *   λ⁺ = min(λ, 0.95/(s μ)), λ⁻ = min(λ, 0.95/(s (1 − μ)));
 *
 * a mean is out where max(½K⁺, ½K⁻) reached 1/α at any time. K⁺ falls and K⁻ rises with μ, so each end is found by halving, to one
 * part in 2³⁰. [0, 1] without values.
 *
 * @param values in [0, 1], in an order that does not depend on them. @throws RangeError for one outside.
 *
 * @example
 * bettingInterval([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], { alpha: 0.05, horizon: 'sequence' })[1] // 1
 */
export function bettingInterval(
  values: ArrayLike<number>,
  { alpha, horizon, shares = new Float64Array(values.length).fill(1) }: IntervalOptions,
): Bounds {
  const bound = Math.log(2 / alpha);
  const bets = new Float64Array(values.length);
  let seen = NOTHING_SEEN;
  for (let i = 0; i < bets.length; i++) {
    const x = values[i]!;
    if (!(x >= 0 && x <= 1)) throw new RangeError(`value ${i} is ${x}, outside [0, 1]`);
    const size = horizon === 'fixed' ? bets.length : (i + 1) * Math.log(i + 2);
    bets[i] = Math.sqrt((2 * bound) / (varianceOf(seen, PRIOR) * size));
    seen = saw(seen, x, PRIOR, shares[i]!);
  }
  /** Whether the bets that the mean lies above μ (`side` 1), or below, ever got rich. */
  const ruined = (mean: number, side: 1 | -1): boolean => {
    const most = MOST_AT_STAKE / (side === 1 ? mean : 1 - mean);
    let capital = 0;
    for (let i = 0; i < bets.length; i++) {
      capital += Math.log1p(side * Math.min(bets[i]! * shares[i]!, most) * (values[i]! - mean));
      if (capital >= bound) return true;
    }
    return false;
  };
  const [from, to] = [outermost(0, 1, (mean) => ruined(mean, 1)), outermost(1, 0, (mean) => ruined(mean, -1))];
  // Every mean ruined, which chance allows: the values then say nothing that could be told.
  return from > to ? [0, 1] : [from, to];
}

/** The mean furthest inside that is still ruined, where those next to `outer` are; `outer` where none is. */
function outermost(outer: number, inner: number, ruined: (mean: number) => boolean): number {
  let [out, within] = [outer, inner];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (out + within) / 2;
    if (ruined(middle)) out = middle;
    else within = middle;
  }
  return out;
}
