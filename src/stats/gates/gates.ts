import type { BoundaryCard } from '../diagnostics/boundary.ts';
import type { DrawCoverage } from '../diagnostics/draw-coverage.ts';
import type { BalanceTest } from '../diagnostics/label-balance.ts';
import type { LabelSupport } from '../diagnostics/label-support.ts';
import { FEW_RARE_LABELS, FEW_TO_SHOW, type LabelGap, type RareLabels } from '../diagnostics/rare-labels.ts';
import type { TailIndex, WeightDiagnostics } from '../weights/diagnostics.ts';
import type { TransportAudit, TransportMargins } from './transport-audit.ts';

/** Where a number stops being trustworthy. Every gate's value is reported, passed or not. */
export interface GateThresholds {
  /** Fewest usable rows (logged rows, or fresh draws). */
  readonly minimumRows: number;
  /** Smallest share of the log's prompts that a policy must have a draw for. */
  readonly minimumDrawShare: number;
  /** Fewest labels for an estimator that corrects by them: on a policy's own draws, or effective ones on the log. */
  readonly minimumOwnLabels: number;
  /** Fewest effective labels on the log that stand for a policy by their weights. */
  readonly minimumWeightedLabels: number;
  /** Fewest effective rows of the raw weights. */
  readonly minimumEss: number;
  /** Smallest raw effective sample size as a fraction of n. */
  readonly minimumEssFraction: number;
  /** The same two for estimators that have nothing but the weights: no draws of the policy stand behind them. */
  readonly minimumEssWithoutDraws: number;
  readonly minimumEssFractionWithoutDraws: number;
  /** The share that log ratios imply, for weights that are not normalised: a mean of them misses its tail by far more. */
  readonly minimumEssFractionUnnormalised: number;
  /** Below this fraction the estimate carries a warning. */
  readonly warnEssFraction: number;
  /** Smallest Hill index of the raw weights; below 1 their mean is infinite. */
  readonly minimumTailIndex: number;
  /** Below this index (infinite variance) the estimate carries a warning. */
  readonly warnTailIndex: number;
  /** Largest share of all weight on one row. */
  readonly maximumRowShare: number;
  /** Largest |ln of the mean raw weight|; the mean should be 1. */
  readonly maximumLogMeanWeight: number;
  /** From this share of a policy's scores outside the labelled range the estimate carries a warning. */
  readonly warnOutOfRange: number;
  /** Largest share of a policy's scores outside the labelled range. */
  readonly maximumOutOfRange: number;
  /** Largest width, in label units, that the out-of-range share leaves unidentified. */
  readonly maximumIdentificationWidth: number;
  /** Smallest affinity of the policy's scores with the labelled ones. */
  readonly minimumScoreOverlap: number;
  /** Below this affinity the estimate carries a warning. */
  readonly warnScoreOverlap: number;
  /** Smallest share of the labels that effectively carries the estimate. */
  readonly minimumLabelSupport: number;
  /** Below this share the estimate carries a warning. */
  readonly warnLabelSupport: number;
  /** From this share of rewards at the calibration's ends the estimate carries a warning. */
  readonly warnSaturation: number;
  /** Largest distance of a stabilised-weight estimate from the raw-weight one, in its own standard errors. */
  readonly maximumStabilisationShift: number;
  /** Largest bias of the calibration on a policy's own labelled draws, in label units; null for no audit. */
  readonly transportMargin: number | null | TransportMargins;
}

/**
 * Chosen on coverage in simulation (docs/statistics.md, "Gates"): the loosest thresholds below which intervals of
 * weighting estimators stop covering.
 */
export const DEFAULT_GATES: GateThresholds = {
  minimumRows: 30,
  minimumDrawShare: 0.95,
  minimumOwnLabels: 10,
  minimumWeightedLabels: 30,
  minimumEss: 20,
  minimumEssFraction: 0.05,
  minimumEssWithoutDraws: 50,
  minimumEssFractionWithoutDraws: 0.1,
  minimumEssFractionUnnormalised: 0.15,
  warnEssFraction: 0.3,
  minimumTailIndex: 1,
  warnTailIndex: 2,
  maximumRowShare: 0.2,
  maximumLogMeanWeight: Math.log(2),
  warnOutOfRange: 0.05,
  maximumOutOfRange: 0.3,
  maximumIdentificationWidth: 0.1,
  minimumScoreOverlap: 0.6,
  warnScoreOverlap: 0.8,
  minimumLabelSupport: 0.05,
  warnLabelSupport: 0.15,
  warnSaturation: 0.2,
  maximumStabilisationShift: 0.5,
  transportMargin: 0.05,
};

