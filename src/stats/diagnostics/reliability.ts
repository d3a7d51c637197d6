import type { WeightDiagnostics } from '../weights/diagnostics.ts';

/** Why cje-eval 0.3.0 flags an estimate by importance weights. */
export type ReliabilityFlag = 'ess-fraction' | 'near-zero-weights' | 'concentration';

/** Thresholds of the library's reliability gate: its ship level, and what it takes for a collapse. */
const SMALLEST_ESS_FRACTION = 0.3;
const LARGEST_NEAR_ZERO_SHARE = 0.85;
const LARGEST_TOP_SHARE = 0.3;
const LARGEST_VARIATION = 2;

/**
 * The library's reliability gate: an effective sample size of the weights in use below 30 % of n; more than 85 % of raw
 * weights next to zero; or 5 % of the rows with more than 30 % of the weight in use at a coefficient of variation above 2.
 * It reads the weights in use, so stabilised ones pass where the raw ones have no overlap: `overlapGates` reads both.
 *
 * @returns why it flags, in that order; empty where it does not.
 */
export function reliabilityFlags(inUse: WeightDiagnostics, raw: WeightDiagnostics): ReliabilityFlag[] {
  const flags: ReliabilityFlag[] = [];
  if (inUse.essFraction < SMALLEST_ESS_FRACTION) flags.push('ess-fraction');
  if (raw.nearZeroShare > LARGEST_NEAR_ZERO_SHARE) flags.push('near-zero-weights');
  if (inUse.topFivePercentShare > LARGEST_TOP_SHARE && inUse.coefficientOfVariation > LARGEST_VARIATION) {
    flags.push('concentration');
  }
  return flags;
}
