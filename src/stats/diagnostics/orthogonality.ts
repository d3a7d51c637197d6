import { mean, populationVariance } from '../numeric/moments.ts';
import { normalQuantile } from '../numeric/special-functions.ts';

/** The mean weighted residual of a doubly robust estimate, in label units: far from 0, outcome model and weights disagree. */
export interface Orthogonality {
  readonly score: number;
  readonly standardError: number;
  readonly interval: readonly [number, number];
  /** 0 lies inside the 95 % interval. */
  readonly passes: boolean;
}

/** Of the n weighted residuals u(R − g). */
export function orthogonality(corrections: Float64Array): Orthogonality {
  const score = mean(corrections);
  const standardError = Math.sqrt(populationVariance(corrections) / corrections.length);
  const half = normalQuantile(0.975) * standardError;
  return {
    score,
    standardError,
    interval: [score - half, score + half],
    passes: score - half <= 0 && score + half >= 0,
  };
}
