/** What a dataset says about larger ones: how an estimator's variance falls with prompts and with labels. */

import {
  type CommonSettings,
  comparePolicies,
  differenceComponents,
  type EstimateResult,
  type EvaluationData,
  estimate,
  explainedShare,
  type GateThresholds,
  impliedVarianceModel,
  type MeasuredVariance,
  OPEN_GATES,
  POWER,
} from '../../stats/index.ts';
import { Subsampler } from '../../stats/subsample.ts';
import type { Units } from '../units.ts';

export type PolicyPilot =
  | {
      readonly status: 'ok';
      readonly policy: string;
      /** σ_e², squared label units: what one prompt contributes. */
      readonly perPrompt: number;
      /** σ_c²: what one label contributes. */
      readonly perLabel: number;
      /** How well the law holds on subsets of the dataset; null where it is too small to tell. */
      readonly rSquared: number | null;
      /** Of the estimate on the whole dataset. */
      readonly standardError: number;
    }
  | {
      readonly status: 'refused';
      readonly policy: string;
      readonly gate: string;
      readonly reason: string;
      readonly collect: string;
    };

/** The paired difference of two policies: what a plan is made for. */
interface PairPilot {
  readonly a: string;
  readonly b: string;
  /** σ_d² and τ_d², squared label units: what one prompt and one label contribute to the difference. */
  readonly perPrompt: number;
  readonly perLabel: number;
  /** Second moment of the share that a calibration of one label may overstate the difference by. */
  readonly overstated: number;
  /** Variance that neither prompts nor labels lower. */
  readonly remaining: number;
  readonly rSquared: number | null;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

export interface Pilot {
  readonly prompts: number;
  /** Labelled prompts that the calibration reads. */
  readonly labels: number;
  /** Without a log: labelled responses of all policies, which are what the calibration reads. */
  readonly pooledLabels?: number;
  /** Labelled responses of target policies. */
  readonly ownLabels: number;
  /** The policy that wrote the log, which is estimated like the others. */
  readonly logger?: string;
  readonly policies: readonly PolicyPilot[];
  /** Of all estimated policies. */
  readonly pairs: readonly PairPilot[];
}

/** In the labels' units, as plans made from it then are. */
export function pilotInUnits(pilot: Pilot, { difference, variance }: Units): Pilot {
  const told = <T extends Pick<PairPilot, 'perPrompt' | 'perLabel' | 'standardError'>>(of: T): T => ({
    ...of,
    perPrompt: variance(of.perPrompt),
    perLabel: variance(of.perLabel),
    standardError: difference(of.standardError),
  });
  return {
    ...pilot,
    policies: pilot.policies.map((policy) => (policy.status === 'ok' ? told(policy) : policy)),
    pairs: pilot.pairs.map((pair) => ({ ...told(pair), remaining: variance(pair.remaining) })),
  };
}

/** Below these a dataset has no subsets worth measuring. */
const PROMPTS_TO_MEASURE = 100;
const LABELS_TO_MEASURE = 40;
/** Sizes of the subsets: of the prompts, and of the labels among them. */
const PROMPT_SHARES = [0.3, 0.45, 0.6, 0.8, 1];
const LABEL_SHARES = [0.5, 0.75, 1];
const REPLICATES = 10;
/** The law is checked where plans may be: calibrations of fewer labels vary by more than it says. */
const LABELS_AT_LEAST = POWER.minimumLabels;

/** A variance is measured whether or not its estimate would be shown, from what has a variance at all. */
const MEASURED: Partial<GateThresholds> = {
  ...OPEN_GATES,
  minimumRows: 2,
  minimumOwnLabels: 2,
  minimumWeightedLabels: 2,
};

/**
 * V(n, m) = σ_e²/n + σ_c²/m of each policy's estimate, and of each pair's difference, scaled from the two components of its
 * variance: the sampling part falls with prompts, the oracle part with labels. (A fit of the whole variance on subsets
 * confuses the two wherever labels are a share of the prompts.) On a dataset that is large enough, variances measured on
 * its subsets, the median of ten draws each, say how well the law tells how it falls: R². Deterministic.
 */
export function pilotOf(settings: CommonSettings, data: EvaluationData): Pilot {
  const { promptIds, oracleLabels } = data.logged;
  const prompts = new Set(promptIds).size;
  const labels = new Set(promptIds.filter((_, row) => !Number.isNaN(oracleLabels[row]!))).size;
  const result = estimate(settings, data);
  const results = result.policies;
  const measurable = prompts >= PROMPTS_TO_MEASURE && labels >= LABELS_TO_MEASURE;
  const measured = measurable ? measure(settings, data, prompts, labels / prompts) : undefined;
  const policies = results.map((result): PolicyPilot => {
    const { policy } = result;
    if (result.status === 'refused') {
      return { status: 'refused', policy, gate: result.code, reason: result.message, collect: result.whatToCollect };
    }
    const model = impliedVarianceModel(result.components, prompts, Math.max(labels, 1));
    return {
      status: 'ok',
      policy,
      perPrompt: model.perPrompt,
      perLabel: model.perLabel,
      rSquared: measured === undefined ? null : explainedShare(model, measured.get(policy)!),
      standardError: result.standardError,
    };
  });
  const pairs = pairsOf(result).map(([a, b]): PairPilot => {
    const { standardError, degreesOfFreedom } = comparePolicies(a, b, result.config);
    const parts = differenceComponents(a, b, result.config);
    const { overstated = 0, remaining = 0, ...model } = impliedVarianceModel(parts, prompts, Math.max(labels, 1));
    const found = measured?.get(pairKey(a, b)) ?? [];
    return {
      a: a.policy,
      b: b.policy,
      perPrompt: model.perPrompt,
      perLabel: model.perLabel,
      overstated,
      remaining,
      rSquared: explainedShare({ ...model, remaining }, found),
      standardError,
      degreesOfFreedom,
    };
  });
  const ownLabels = ownLabelsOf(data);
  const { logger, pooled } = data;
  return {
    prompts,
    labels,
    ...(pooled === true ? { pooledLabels: ownLabels } : {}),
    ownLabels,
    ...(logger === undefined ? {} : { logger }),
    policies,
    pairs,
  };
}

type Estimated = Extract<EstimateResult['policies'][number], { status: 'ok' }>;

function pairsOf({ policies }: EstimateResult): (readonly [Estimated, Estimated])[] {
  const ok = policies.filter((p) => p.status === 'ok');
  return ok.flatMap((a, i) => ok.slice(i + 1).map((b) => [a, b] as const));
}

const pairKey = (a: { readonly policy: string }, b: { readonly policy: string }) => `${a.policy}\n${b.policy}`;

function measure(
  settings: CommonSettings,
  data: EvaluationData,
  prompts: number,
  labelShare: number,
): Map<string, MeasuredVariance[]> {
  const open: CommonSettings = { ...settings, gates: { ...settings.gates, ...MEASURED } };
  const points = new Map<string, MeasuredVariance[]>(data.policies.map((policy) => [policy, []]));
  const samplers = Array.from({ length: REPLICATES }, (_, seed) => new Subsampler(data, seed));
  for (const promptShare of PROMPT_SHARES) {
    const size = Math.floor(promptShare * prompts);
    for (const share of LABEL_SHARES) {
      const labels = Math.round(share * labelShare * size);
      if (labels < LABELS_AT_LEAST || (promptShare === 1 && share === 1)) continue;
      const variances = new Map<string, number[]>(data.policies.map((policy) => [policy, []]));
      for (const sampler of samplers) {
        // Asking for all own labels keeps those that are there.
        const subset = sampler.draw({ prompts: size, labelled: labels / size, ownLabelled: 1 });
        const result = estimate(open, subset);
        const add = (key: string, variance: number) => {
          const found = variances.get(key) ?? [];
          variances.set(key, found);
          found.push(variance);
        };
        for (const p of result.policies) if (p.status === 'ok') add(p.policy, p.standardError ** 2);
        for (const [a, b] of pairsOf(result)) {
          const { difference, standardError } = comparePolicies(a, b, result.config);
          const { overstatedShare } = differenceComponents(a, b, result.config);
          // Half of the labels know the slope of a calibration so badly that what it may overstate says nothing of a law.
          add(pairKey(a, b), standardError ** 2 - overstatedShare * difference ** 2);
        }
      }
      for (const [key, found] of variances) {
        const known = points.get(key) ?? [];
        points.set(key, known);
        if (found.length > 0) known.push({ prompts: size, labels, variance: median(found) });
      }
    }
  }
  return points;
}

function ownLabelsOf({ freshDraws }: EvaluationData): number {
  let labels = 0;
  for (const { oracleLabels } of freshDraws.values()) {
    labels += oracleLabels.filter((label) => !Number.isNaN(label)).length;
  }
  return labels;
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
