import type { CalibrationDiagnostics } from '../calibration/reward-calibration.ts';

/** Whether a policy's scores lie where the calibration has labels. Shares on [0, 1], width in label units. */
export interface BoundaryCard {
  /** `refuse-level`: its level is extrapolated; `caution`: much of it sits at the calibration's ends. */
  readonly status: 'ok' | 'caution' | 'refuse-level';
  /** Share of the policy's scores outside the range of labelled scores. */
  readonly outOfRange: number;
  /** Share of its rewards within 5 % of the calibration's lowest or highest reward. */
  readonly saturation: number;
  /** Width of the interval of values that the out-of-range share leaves possible. */
  readonly partialIdentificationWidth: number;
  /** Its parts: what scores below and above the labelled ones leave open. */
  readonly openBelow: number;
  readonly openAbove: number;
  readonly labelledScoreRange: readonly [number, number];
}

/**
 * The boundary card (arXiv 2512.11150, diagnostics), on the policy's own scores: on logged scores it could not see a
 * policy that leaves the labelled range.
 *
 * @param scores the policy's judge scores. @param rewards their calibrated rewards. @param weights row weights, absent for 1.
 */
export function boundaryCard(
  scores: ArrayLike<number>,
  rewards: ArrayLike<number>,
  calibration: Pick<CalibrationDiagnostics, 'labelledScoreRange' | 'rewardRange'>,
  limits: { readonly outOfRange: number; readonly saturation: number },
  weights?: ArrayLike<number>,
): BoundaryCard {
  const [lowestScore, highestScore] = calibration.labelledScoreRange;
  const [lowestReward, highestReward] = calibration.rewardRange;
  const margin = 0.05 * (highestReward - lowestReward);
  let total = 0;
  let below = 0;
  let above = 0;
  let saturated = 0;
  for (let i = 0; i < scores.length; i++) {
    const weight = weights === undefined ? 1 : weights[i]!;
    total += weight;
    if (scores[i]! < lowestScore) below += weight;
    if (scores[i]! > highestScore) above += weight;
    if (rewards[i]! <= lowestReward + margin || rewards[i]! >= highestReward - margin) saturated += weight;
  }
  const outOfRange = total > 0 ? (below + above) / total : 0;
  const saturation = total > 0 ? saturated / total : 0;
  const openBelow = total > 0 ? (below * lowestReward) / total : 0;
  const openAbove = total > 0 ? (above * (1 - highestReward)) / total : 0;
  return {
    status: outOfRange >= limits.outOfRange ? 'refuse-level' : saturation >= limits.saturation ? 'caution' : 'ok',
    outOfRange,
    saturation,
    partialIdentificationWidth: openBelow + openAbove,
    openBelow,
    openAbove,
    labelledScoreRange: calibration.labelledScoreRange,
  };
}
