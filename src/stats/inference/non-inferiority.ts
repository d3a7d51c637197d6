/**
 * A sequential test of non-inferiority by betting (Waudby-Smith and Ramdas, JRSS-B 2024, arXiv 2010.09686): whoever bets against
 * the truth gets rich with chance α at most, however often anyone looks (Ville), so that a test may stop whenever it is decided.
 */

import { type Bounds, MOST_AT_STAKE, NOTHING_SEEN, type Prior, type Seen, saw, varianceOf } from './betting.ts';

export interface NonInferiorityOptions {
  /** Tolerable loss δ of the candidate, in the units of the differences, fixed beforehand. */
  readonly margin: number;
  readonly alpha: number;
  /** [−1, 1] unless told. */
  readonly bounds?: Bounds;
  /** What E D is expected to lie off −δ before any difference is seen, on the side that a bet is for; 1.5 |δ| unless told. */
  readonly expected?: number;
}

/** Of a whole sequence: what each difference can be at the utmost; [−1, 1] unless told. */
interface SequenceOptions extends Omit<NonInferiorityOptions, 'bounds'> {
  readonly bounds?: readonly Bounds[];
}

/** A sequential test as plain data: a later look goes on from it, and never starts again. */
export interface SequentialState {
  readonly seen: Seen;
  /** ln K⁺ and ln K⁻. */
  readonly logPass: number;
  readonly logFail: number;
  readonly verdict: 'pass' | 'fail' | 'continue';
}

export const UNDECIDED: SequentialState = { seen: NOTHING_SEEN, logPass: 0, logFail: 0, verdict: 'continue' };

/** Before any difference is seen: none is expected, and one of about a half would not surprise. */
const PRIOR: Prior = { mean: 0, variance: 0.25 };

/** What E D is expected to lie off −δ, in margins; and as how many differences that counts. */
const EXPECTED = 1.5;
const EXPECTED_WEIGHT = 10;

/**
 * One more prompt. D ∈ [L, U] is the candidate's value less the baseline's on it.
 *
 *   pass: Π (1 + b_i (D_i + δ)) ≥ 1/α refutes E D ≤ −δ;  fail: Π (1 − b_i (D_i + δ)) ≥ 1/α refutes E D ≥ −δ
 *
 * with bets that the differences before determine (aGRAPA): b = d/(σ̂² + d²), d = (10 · 1.5δ + Σ(D + δ))/(10 + n) at least
 * 0, not above 0.95/(−L − δ); and mirrored for fail, not above 0.95/(U + δ). What is expected of d keeps the first bets
 * from following chance: whatever it is, the test is valid, at every look. A verdict stays.
 *
 * @example
 * nonInferiorityStep({ seen: { count: 0, sum: 0, squares: 0 }, logPass: 0, logFail: 0, verdict: 'continue' }, 1, { margin: 0.05, alpha: 0.05 }).verdict // "continue"
 */
export function nonInferiorityStep(
  state: SequentialState,
  difference: number,
  { margin, alpha, bounds: [low, high] = [-1, 1], expected = EXPECTED * Math.abs(margin) }: NonInferiorityOptions,
): SequentialState {
  if (!(difference >= low && difference <= high)) {
    throw new RangeError(`a difference of ${difference} is outside [${low}, ${high}]`);
  }
  if (state.verdict !== 'continue') return state;
  const known = { margin, expected, variance: varianceOf(state.seen, PRIOR) };
  // Where even the worst difference is within the margin there is nothing to lose.
  const rising = Math.min(betOn(1, state.seen, known), MOST_AT_STAKE / Math.max(-low - margin, Number.EPSILON));
  const falling = Math.min(betOn(-1, state.seen, known), MOST_AT_STAKE / (high + margin));
  const logPass = state.logPass + Math.log1p(rising * (difference + margin));
  const logFail = state.logFail + Math.log1p(-falling * (difference + margin));
  const bound = Math.log(1 / alpha);
  const verdict = logPass >= bound ? 'pass' : logFail >= bound ? 'fail' : 'continue';
  return { seen: saw(state.seen, difference, PRIOR), logPass, logFail, verdict };
}

