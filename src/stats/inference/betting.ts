/**
 * Inference on the mean of bounded values by betting (Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686): a gambler who bets
 * against a mean that is the true one gets rich with chance α at most, however often anyone looks (Ville). No normal
 * approximation, and no sample size fixed beforehand.
 */

/** Mean and variance that the next bet may know of: of the values seen, with one more at ½ and of variance ¼. */
export interface Seen {
  readonly count: number;
  readonly sum: number;
  /** Σ (X_i − μ̂_i)², each about the mean known after it. */
  readonly squares: number;
}

const NOTHING_SEEN: Seen = { count: 0, sum: 0, squares: 0 };

const meanOf = ({ count, sum }: Seen) => (0.5 + sum) / (count + 1);
const varianceOf = ({ count, squares }: Seen) => (0.25 + squares) / (count + 1);

function saw({ count, sum, squares }: Seen, x: number): Seen {
  const next = { count: count + 1, sum: sum + x, squares };
  return { ...next, squares: squares + (x - meanOf(next)) ** 2 };
}

interface IntervalOptions {
  readonly alpha: number;
  /** Bets are at most this share of what can be lost; below 1. */
  readonly share?: number;
  /** `fixed`: bets sized for just these values. `sequence`: for values that go on, the interval holding at every one of them. */
  readonly horizon: 'fixed' | 'sequence';
}

/** Means tried, from 0 to 1. */
const GRID = 2000;

/**
 * The interval of means that no bet has ruined (hedged capital, Theorem 3). K±(μ) = Π (1 ± λ±_i (X_i − μ)) with predictable
 *
 *   λ_i = √(2 ln(2/α)/(σ̂²_{i−1} m)), for a sequence √(2 ln(2/α)/(σ̂²_{i−1} i ln(1 + i))),
 *   λ⁺ = min(λ, c/μ), λ⁻ = min(λ, c/(1 − μ));
 *
 * a mean is out where max(½K⁺, ½K⁻) reached 1/α at any time. On a grid of 1/2,000, widened by one step; [0, 1] without values.
 *
 * @param values in [0, 1], in an order that does not depend on them. @throws RangeError for one outside.
 *
 * @example
 * bettingInterval([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], { alpha: 0.05, horizon: 'fixed' }) // [0.528,1]
 */
export function bettingInterval(
  values: ArrayLike<number>,
  { alpha, share = 0.5, horizon }: IntervalOptions,
): readonly [low: number, high: number] {
  const bets = betsOf(values, alpha, horizon);
  const bound = Math.log(2 / alpha);
  const survives = (mean: number): boolean => {
    let [up, down] = [0, 0];
    for (let i = 0; i < bets.length; i++) {
      const x = values[i]! - mean;
      const [rising, falling] = [Math.min(bets[i]!, share / mean), Math.min(bets[i]!, share / (1 - mean))];
      up += Math.log1p(rising * x);
      down += Math.log1p(-falling * x);
      if (up >= bound || down >= bound) return false;
    }
    return true;
  };
  let [low, high] = [0, GRID];
  while (low <= GRID && !survives(low / GRID)) low++;
  while (high > low && !survives(high / GRID)) high--;
  // Every mean ruined, which chance allows: the values then say nothing that could be told.
  if (low > GRID) return [0, 1];
  return [Math.max(low - 1, 0) / GRID, Math.min(high + 1, GRID) / GRID];
}

function betsOf(values: ArrayLike<number>, alpha: number, horizon: IntervalOptions['horizon']): Float64Array {
  const bets = new Float64Array(values.length);
  let seen = NOTHING_SEEN;
  for (let i = 0; i < bets.length; i++) {
    const x = values[i]!;
    if (!(x >= 0 && x <= 1)) throw new RangeError(`value ${i} is ${x}, outside [0, 1]`);
    const size = horizon === 'fixed' ? bets.length : (i + 1) * Math.log(i + 2);
    bets[i] = Math.sqrt((2 * Math.log(2 / alpha)) / (varianceOf(seen) * size));
    seen = saw(seen, x);
  }
  return bets;
}

export interface NonInferiorityOptions {
  /** Tolerable loss δ of the candidate, in label units, fixed beforehand. */
  readonly margin: number;
  readonly alpha: number;
  readonly share?: number;
}

/** A sequential test as plain data: a later build goes on from it, and never starts again. */
export interface SequentialState {
  readonly seen: Seen;
  /** ln K⁺ and ln K⁻. */
  readonly logPass: number;
  readonly logFail: number;
  readonly verdict: 'pass' | 'fail' | 'continue';
}

export const UNDECIDED: SequentialState = { seen: NOTHING_SEEN, logPass: 0, logFail: 0, verdict: 'continue' };

/**
 * One more prompt of a sequential test of non-inferiority. D ∈ [−1, 1] is the candidate's label less the baseline's on it;
 * X = (D + 1)/2 and μ₀ = (1 − δ)/2.
 *
 *   pass: Π (1 + λ_i (X_i − μ₀)) ≥ 1/α refutes E D ≤ −δ;  fail: Π (1 − λ_i (X_i − μ₀)) ≥ 1/α refutes E D ≥ −δ
 *
 * with bets that the values before determine (aGRAPA): λ = clip((μ̂ − μ₀)/(σ̂² + (μ̂ − μ₀)²); 0, c/μ₀), mirrored for fail. Valid at every
 * look. A verdict stays.
 *
 * @example
 * nonInferiorityStep({ seen: { count: 0, sum: 0, squares: 0 }, logPass: 0, logFail: 0, verdict: 'continue' }, 1, { margin: 0.05, alpha: 0.05 }).verdict // "continue"
 */
export function nonInferiorityStep(
  state: SequentialState,
  difference: number,
  { margin, alpha, share = 0.5 }: NonInferiorityOptions,
): SequentialState {
  if (!(difference >= -1 && difference <= 1)) throw new RangeError(`a difference of ${difference} is outside [−1, 1]`);
  if (state.verdict !== 'continue') return state;
  const x = (difference + 1) / 2;
  const worst = (1 - margin) / 2;
  const distance = meanOf(state.seen) - worst;
  const bet = distance / (varianceOf(state.seen) + distance ** 2);
  const rising = Math.min(Math.max(bet, 0), share / worst);
  const falling = Math.min(Math.max(-bet, 0), share / (1 - worst));
  const logPass = state.logPass + Math.log1p(rising * (x - worst));
  const logFail = state.logFail + Math.log1p(-falling * (x - worst));
  const bound = Math.log(1 / alpha);
  const verdict = logPass >= bound ? 'pass' : logFail >= bound ? 'fail' : 'continue';
  return { seen: saw(state.seen, x), logPass, logFail, verdict };
}
