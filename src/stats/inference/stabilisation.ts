/** What the bias that stabilised weights may have left adds to an interval: the same rule for a level and for a difference of two. */

import { dot } from '../numeric/moments.ts';
import type { Inference } from './inference.ts';
import { pairedContributions, promptContributions } from './joint-inference.ts';
import type { EstimatedPolicy } from './result.ts';

type Shifted = Pick<EstimatedPolicy, 'influence' | 'influencePromptIds' | 'stabilisation'>;

/**
 * For the bias that stabilised weights leave: second moment of what it may be, given the shift that they show, shift² +
 * Var(shift). The gate on stabilisation lets pass a level that was moved by less than on average, and now and then what
 * chance has hardly moved at all: then the shift's own variance tells what may be left. It holds a shift against the error
 * of a level, which is far larger than that of a paired difference; there the square counts twice.
 */
export function shiftMoment(of: readonly [Shifted] | readonly [Shifted, Shifted]): number {
  if (of.every(({ stabilisation }) => stabilisation === null)) return 0;
  const [first, second] = of.map((p) => ({ ...p, influence: p.stabilisation?.influence ?? p.influence.map(() => 0) }));
  const shift = (of[0].stabilisation?.shift ?? 0) - (of[1]?.stabilisation?.shift ?? 0);
  const contributions = second === undefined ? promptContributions([first!])[0]! : pairedContributions(first!, second);
  return of.length * shift ** 2 + varianceOf(contributions);
}

/** The interval of a level grows by what its bias adds to the standard error. */
export function withShift(given: Inference, estimate: number, moment: number): Inference {
  if (moment === 0 || given.standardError === 0) return given;
  const standardError = Math.sqrt(given.standardError ** 2 + moment);
  const factor = standardError / given.standardError;
  const [low, high] = given.interval;
  return {
    ...given,
    standardError,
    interval: [estimate - factor * (estimate - low), estimate + factor * (high - estimate)],
    components: { ...given.components, stabilisationVariance: moment },
  };
}

/** Of a sum of what independent prompts contribute, centred. */
export const varianceOf = (contributions: Float64Array): number =>
  contributions.length > 1
    ? (contributions.length / (contributions.length - 1)) * dot(contributions, contributions)
    : 0;