/** The bet on one side of −δ, d/(σ̂² + d²) with d the distance that is known or expected; never on the other side. */
function betOn(
  side: 1 | -1,
  { count, sum }: Seen,
  { margin, expected, variance }: { readonly margin: number; readonly expected: number; readonly variance: number },
): number {
  const seen = side * (sum + count * margin);
  const distance = Math.max((EXPECTED_WEIGHT * expected + seen) / (EXPECTED_WEIGHT + count), 0);
  return distance / (variance + distance ** 2);
}

/**
 * The verdict of all differences in turn, and the place of the one that decided, from 1; null while it is open.
 *
 * @example
 * nonInferiority(Array(30).fill(0.5), { margin: 0.05, alpha: 0.05 }).verdict // "pass"
 */
export function nonInferiority(
  differences: ArrayLike<number>,
  options: SequenceOptions,
): { readonly verdict: SequentialState['verdict']; readonly decidedAt: number | null } {
  let state = UNDECIDED;
  for (let i = 0; i < differences.length; i++) {
    state = nonInferiorityStep(state, differences[i]!, optionsAt(options, i));
    if (state.verdict !== 'continue') return { verdict: state.verdict, decidedAt: i + 1 };
  }
  return { verdict: 'continue', decidedAt: null };
}

const UNIT: Bounds = [-1, 1];
const optionsAt = ({ bounds, ...test }: SequenceOptions, i: number): NonInferiorityOptions => ({
  ...test,
  bounds: bounds?.[i] ?? UNIT,
});

/** Halvings of the range in which an end of the interval is looked for. */
const HALVINGS = 30;

/**
 * Bounds of E D that belong to the test, each at level α and at all looks together: the largest loss that is refuted as a
 * lower bound, and the smallest that would fail as an upper one. A test that passed has its margin below them, one that failed above.
 *
 * @example
 * differenceBounds([], { margin: 0.05, alpha: 0.05 }) // [-1,1]
 */
export function differenceBounds(differences: ArrayLike<number>, options: SequenceOptions): Bounds {
  // No difference of means lies beyond the scale, wherever single corrected ones do.
  const [low, high] = UNIT;
  // Bets against other means start from what the test expects.
  const { expected = EXPECTED * Math.abs(options.margin) } = options;
  const ever = (mean: number, verdict: 'pass' | 'fail') =>
    reaches(differences, { ...options, expected, margin: -mean }, verdict);
  const tested = -options.margin;
  // Looked for on the side where the test itself puts it, so that the two never disagree.
  const lower = ever(tested, 'pass')
    ? boundary(tested, high, (mean) => ever(mean, 'pass'))
    : boundary(low, tested, (mean) => ever(mean, 'pass'));
  const upper = ever(tested, 'fail')
    ? boundary(tested, low, (mean) => ever(mean, 'fail'))
    : boundary(high, tested, (mean) => ever(mean, 'fail'));
  return [lower, Math.max(lower, upper)];
}

/** Whether one of the two bets ever got rich, whatever the other did before. */
function reaches(differences: ArrayLike<number>, options: SequenceOptions, verdict: 'pass' | 'fail'): boolean {
  const bound = Math.log(1 / options.alpha);
  let state = UNDECIDED;
  for (let i = 0; i < differences.length; i++) {
    state = { ...nonInferiorityStep(state, differences[i]!, optionsAt(options, i)), verdict: 'continue' };
    if ((verdict === 'pass' ? state.logPass : state.logFail) >= bound) return true;
  }
  return false;
}

/** From `refuted` towards `open`: the last mean that is refuted. */
function boundary(refuted: number, open: number, isRefuted: (mean: number) => boolean): number {
  let [out, within] = [refuted, open];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (out + within) / 2;
    if (isRefuted(middle)) out = middle;
    else within = middle;
  }
  return out;
}