export interface GateCheck {
  readonly gate:
    | 'rows'
    | 'draw-coverage'
    | 'draw-balance'
    | 'label-balance'
    | 'pooled-labels'
    | 'own-labels'
    | 'rare-labels'
    | 'unseen-labels'
    | 'ess'
    | 'ess-fraction'
    | 'implied-ess-fraction'
    | 'tail-index'
    | 'row-share'
    | 'mean-raw-weight'
    | 'out-of-range'
    | 'identification-width'
    | 'effective-labels'
    | 'score-overlap'
    | 'label-support'
    | 'saturation'
    | 'stabilisation-shift'
    | 'transport';
  readonly on: 'raw' | 'in-use' | 'rows' | 'scores' | 'estimate' | 'draws' | 'labels';
  /** `null` where the quantity cannot be computed. */
  readonly value: number | null;
  /** The refusal threshold. */
  readonly threshold: number;
  readonly verdict: 'pass' | 'warn' | 'refuse';
  /** What the value means here, in words. */
  readonly note?: string;
  /** True where nothing contradicts what is checked: too little is known to show it. */
  readonly open?: true;
}

/** Gates on what every interval takes for granted of the data; a report says so wherever one of them warns. */
export const ASSUMPTION_GATES: ReadonlySet<string> = new Set<GateCheck['gate']>([
  'draw-coverage',
  'draw-balance',
  'label-balance',
  'pooled-labels',
  'own-labels',
  'rare-labels',
  'unseen-labels',
]);

/** Fewer rows than the smallest sample that an interval can be trusted on. */
export function rowsGate(rows: number, gates: GateThresholds): GateCheck {
  return {
    gate: 'rows',
    on: 'rows',
    value: rows,
    threshold: gates.minimumRows,
    verdict: rows < gates.minimumRows ? 'refuse' : 'pass',
  };
}

/** Below this p two groups of prompts are of different kinds. */
const DRAWS_DIFFER = 0.001;
const LABELS_DIFFER = 0.01;

/** Whether the policy answered the log's prompts, and, where it did not answer all, whether the others are of another kind. */
export function drawGates({ prompts, missing, share, pValue }: DrawCoverage, gates: GateThresholds): GateCheck[] {
  const threshold = gates.minimumDrawShare;
  const verdict = share < threshold ? 'refuse' : missing > 0 ? 'warn' : 'pass';
  const coverage: GateCheck = { gate: 'draw-coverage', on: 'draws', value: share, threshold, verdict };
  if (missing === 0) return [coverage];
  return [
    { ...coverage, note: `${missing} of ${prompts} prompts have no usable draw and are left out` },
    {
      gate: 'draw-balance',
      on: 'draws',
      value: pValue,
      threshold: DRAWS_DIFFER,
      verdict: pValue < DRAWS_DIFFER ? 'warn' : 'pass',
      note: 'prompts without a draw score unlike those with one, so leaving them out moves the estimate',
    },
  ];
}

/**
 * Whether labels look like a random sample. At equal scores other labels would do, so an estimator that only calibrates
 * by them is warned; one whose own labels stand for all responses is refused.
 */
export function labelBalanceGate(
  test: BalanceTest,
  standsFor: 'calibration' | 'all responses',
  labelled: 'labelled' | 'the probe’s' = 'labelled',
): GateCheck {
  const differs = test.pValue < LABELS_DIFFER;
  return {
    gate: 'label-balance',
    on: 'labels',
    value: test.pValue,
    threshold: LABELS_DIFFER,
    verdict: !differs ? 'pass' : standsFor === 'calibration' ? 'warn' : 'refuse',
    note: `${labelled} and unlabelled responses differ in ${test.of} (p of the ${test.test} test, adjusted): labels are no random sample`,
  };
}

