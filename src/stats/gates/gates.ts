import { type Refusal, type RefusalCode, refusal } from '../data/refusal.ts';
import type { BoundaryCard } from '../diagnostics/boundary.ts';
import type { LabelSupport } from '../diagnostics/label-support.ts';
import type { TailIndex, WeightDiagnostics } from '../weights/diagnostics.ts';
import type { TransportAudit } from './transport-audit.ts';

/** Where a number stops being trustworthy. Every gate's value is reported, passed or not. */
export interface GateThresholds {
  /** Fewest usable rows (logged rows, or fresh draws). */
  readonly minimumRows: number;
  /** Fewest labels for an estimator that corrects by them: on a policy's own draws, or effective ones on the log. */
  readonly minimumOwnLabels: number;
  /** Fewest effective rows of the raw weights. */
  readonly minimumEss: number;
  /** Smallest raw effective sample size as a fraction of n. */
  readonly minimumEssFraction: number;
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
  /** Smallest share of the labels that effectively carries the estimate. */
  readonly minimumLabelSupport: number;
  /** Below this share the estimate carries a warning. */
  readonly warnLabelSupport: number;
  /** From this share of rewards at the calibration's ends the estimate carries a warning. */
  readonly warnSaturation: number;
  /** Largest distance of a stabilised-weight estimate from the raw-weight one, in its own standard errors. */
  readonly maximumStabilisationShift: number;
  /** Largest bias of the calibration on a policy's own labelled draws, in label units; null for no audit. */
  readonly transportMargin: number | null;
}

/**
 * Chosen on coverage in simulation (docs/statistics.md, "Gates"): the loosest thresholds below which intervals of
 * weighting estimators stop covering.
 */
export const DEFAULT_GATES: GateThresholds = {
  minimumRows: 30,
  minimumOwnLabels: 10,
  minimumEss: 20,
  minimumEssFraction: 0.05,
  warnEssFraction: 0.3,
  minimumTailIndex: 1,
  warnTailIndex: 2,
  maximumRowShare: 0.2,
  maximumLogMeanWeight: Math.log(2),
  warnOutOfRange: 0.05,
  maximumOutOfRange: 0.3,
  maximumIdentificationWidth: 0.1,
  minimumLabelSupport: 0.05,
  warnLabelSupport: 0.15,
  warnSaturation: 0.2,
  maximumStabilisationShift: 0.5,
  transportMargin: 0.05,
};

export interface GateCheck {
  readonly gate:
    | 'rows'
    | 'ess'
    | 'ess-fraction'
    | 'tail-index'
    | 'row-share'
    | 'mean-raw-weight'
    | 'out-of-range'
    | 'identification-width'
    | 'effective-labels'
    | 'label-support'
    | 'saturation'
    | 'stabilisation-shift'
    | 'transport';
  readonly on: 'raw' | 'in-use' | 'rows' | 'scores' | 'estimate';
  /** `null` where the quantity cannot be computed. */
  readonly value: number | null;
  /** The refusal threshold. */
  readonly threshold: number;
  readonly verdict: 'pass' | 'warn' | 'refuse';
}

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

/** Refuses a policy on which the calibration is biased beyond the margin for certain; its own labels say so. */
export function transportGates(audit: TransportAudit): GateCheck[] {
  if (audit.margin === null || audit.state === 'not-checked' || audit.state === 'not-graded') return [];
  const verdict = audit.state === 'fail' ? 'refuse' : audit.state === 'pass' ? 'pass' : 'warn';
  return [{ gate: 'transport', on: 'scores', value: audit.bias, threshold: audit.margin, verdict }];
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

/** Overlap gates of one (policy, estimator) cell: on the raw weights, and on those in use where they differ. */
export function overlapGates(
  raw: WeightDiagnostics,
  inUse: WeightDiagnostics | null,
  gates: GateThresholds,
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
    ...weightGates('raw', raw, gates),
    ...(inUse === null ? [] : weightGates('in-use', inUse, gates)),
  ];
}

function weightGates(on: 'raw' | 'in-use', weights: WeightDiagnostics, gates: GateThresholds): GateCheck[] {
  const low = (value: number, refuse: number, warn: number): GateCheck['verdict'] =>
    value < refuse ? 'refuse' : value < warn ? 'warn' : 'pass';
  const tail = tailValue(weights.tailIndex);
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
      verdict: tail === null ? 'warn' : low(tail, gates.minimumTailIndex, gates.warnTailIndex),
    },
  ];
}

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

