/** Estimates that take the judge to mean the same on every policy, held against those that the policies' own labels correct. */

import { type GateCheck, openErrorGate, ownLabelsGate } from './gates/gates.ts';
import { marginOf } from './gates/transport-audit.ts';
import { comparePolicies, type PolicyComparison } from './inference/comparison.ts';
import { groupwiseDifference } from './inference/joint-inference.ts';
import type { EstimatedPolicy } from './inference/result.ts';
import type { EstimatorConfig } from './study/config.ts';

/** A bias of a third of its half width takes a 95 % interval to 90 %. */
const HARMLESS = 1 / 3;

/** One policy's estimate, and the one that its own labels correct: right whatever the judge does on it. */
export interface HeldAgainst {
  readonly given: EstimatedPolicy;
  readonly own: EstimatedPolicy;
}

/**
 * A specification test (Hausman 1978): what the own labels add to each estimate, and to each difference of two, is 0 but
 * for chance where the judge means the same on every policy. Levels and differences are one family (Bonferroni). A
 * difference is named where neither level is: it is free of the calibration's error, which both levels share.
 *
 * Not to reject proves nothing: a bias that matters is smaller than what as many labels as stand behind the calibration can see. So
 * where own labels leave open an error of more than a third of the half width, that is a warning of its own.
 *
 * @returns the gates of each estimate with those of the test, in the order given.
 */
export function gatesByOwnLabels(all: readonly HeldAgainst[], config: EstimatorConfig): readonly GateCheck[][] {
  const family = { ...config, alpha: (2 * config.alpha) / (all.length * (all.length + 1)) };
  const added = all.map(addedByOwnLabels);
  const levels = all.map(({ own, given }) => measured(comparePolicies(own, given, family)));
  return all.map((of, i) => {
    const others = isOff(levels[i]!) ? [] : added.filter((_, j) => j !== i && !isOff(levels[j]!));
    const odd = others
      .map((other) => ({ ...measured(comparePolicies(added[i]!, other, family)), from: other.policy }))
      .find(isOff);
    const { error, bound } = measured(comparePolicies(of.own, of.given, config));
    return [...withOpenError(of.given, Math.abs(error) + bound, config), ownLabelsGate(odd ?? levels[i]!)];
  });
}

interface Off {
  readonly error: number;
  /** Half the interval of the error. */
  readonly bound: number;
}

const isOff = ({ error, bound }: Off): boolean => Math.abs(error) > bound;

function measured({ difference, interval: [low, high] }: Pick<PolicyComparison, 'difference' | 'interval'>): Off {
  return { error: difference, bound: (high - low) / 2 };
}

/** What the own labels add to an estimate, as an estimate itself. */
function addedByOwnLabels({ own, given }: HeldAgainst): EstimatedPolicy {
  const size = own.influence.length + given.influence.length;
  const scaled = ({ influence }: { readonly influence: Float64Array }, sign: number) =>
    Array.from(influence, (φ) => (sign * φ * size) / influence.length);
  return {
    ...own,
    estimate: own.estimate - given.estimate,
    influence: Float64Array.from([...scaled(own, 1), ...scaled(given, -1)]),
    influencePromptIds: [...own.influencePromptIds, ...given.influencePromptIds],
    oracleJackknife: groupwiseDifference(own.oracleJackknife, given.oracleJackknife),
    labelledTotals: groupwiseDifference(own.labelledTotals, given.labelledTotals),
    openWidths: given.openWidths,
    stabilisation:
      given.stabilisation === null
        ? null
        : {
            shift: -given.stabilisation.shift,
            influence: Float64Array.from([...own.influence.map(() => 0), ...scaled(given.stabilisation, -1)]),
          },
    diagnostics: { ...own.diagnostics, gates: given.diagnostics.gates },
  };
}

/**
 * What the audit leaves open of an estimate whose policy has a probe alone: its labels are in no estimate that could be
 * held against it.
 */
export function gatesByAudit(given: EstimatedPolicy, config: EstimatorConfig): readonly GateCheck[] {
  const { transport } = given.diagnostics;
  return transport?.state === 'pass'
    ? withOpenError(given, transport.smallestPassingMargin!, config)
    : given.diagnostics.gates;
}

/** A passed audit says that the error is within its margin, which may be far more than the interval has room for. */
function withOpenError(given: EstimatedPolicy, open: number, config: EstimatorConfig): readonly GateCheck[] {
  // That no label says anything is over.
  const gates = given.diagnostics.gates.filter(({ gate, value }) => gate !== 'transport' || value !== null);
  const margin = marginOf(config.gates.transportMargin, given.policy);
  const half = (given.interval[1] - given.interval[0]) / 2;
  const told = gates.some(({ gate, verdict }) => gate === 'transport' && verdict !== 'pass');
  if (margin === null || told || open <= HARMLESS * half) return gates;
  return [...gates.filter(({ gate }) => gate !== 'transport'), openErrorGate(open, margin)];
}
