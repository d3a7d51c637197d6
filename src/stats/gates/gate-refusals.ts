/** What a gate that refuses says: the code, the value that failed, and what to collect. */

import { type Refusal, type RefusalCode, refusal } from '../data/refusal.ts';
import type { GateCheck } from './gates.ts';

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
  'draw-coverage': {
    code: 'missing-fresh-draws',
    what: 'the share of the log’s prompts that the policy has a usable draw for is below',
    collect:
      'The missing responses, with judge scores; or, where draws were asked for a random share of the prompts, a smaller minimum_draw_share in the gates.',
  },
  'draw-balance': {
    code: 'missing-fresh-draws',
    what: 'prompts without a draw score unlike those with one; p is below',
    collect: 'The missing responses, with judge scores.',
  },
  'label-balance': {
    code: 'labels-not-random',
    what: 'labelled responses differ from the others; p is below',
    collect: (use) =>
      `Labels on responses drawn at random, or the probability with which each was chosen (label_propensity); \`${use.draws}\` needs them random at equal judge scores only.`,
  },
  'pooled-labels': {
    code: 'transport-failed',
    what: 'labels on one policy differ from those on the others at equal scores; p is below',
    collect: (use) => `Oracle labels on every policy’s own responses and ${use.ownLabels}.`,
  },
  'own-labels': {
    code: 'transport-failed',
    what: 'the policy’s own labels put the estimate off by more than',
    collect: (use) => `Nothing: use ${use.ownLabels}, which reads them.`,
  },
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
  'implied-ess-fraction': {
    code: 'low-effective-sample-size',
    what: 'the upper half of the log ratios implies an effective share of rows below',
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
  'rare-labels': {
    code: 'too-few-oracle-labels',
    what: 'effective labels unlike the usual one are fewer than',
    collect: 'More oracle labels.',
  },
  'unseen-labels': {
    code: 'too-few-oracle-labels',
    what: 'answers unlike all labelled ones may be there, and move it by more than',
    collect: 'More oracle labels.',
  },
  'score-overlap': {
    code: 'low-label-support',
    what: 'the policy scores where few labels are: the affinity of its scores with the labelled ones is below',
    collect: (use) =>
      `Oracle labels on this policy’s own responses (${use.ownLabels}), or on logged rows with scores like its own.`,
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