/** Estimators that a refused one's user may turn to, by name. */
export interface Alternatives {
  /** Reads the policy's own responses, without weights. */
  readonly draws: string;
  /** Corrects itself by labels on them. */
  readonly ownLabels: string;
  /** Weighs the log by the weights as they are. */
  readonly plainWeights: string;
  /** Reads both. */
  readonly doublyRobust: string;
}

interface GateRefusal {
  readonly code: RefusalCode;
  readonly what: string;
  readonly collect: string | ((use: Alternatives) => string);
}

const REFUSALS: Record<GateCheck['gate'], GateRefusal> = {
  rows: {
    code: 'too-few-rows',
    what: 'usable rows are fewer than',
    collect: 'More prompts, or the missing rows of this policy.',
  },
  ess: {
    code: 'low-effective-sample-size',
    what: 'the raw weights leave fewer effective rows than',
    collect: (use) => `Fresh draws of this policy (use ${use.draws}), or a log from a policy closer to it.`,
  },
  'ess-fraction': {
    code: 'low-effective-sample-size',
    what: 'the effective share of rows is below',
    collect: (use) => `Fresh draws of this policy (use ${use.draws}), or a log from a policy closer to it.`,
  },
  'row-share': {
    code: 'heavy-tail',
    what: 'one row holds more of the weight than',
    collect: 'Check that row’s log probabilities; otherwise fresh draws of this policy.',
  },
  'tail-index': {
    code: 'heavy-tail',
    what: 'the tail index of the weights is below',
    collect: (use) =>
      `Check this policy’s log probabilities; otherwise fresh draws of it (${use.draws}), or a log from a policy closer to it.`,
  },
  'mean-raw-weight': {
    code: 'mean-raw-weight',
    what: 'the mean raw weight should be 1; |ln mean| exceeds',
    collect: (use) =>
      `Check the log probabilities (template, boundary, temperature): a mean far from 1 says they are not those of the sampling policies. If they are right, the two hardly overlap: \`${use.ownLabels}\` on labelled fresh draws needs no overlap.`,
  },
  'out-of-range': {
    code: 'outside-calibration-range',
    what: 'the share of the policy’s scores outside the labelled range reaches',
    collect: 'Oracle labels on this policy’s own responses, or labels over the whole range of judge scores.',
  },
  'identification-width': {
    code: 'outside-calibration-range',
    what: 'scores outside the labelled range leave the level undetermined by more than',
    collect: 'Oracle labels on this policy’s own responses, or labels over the whole range of judge scores.',
  },
  'effective-labels': {
    code: 'too-few-oracle-labels',
    what: 'the weights leave fewer effective labels on logged rows to correct by than',
    collect: (use) => `Oracle labels on more logged rows, or on this policy’s own responses (${use.ownLabels}).`,
  },
  'label-support': {
    code: 'low-label-support',
    what: 'the policy scores where few labels are: the share of labels that effectively carries its level is below',
    collect: (use) =>
      `Oracle labels on this policy’s own responses (${use.ownLabels}), or on logged rows with scores like its own.`,
  },
  'stabilisation-shift': {
    code: 'stabilisation-bias',
    what: 'stabilised weights pull the estimate towards the logging policy by more standard errors than',
    collect: (use) => `Nothing: use ${use.plainWeights}, or ${use.doublyRobust} with fresh draws.`,
  },
  transport: {
    code: 'transport-failed',
    what: 'labels on the policy’s own draws put the calibration’s bias outside ±',
    collect: (use) =>
      `Oracle labels on this policy’s own responses and ${use.ownLabels}, or a judge that scores it like the others.`,
  },
  saturation: {
    code: 'outside-calibration-range',
    what: 'too many rewards lie at the ends of the calibration',
    collect: 'Oracle labels at the lowest and highest judge scores.',
  },
};

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
export function effectiveLabelsGate(effective: number, gates: GateThresholds): GateCheck {
  const threshold = gates.minimumOwnLabels;
  const verdict = effective < threshold ? 'refuse' : 'pass';
  return { gate: 'effective-labels', on: 'in-use', value: effective, threshold, verdict };
}

/** The refusal of the first gate that refuses, or null. */
export function refusalOf(checks: readonly GateCheck[], use: Alternatives): Refusal | null {
  const failed = checks.find((c) => c.verdict === 'refuse');
  if (failed === undefined) return null;
  const { code, what, collect } = REFUSALS[failed.gate];
  const value = failed.value === null ? 'not computable' : formatNumber(failed.value);
  return refusal(
    code,
    `${failed.gate} (${failed.on}) is ${value}: ${what} ${formatNumber(failed.threshold)}`,
    typeof collect === 'string' ? collect : collect(use),
  );
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