/** Whether the labels of all policies teach one calibration: a judge that is kinder to one of them bends it for all. */
export function pooledLabelsGate(policy: string, pValue: number): GateCheck {
  return {
    gate: 'pooled-labels',
    on: 'labels',
    value: pValue,
    threshold: LABELS_DIFFER,
    verdict: pValue < LABELS_DIFFER ? 'warn' : 'pass',
    note: `at equal judge scores the labels on ${policy} differ from those on the others, and one calibration is learnt on all of them`,
  };
}

/** Labels nearly all of one value: a normal interval is then made with labels of either end beside them; bets need none. */
export function rareLabelsGate({ usual, others, effective, by }: RareLabels, made: 'normal' | 'bets'): GateCheck {
  const what = made === 'normal' ? 'interval' : 'standard error';
  const count = Number(effective.toPrecision(3));
  const of = by.kind === 'scores' ? `the scores of ${count} prompts` : `${count} effective labels`;
  return {
    gate: 'rare-labels',
    on: by.kind === 'scores' ? 'scores' : 'labels',
    value: others,
    threshold: FEW_RARE_LABELS,
    verdict: 'warn',
    note: `of ${of} fewer than ${FEW_RARE_LABELS} ${usual === null ? 'lie far from the others' : 'differ from the most frequent one'}, so the ${what} is made with two more at either end of the scale`,
  };
}

/**
 * Labels that keep so far from an end of the scale, and are so few, that answers beyond all of them could be there and move
 * the estimate by more than its ordinary interval has room for. So it is of most sets of a few dozen labels that keep away
 * from an end of the scale, and the interval of the level then reaches as far. That of a difference does not: at a failure
 * that one policy alone has now and then it misses, as long as own labels are few.
 */
export function unseenLabelsGate(shift: number, half: number, { kind, count }: LabelGap): GateCheck {
  const few = kind === 'correction' && count < FEW_TO_SHOW;
  const note = few
    ? `own labels, fewer than ${FEW_TO_SHOW}, keep away from an end of the scale, so answers beyond all of them may have been missed: the interval reaches as far as these could move it; a difference takes them to be as frequent under either policy, and is too narrow where one alone fails now and then`
    : 'labels keep away from an end of the scale, so answers beyond all of them may have been missed: the interval reaches as far as these could move it, and a difference takes them to be as frequent under either policy';
  return {
    gate: 'unseen-labels',
    on: 'labels',
    value: shift,
    threshold: half,
    verdict: 'warn',
    note,
    ...(few ? {} : { open: true }),
  };
}

/** Refuses a policy on which the calibration is biased beyond the margin for certain; its own labels say so. */
export function transportGates(audit: TransportAudit): GateCheck[] {
  if (audit.margin === null || audit.state === 'not-checked' || audit.state === 'not-graded') return [];
  const verdict = audit.state === 'fail' ? 'refuse' : audit.state === 'pass' ? 'pass' : 'warn';
  const open = verdict === 'warn' ? ({ open: true } as const) : {};
  return [{ gate: 'transport', on: 'scores', value: audit.bias, threshold: audit.margin, verdict, ...open }];
}

/**
 * For a policy without a label of its own: that nothing checks the calibration on it, and what error the log's weighted
 * labels leave open. They cannot rule out one that matters (a difference of policies that share a calibration is far more
 * certain than they are), and their weights may be what is off: so this warns, and never refuses.
 *
 * @param audit null where the log's labels say nothing of the policy.
 */
export function unauditedGate(
  audit: TransportAudit | null,
  margin: number,
  assumed: 'the calibration holds' | 'its weights or the calibration hold' = 'the calibration holds',
): GateCheck {
  const common = { gate: 'transport', on: 'labels', threshold: margin, verdict: 'warn' } as const;
  const open = audit?.smallestPassingMargin ?? Number.POSITIVE_INFINITY;
  if (!Number.isFinite(open)) {
    return {
      ...common,
      open: true,
      value: null,
      note: `no label of its own says whether ${assumed} for it`,
    };
  }
  const contradicts = audit?.state === 'fail';
  return {
    ...common,
    ...(contradicts ? {} : { open: true }),
    value: open,
    note: `no label of its own, and the log’s, weighted for it, ${contradicts ? 'say' : 'leave open'} that the calibration is off`,
  };
}

