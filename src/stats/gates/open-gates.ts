import type { GateThresholds } from './gates.ts';

/** Every threshold that refuses; those that warn stop nothing. */
type Refusing = Exclude<keyof GateThresholds, `warn${string}`>;

/** Gates that let everything through: what would happen without them. */
export const OPEN_GATES: Pick<GateThresholds, Refusing> = {
  minimumRows: 0,
  minimumDrawShare: 0,
  minimumOwnLabels: 0,
  minimumWeightedLabels: 0,
  minimumEss: 0,
  minimumEssFraction: 0,
  minimumEssWithoutDraws: 0,
  minimumEssFractionWithoutDraws: 0,
  minimumEssFractionUnnormalised: 0,
  minimumTailIndex: 0,
  maximumRowShare: 1,
  maximumLogMeanWeight: Number.POSITIVE_INFINITY,
  maximumOutOfRange: Number.POSITIVE_INFINITY,
  maximumIdentificationWidth: Number.POSITIVE_INFINITY,
  minimumScoreOverlap: 0,
  minimumLabelSupport: 0,
  maximumStabilisationShift: Number.POSITIVE_INFINITY,
  transportMargin: null,
};
