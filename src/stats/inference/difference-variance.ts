/** What makes the variance of a difference of two policies, part by part. */

import { differenceSupport } from '../diagnostics/label-support.ts';
import { rareDifferenceVariance } from '../diagnostics/rare-labels.ts';
import type { EstimatorConfig } from '../study/config.ts';
import { promptClusteredVariance } from '../study/estimator.ts';
import { jackknifeVariance, satterthwaite } from '../study/oracle-uncertainty.ts';
import { extrapolationOf, jointVariance } from './inference.ts';
import { groupwiseDifference, pairedContributions } from './joint-inference.ts';
import type { EstimatedPolicy } from './result.ts';
import { shiftMoment, varianceOf } from './stabilisation.ts';

/** Variances of a paired difference: sampling, oracle, shared and extrapolation as of a level, and what a difference alone has. */
export interface DifferenceComponents {
  readonly samplingVariance: number;
  readonly oracleVariance: number;
  readonly sharedVariance: number;
  readonly extrapolationVariance: number;
  /** What a calibration's labels add that are rare, or few behind the difference, beyond what refits without some of them show. */
  readonly labelVariance: number;
  /** What rare own labels, or scores, add to their levels. */
  readonly ownVariance: number;
  /** Second moment of the share that a calibration of few labels may overstate the difference by. */
  readonly overstatedShare: number;
  /** For the bias of stabilised weights. */
  readonly stabilisationVariance: number;
}

interface DifferenceVariance {
  readonly variance: number;
  readonly degreesOfFreedom: number;
  readonly parts: DifferenceComponents;
}

/** Of two policies on the same prompts. */
export function pairedByPrompt(
  a: EstimatedPolicy,
  b: EstimatedPolicy,
  { alpha, choices: { degreesOfFreedom } }: Pick<EstimatorConfig, 'alpha' | 'choices'>,
): DifferenceVariance {
  const { sampling, leaveOneOut, joint } = errorsOf(a, b);
  const oracleVariance = leaveOneOut === null ? 0 : jackknifeVariance(leaveOneOut);
  const extrapolationVariance = extrapolationOf(a.openWidths, b.openWidths);
  const rare = rareVariance(a, b, alpha, leaveOneOut);
  const isRare = rare.labels + rare.own > 0;
  const few = isRare || degreesOfFreedom === 'smallest' ? NONE : fewLabelsVariance(a, b, leaveOneOut);
  const labelVariance = rare.labels + few.variance;
  const overstated = overstatedShare(a, b);
  const stabilisationVariance = shiftMoment([a, b]);
  const biases = overstated * (a.estimate - b.estimate) ** 2 + stabilisationVariance;
  const variance = joint.variance + labelVariance + rare.own + extrapolationVariance + biases;
  const parts = {
    samplingVariance: sampling.variance,
    oracleVariance,
    sharedVariance: joint.variance - sampling.variance - oracleVariance,
    extrapolationVariance,
    labelVariance,
    ownVariance: rare.own,
    overstatedShare: overstated,
    stabilisationVariance,
  };
  // Labels that are all alike leave roundings, which know nothing: then it is known as well as the two levels are.
  const rounded = isRounding(joint.variance, a, b);
  if (isRare) {
    const known = rounded ? ofLevels(a, b) : sampling.degreesOfFreedom;
    return { variance, parts, degreesOfFreedom: Math.min(known, RARE_DEGREES) };
  }
  if (degreesOfFreedom === 'smallest') {
    const groups = leaveOneOut?.length ?? Number.POSITIVE_INFINITY;
    return { variance, parts, degreesOfFreedom: Math.max(1, Math.min(sampling.degreesOfFreedom, groups - 1)) };
  }
  // Roundings have no degrees of freedom beside what is of any size.
  const roundedOff = rounded && few.variance + extrapolationVariance > 0;
  const extrapolation = { variance: extrapolationVariance, degreesOfFreedom: Number.POSITIVE_INFINITY };
  return { variance, parts, degreesOfFreedom: satterthwaite([roundedOff ? NONE : joint, few, extrapolation]) };
}

/**
 * Two policies that answer alike differ by roundings, which no order of rows may decide on; as a share of an estimate, or
 * of its error.
 */
export const SAME = 1e-12;

export const isRounding = (variance: number, a: EstimatedPolicy, b: EstimatedPolicy): boolean =>
  variance <= SAME ** 2 * (a.standardError ** 2 + b.standardError ** 2);

interface PartVariance {
  readonly variance: number;
  readonly degreesOfFreedom: number;
}

/**
 * A curve of few labels is steeper than labels are on average: a monotone one takes chance for a rise, and chance alone
 * moves no jackknife. Labels rise κ times as much as the curve, so a difference may be overstated by up to (1 − κ) of it:
 * the second moment of a share uniform up to that. An estimate that corrects by its labels has no such error.
 */
function overstatedShare(a: EstimatedPolicy, b: EstimatedPolicy): number {
  const [ofA, ofB] = [a, b].map((of) =>
    Number.isFinite(effectiveLabels(of)) ? null : of.diagnostics.labelSupport?.slope,
  );
  if (typeof ofA !== 'number' || typeof ofB !== 'number') return 0;
  const share = Math.min(Math.max(1 - Math.min(ofA, ofB), 0), 1);
  return share ** 2 / 3;
}