/**
 * An estimate held against the one that the policy's own labels correct.
 *
 * @param error what they would add to it, or, with `from`, to its difference from that policy.
 */
export function ownLabelsGate({ error, bound, from }: OwnLabelsError): GateCheck {
  const verdict = Math.abs(error) > bound ? 'warn' : 'pass';
  const note = from === undefined ? {} : { note: `its difference from ${from}` };
  return { gate: 'own-labels', on: 'labels', value: error, threshold: bound, verdict, ...note };
}

interface OwnLabelsError {
  readonly error: number;
  readonly bound: number;
  readonly from?: string;
}

/** Own labels that do not contradict an estimate, and yet cannot rule out an error that its interval leaves no room for. */
export function openErrorGate(open: number, margin: number): GateCheck {
  const note = 'its own labels leave open that it is off';
  return { gate: 'transport', on: 'labels', value: open, threshold: margin, verdict: 'warn', note, open: true };
}

/** How far stabilisation moved an estimate: a bias of half a standard error already costs an interval 3 points of coverage. */
export function stabilisationGate(shift: number, standardError: number, gates: GateThresholds): GateCheck {
  // A clone's shift is zero but for rounding, and so may be its standard error.
  const value = Math.abs(shift) < 1e-12 ? 0 : Math.abs(shift) / standardError;
  return {
    gate: 'stabilisation-shift',
    on: 'estimate',
    value,
    threshold: gates.maximumStabilisationShift,
    verdict: value > gates.maximumStabilisationShift ? 'refuse' : 'pass',
  };
}

/**
 * Overlap gates of one (policy, estimator) cell: on the raw weights, and on those in use where they differ.
 *
 * @param behind what stands behind the weights: where they are all, a tail must be surely light.
 */
export function overlapGates(
  raw: WeightDiagnostics,
  inUse: WeightDiagnostics | null,
  gates: GateThresholds,
  behind: 'draws' | 'nothing' = 'draws',
): GateCheck[] {
  const logMean = raw.mean > 0 ? Math.abs(Math.log(raw.mean)) : Number.POSITIVE_INFINITY;
  return [
    {
      gate: 'mean-raw-weight',
      on: 'raw',
      value: raw.mean,
      threshold: gates.maximumLogMeanWeight,
      verdict: logMean > gates.maximumLogMeanWeight ? 'refuse' : 'pass',
    },
    ...weightGates('raw', raw, gates, behind),
    ...(inUse === null ? [] : weightGates('in-use', inUse, gates, behind)),
  ];
}

/** For estimators without draws: the sample's own effective share is too high where its tail is missing. */
export function impliedEssGate(
  implied: number,
  weights: 'normalised' | 'unnormalised',
  gates: GateThresholds,
): GateCheck {
  const threshold =
    weights === 'normalised' ? gates.minimumEssFractionWithoutDraws : gates.minimumEssFractionUnnormalised;
  const verdict = implied < threshold ? 'refuse' : 'pass';
  return { gate: 'implied-ess-fraction', on: 'raw', value: implied, threshold, verdict };
}

