import { mean, tabulate } from '../numeric/moments.ts';

/** exp of anything larger overflows a double. */
const LARGEST_EXPONENT = 709.782712893384;

/**
 * Raw importance weights w = π′/π₀ = exp(ℓ).
 * @param logRatios n log ratios in nats over whole responses.
 * @returns n weights ≥ 0; their mean estimates 1.
 *
 * @example
 * rawWeights([0, Math.log(2)]) // [1,2]
 */
export function rawWeights(logRatios: ArrayLike<number>): Float64Array {
  const out = new Float64Array(logRatios.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.exp(Math.min(logRatios[i]!, LARGEST_EXPONENT));
  return out;
}

/**
 * Self-normalised (Hájek) weights n·exp(ℓ_i − L)/Σ exp(ℓ_j − L), L = max ℓ, so nothing overflows. Mean 1.
 * All zeros when no ratio is finite: the policy has no overlap with the log.
 *
 * @example
 * selfNormalisedWeights([0, Math.log(3)]) // [0.5,1.5]
 */
export function selfNormalisedWeights(logRatios: ArrayLike<number>): Float64Array {
  const out = new Float64Array(logRatios.length);
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < out.length; i++) if (logRatios[i]! > largest) largest = logRatios[i]!;
  if (!Number.isFinite(largest)) return out;
  let total = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.exp(logRatios[i]! - largest);
    total += out[i]!;
  }
  for (let i = 0; i < out.length; i++) out[i] = (out.length * out[i]!) / total;
  return out;
}

/** Clips mean-one weights at `limit` and rescales to mean one (so the largest ends above the limit). */
export function clipWeights(weights: Float64Array, limit: number): Float64Array {
  return toMeanOne(tabulate(weights.length, (i) => Math.min(weights[i]!, limit)));
}

/** Divides by the mean; all zeros stay zeros. */
export function toMeanOne(weights: Float64Array): Float64Array {
  const centre = mean(weights);
  return centre > 0 ? tabulate(weights.length, (i) => weights[i]! / centre) : weights.slice();
}