const ofLevels = (a: EstimatedPolicy, b: EstimatedPolicy): number =>
  satterthwaite(
    [a, b].map(({ standardError, degreesOfFreedom }) => ({ variance: standardError ** 2, degreesOfFreedom })),
  );

/** Few labels of the rarer sort know their own variance badly, and so does a difference of them. */
const RARE_DEGREES = 30;

const NONE: PartVariance = { variance: 0, degreesOfFreedom: Number.POSITIVE_INFINITY };

/** Fewer effective labels behind a difference know its variance worse than all labels about the calibration do. */
const FEW_LABELS = 10;

/**
 * What labels that are all alike, or the spread of all labels about the calibration, add to what the jackknife has seen of
 * a difference that a few of them carry.
 */
function fewLabelsVariance(a: EstimatedPolicy, b: EstimatedPolicy, leaveOneOut: Float64Array | null): PartVariance {
  const [ofA, ofB] = [a.diagnostics.labelSupport, b.diagnostics.labelSupport];
  const support = ofA === null || ofB === null || leaveOneOut === null ? null : differenceSupport(ofA, ofB);
  if (support === null) return NONE;
  const { effective, unitVariance, endVariance } = support;
  const unseen = unitVariance * ofA!.residualVariance - jackknifeVariance(leaveOneOut!);
  return {
    variance: effective >= FEW_LABELS ? endVariance : Math.max(unseen, endVariance),
    degreesOfFreedom: Math.max(ofA!.labels - 1, 1),
  };
}

/** What rare labels add to a difference's variance beyond what the jackknife has seen. */
function rareVariance(
  a: EstimatedPolicy,
  b: EstimatedPolicy,
  alpha: number,
  leaveOneOut: Float64Array | null,
): { readonly labels: number; readonly own: number } {
  const [ofA, ofB] = [a.diagnostics.rareLabels, b.diagnostics.rareLabels];
  if (ofA?.by.kind === 'calibration' && ofB?.by.kind === 'calibration') {
    const seen = leaveOneOut === null ? 0 : jackknifeVariance(leaveOneOut);
    const ends = [
      { estimate: a.estimate, rare: ofA },
      { estimate: b.estimate, rare: ofB },
    ] as const;
    return { labels: Math.max(rareDifferenceVariance(...ends, alpha) - seen, 0), own: 0 };
  }
  // Own labels of one policy are independent of another's, and so scores are taken to be: what each adds to its level it
  // adds to the difference.
  return { labels: 0, own: addedByRareLabels(a) + addedByRareLabels(b) };
}

function addedByRareLabels({
  diagnostics: { rareLabels },
  components,
  influence,
  influencePromptIds,
}: EstimatedPolicy): number {
  if (rareLabels === null || rareLabels.by.kind === 'calibration') return 0;
  const normal = promptClusteredVariance(influence, influencePromptIds).variance;
  return Math.max(components.samplingVariance + components.oracleVariance - normal, 0);
}

/** Of the labels that correct an estimate by their weights; without such a correction there is no end to them. */
const effectiveLabels = ({ diagnostics: { gates } }: EstimatedPolicy): number =>
  gates.find(({ gate }) => gate === 'effective-labels')?.value ?? Number.POSITIVE_INFINITY;

/**
 * A correction by a few labels knows its variance no better than these do. Labels of policies' own responses are told by
 * their prompts: those that correct one estimate, the other, both or neither have variances of their own (Welch and
 * Satterthwaite).
 */
function samplingDegrees(a: EstimatedPolicy, b: EstimatedPolicy, paired: Float64Array): number {
  const prompts = [...new Set([...a.influencePromptIds, ...b.influencePromptIds])];
  const known = Math.min(prompts.length, effectiveLabels(a), effectiveLabels(b));
  if (a.correctedBy === null && b.correctedBy === null) return Math.max(known - 1, 1);
  const kinds = new Map<string, { squares: number; count: number; share: number }>();
  prompts.forEach((id, g) => {
    const by = [a, b].map(({ correctedBy }) => (correctedBy?.prompts.has(id) === true ? correctedBy : null));
    const key = by.map((of) => of !== null).join();
    const share = Math.min(...by.map((of) => (of === null ? 1 : of.effective / of.prompts.size)));
    const kind = kinds.get(key) ?? { squares: 0, count: 0, share };
    kinds.set(key, kind);
    kind.squares += paired[g]! ** 2;
    kind.count++;
  });
  const parts = [...kinds.values()].map(({ squares, count, share }) => ({
    variance: squares,
    degreesOfFreedom: Math.max(share * count - 1, 1),
  }));
  return Math.max(Math.min(satterthwaite(parts), known - 1), 1);
}

/** Sampling and calibration error of the difference of two policies on the same prompts. */
function errorsOf(a: EstimatedPolicy, b: EstimatedPolicy) {
  const paired = pairedContributions(a, b);
  const sampling = { variance: varianceOf(paired), degreesOfFreedom: samplingDegrees(a, b, paired) };
  const leaveOneOut = groupwiseDifference(a.oracleJackknife, b.oracleJackknife);
  const totals = groupwiseDifference(a.labelledTotals, b.labelledTotals);
  return { sampling, leaveOneOut, joint: jointVariance(sampling, leaveOneOut, totals) };
}