function weightGates(
  on: 'raw' | 'in-use',
  weights: WeightDiagnostics,
  gates: GateThresholds,
  behind: 'draws' | 'nothing',
): GateCheck[] {
  const low = (value: number, refuse: number, warn: number): GateCheck['verdict'] =>
    value < refuse ? 'refuse' : value < warn ? 'warn' : 'pass';
  const tail = tailValue(weights.tailIndex);
  const warnTail = behind === 'nothing' ? gates.warnTailIndex / surelyAbove(weights.tailIndex) : gates.warnTailIndex;
  return [
    {
      gate: 'ess',
      on,
      value: weights.ess,
      threshold: gates.minimumEss,
      verdict: low(weights.ess, gates.minimumEss, 0),
    },
    {
      gate: 'ess-fraction',
      on,
      value: weights.essFraction,
      threshold: gates.minimumEssFraction,
      verdict: low(weights.essFraction, gates.minimumEssFraction, gates.warnEssFraction),
    },
    {
      gate: 'row-share',
      on,
      value: weights.maximumShare,
      threshold: gates.maximumRowShare,
      verdict: weights.maximumShare > gates.maximumRowShare ? 'refuse' : 'pass',
    },
    {
      gate: 'tail-index',
      on,
      value: tail,
      threshold: gates.minimumTailIndex,
      // An index that cannot be estimated is never read as a light tail; the other gates decide.
      verdict: tail === null ? 'warn' : low(tail, gates.minimumTailIndex, warnTail),
    },
  ];
}

/** 1 − 1/√k: an index of k rows less its standard error α̂/√k (Hall 1982), as a share of it; twenty rows cannot tell 1.6 from 2.4. */
const surelyAbove = (tail: TailIndex): number => (tail.kind === 'estimated' ? 1 - 1 / Math.sqrt(tail.topRows) : 1);

/** Hill's index as a number: Infinity for a flat tail, null where it cannot be computed. */
export function tailValue(tail: TailIndex): number | null {
  switch (tail.kind) {
    case 'estimated':
      return tail.value;
    case 'uniform':
      return Number.POSITIVE_INFINITY;
    case 'unavailable':
      return null;
  }
}

/**
 * Whether the policy's scores lie where labels are. The paper's card calls a share of 5 % outside the range
 * refuse-level. What such a share can do depends on the rewards there, so up to a larger share the width that it leaves open decides.
 */
export function boundaryGates(card: BoundaryCard, gates: GateThresholds): GateCheck[] {
  return [
    {
      gate: 'identification-width',
      on: 'scores',
      value: card.partialIdentificationWidth,
      threshold: gates.maximumIdentificationWidth,
      verdict: card.partialIdentificationWidth >= gates.maximumIdentificationWidth ? 'refuse' : 'pass',
    },
    {
      gate: 'out-of-range',
      on: 'scores',
      value: card.outOfRange,
      threshold: gates.maximumOutOfRange,
      verdict:
        card.outOfRange >= gates.maximumOutOfRange
          ? 'refuse'
          : card.outOfRange >= gates.warnOutOfRange
            ? 'warn'
            : 'pass',
    },
    {
      gate: 'saturation',
      on: 'scores',
      value: card.saturation,
      threshold: gates.warnSaturation,
      verdict: card.saturation >= gates.warnSaturation ? 'warn' : 'pass',
    },
  ];
}

/**
 * Whether the policy scores where labelled rows do. Unlike the labels' share in a fit it sees a fit that pools the policy's
 * scores with labels far from them.
 */
export function scoreOverlapGate(overlap: number, gates: GateThresholds): GateCheck {
  const { minimumScoreOverlap: threshold, warnScoreOverlap } = gates;
  const verdict = overlap < threshold ? 'refuse' : overlap < warnScoreOverlap ? 'warn' : 'pass';
  return { gate: 'score-overlap', on: 'scores', value: overlap, threshold, verdict };
}

/**
 * Whether enough of the labels speak about this policy. Inside the labelled range a policy may still score where hardly
 * any label is; its level then rests on a handful of responses by the logger that the judge scored as low, which need not
 * be bad in the same way.
 */
export function labelSupportGate(support: LabelSupport, gates: GateThresholds): GateCheck {
  const { share } = support;
  const { minimumLabelSupport: threshold, warnLabelSupport } = gates;
  const verdict = share < threshold ? 'refuse' : share < warnLabelSupport ? 'warn' : 'pass';
  return { gate: 'label-support', on: 'scores', value: share, threshold, verdict };
}

/** With few effective labels one of them has most of the weight, and a correction by it is off by as much as that label is. */
export function effectiveLabelsGate(effective: number, threshold: number): GateCheck {
  const verdict = effective < threshold ? 'refuse' : 'pass';
  return { gate: 'effective-labels', on: 'in-use', value: effective, threshold, verdict };
}
