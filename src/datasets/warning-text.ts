/**
 * What a gate that warns says to a reader: a sentence that goes on after the policy's name and a colon, with the value and its
 * bound, and the gate's name at its end for who wants to look it up.
 */

import type { GateCheck, GateThresholds } from '../stats/index.ts';
import type { Units } from './units.ts';

/** @param units that labels, and so errors of the calibration, are told in */
export function warningText(check: GateCheck, thresholds: GateThresholds, units: Units): string {
  return `${sentenceOf(check, thresholds, units)} (${check.gate})`;
}

function sentenceOf({ gate, on, value, threshold, note }: GateCheck, bounds: GateThresholds, units: Units): string {
  if (value === null && gate === 'transport') return note!;
  if (value === null) return `${note ?? MEASURES[gate] ?? `${gate} of its ${on}`} cannot be computed`;
  switch (gate) {
    case 'draw-coverage':
      return `${note}: it has answers to ${percent(value)}, and needs ${percent(threshold)}`;
    case 'draw-balance':
    case 'label-balance':
    case 'pooled-labels':
      return `${note}: p = ${number(value)}, below ${number(threshold)}`;
    case 'rare-labels':
      return note ?? `${number(value)} labels differ from the usual one, fewer than ${number(threshold)}`;
    case 'unseen-labels':
      return note!;
    case 'ess-fraction':
      return `${weightsOf(on)} leave ${percent(value)} of the rows effective, less than ${percent(bounds.warnEssFraction)}`;
    case 'tail-index':
      return value < bounds.warnTailIndex
        ? `the tail index of ${weightsOf(on)} is ${number(value)}: below ${number(bounds.warnTailIndex)} their variance is infinite`
        : `the tail index of ${weightsOf(on)} is ${number(value)}, within its standard error of ${number(bounds.warnTailIndex)}, below which their variance is infinite`;
    case 'out-of-range':
      return `${percent(value)} of its scores lie beyond the labelled ones, where the calibration is held flat; from ${percent(bounds.warnOutOfRange)} on that counts`;
    case 'saturation':
      return `${percent(value)} of its rewards lie at an end of the calibration curve, ${percent(bounds.warnSaturation)} or more`;
    case 'score-overlap':
      return `its scores overlap with the labelled ones by ${number(value)}, less than ${number(bounds.warnScoreOverlap)}`;
    case 'label-support':
      return `${percent(value)} of the labels effectively speak for it, less than ${percent(bounds.warnLabelSupport)}`;
    case 'own-labels': {
      const off = `${number(units.difference(Math.abs(value)))} ± ${number(units.difference(threshold))}`;
      return `by own labels ${note ?? 'it'} is ${off} too ${value < 0 ? 'high' : 'low'}`;
    }
    case 'transport':
      if (on === 'labels') {
        return `${note}: by up to ${number(units.difference(value))}`;
      }
      return `too few of its own labels to tell whether the calibration holds for it: mean error ${number(units.difference(value))}, margin ± ${number(units.difference(threshold))}`;
    default:
      return `${MEASURES[gate] ?? gate} is ${number(value)}, bound ${number(threshold)}${note === undefined ? '' : `: ${note}`}`;
  }
}

/** Where an estimator weighs by others than the log's, both are gated, and both may warn. */
const weightsOf = (on: GateCheck['on']): string => (on === 'in-use' ? 'the weights in use' : 'its weights');

/** Gates whose values and bounds are differences of labels. */
const OF_LABELS: ReadonlySet<GateCheck['gate']> = new Set(['transport', 'identification-width']);

/** Why a gate refused. Values and bounds are those of gates.yaml, on [0, 1]; what is of labels is told in their units too. */
export function refusalText(message: string, checks: readonly GateCheck[], { difference }: Units): string {
  const failed = checks.find(({ verdict }) => verdict === 'refuse');
  const told = failed !== undefined && message.startsWith(failed.gate) && OF_LABELS.has(failed.gate);
  if (!told || failed.value === null || difference(1) === 1) return message;
  return `${message}; in the labels’ units ${number(difference(failed.value))} and ${number(difference(failed.threshold))}`;
}

/** What is measured, for sentences that have no form of their own. */
const MEASURES: Readonly<Partial<Record<GateCheck['gate'], string>>> = {
  'tail-index': 'the tail index of its weights',
  ess: 'the effective sample size of its weights',
};

const number = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${number(100 * share)} %`;
