import { dot, mean, populationVariance, sortedOrder, take } from '../numeric/moments.ts';

/** How often the logger writes what the target typically writes, and what that costs any weighting estimator. */
interface TargetTypicality {
  /** TTC: the share of logged responses in the target-typical region. */
  readonly coverage: number;
  /** The target's own mass in that region, by the weights: 0.9 or a little more. */
  readonly targetMass: number;
  /** targetMass / √coverage: what too few typical rows cost. */
  readonly coveragePenalty: number;
  /** Variance of the mean-one weights inside the region: what unequal rows cost. */
  readonly chiSquare: number;
  /**
   * Coverage-limited efficiency: no weighting estimator of n rows has a standard error below σ · factor/√n, σ the rewards'
   * standard deviation in the region.
   */
  readonly factor: number;
}

/** The region holds this share of the target's mass. */
const TYPICAL_MASS = 0.9;

/**
 * Target-typicality coverage and coverage-limited efficiency (arXiv 2512.11150). A response's surprisal is −log π′ per unit
 * of length; the target-typical region is what lies at or below the 0.9 quantile of surprisal under the target, which the
 * self-normalised weights estimate from the log.
 *
 * @param targetLogprobs n log probabilities of the logged responses under the target, nats.
 * @param lengths n lengths of the responses, in tokens, words or characters; below 1 counts as 1.
 * @param weights n importance weights, on any scale.
 */
export function targetTypicality(
  targetLogprobs: ArrayLike<number>,
  lengths: ArrayLike<number>,
  weights: Float64Array,
): TargetTypicality {
  const n = weights.length;
  const surprisal = Float64Array.from(weights, (_, i) => -targetLogprobs[i]! / Math.max(lengths[i]!, 1));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const order = sortedOrder(surprisal);
  let mass = 0;
  let threshold = surprisal[order[n - 1]!]!;
  for (const i of order) {
    mass += weights[i]! / total;
    if (mass >= TYPICAL_MASS) {
      threshold = surprisal[i]!;
      break;
    }
  }
  const inside = order.filter((i) => surprisal[i]! <= threshold).sort();
  const typical = take(weights, inside);
  const coverage = inside.length / n;
  const targetMass = dot(typical, new Float64Array(typical.length).fill(1)) / total;
  const centre = mean(typical);
  const chiSquare = populationVariance(typical.map((w) => w / centre));
  const coveragePenalty = targetMass / Math.sqrt(coverage);
  return { coverage, targetMass, coveragePenalty, chiSquare, factor: coveragePenalty * Math.sqrt(1 + chiSquare) };
}
