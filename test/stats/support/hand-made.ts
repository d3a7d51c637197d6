/** Results and data small enough for paper: every column is written out, and nothing is drawn at random. */

import { resolveConfig } from '../../../src/stats/estimators/registry.ts';
import { DEFAULT_GATES, type GateThresholds } from '../../../src/stats/gates/gates.ts';
import { OPEN_GATES } from '../../../src/stats/gates/open-gates.ts';
import type {
  EstimatedPolicy,
  EstimateResult,
  EstimatorSettings,
  EvaluationData,
  FreshDraws,
  LoggedRows,
  PolicyResult,
  RefusedPolicy,
} from '../../../src/stats/index.ts';

const NOTHING_MEASURED: PolicyResult['diagnostics'] = {
  rows: 0,
  prompts: 0,
  droppedForLogprob: 0,
  droppedForScore: 0,
  rawWeights: null,
  weights: null,
  reliability: [],
  boundary: null,
  scoreOverlap: null,
  labelSupport: null,
  rareLabels: null,
  labelGap: null,
  drawCoverage: null,
  transport: null,
  orthogonality: null,
  parts: null,
  mixture: null,
  gates: [],
};

/** An estimate whose influence values, one a prompt, are given. */
export function estimated(
  policy: string,
  estimate: number,
  influence: readonly number[],
  more: Partial<EstimatedPolicy> = {},
): EstimatedPolicy {
  return {
    status: 'ok',
    policy,
    estimate,
    standardError: 0.1,
    interval: [estimate - 0.2, estimate + 0.2],
    degreesOfFreedom: 3,
    judgeStandardError: 0,
    n: influence.length,
    ess: null,
    essFraction: null,
    rawEss: null,
    meanRawWeight: null,
    tail: null,
    influence: Float64Array.from(influence),
    influencePromptIds: influence.map((_, i) => `q${i}`),
    oracleJackknife: null,
    labelledTotals: null,
    openWidths: [0, 0],
    skewed: false,
    skewness: 0,
    stabilisation: null,
    replicates: null,
    correctedBy: null,
    bets: null,
    components: {
      samplingVariance: 0.01,
      oracleVariance: 0,
      sharedVariance: 0,
      extrapolationVariance: 0,
      judgeVariance: 0,
    },
    diagnostics: NOTHING_MEASURED,
    ...more,
  };
}

export const refusedPolicy = (policy: string): RefusedPolicy => ({
  status: 'refused',
  policy,
  code: 'too-few-rows',
  message: 'too few',
  whatToCollect: 'more',
  diagnostics: NOTHING_MEASURED,
});

export const resultOf = (
  policies: readonly PolicyResult[],
  settings: Partial<EstimatorSettings> = {},
): EstimateResult => ({
  config: resolveConfig({ estimator: 'direct', ...settings }),
  calibration: null,
  policies,
  warnings: [],
});

/** Gates that stop nothing, so that a handful of rows gives a number. */
export const OPEN: GateThresholds = { ...DEFAULT_GATES, ...OPEN_GATES };

const filled = (n: number, value: number) => new Float64Array(n).fill(value);
const column = (values: readonly number[] | undefined, n: number, otherwise: number) =>
  values === undefined ? filled(n, otherwise) : Float64Array.from(values);

interface LogOptions {
  readonly scores: readonly number[];
  /** Raw weight of each row for each policy. */
  readonly weights?: Readonly<Record<string, readonly number[]>>;
  readonly labels?: readonly number[];
  readonly variances?: readonly number[];
  readonly ids?: readonly string[];
  readonly lengths?: readonly number[];
}

/** Logged rows of prompts q0, q1, … whose base log probability is −10. */
export function log({ scores, weights = {}, labels, variances, ids, lengths }: LogOptions): LoggedRows {
  const n = scores.length;
  return {
    promptIds: ids ?? scores.map((_, i) => `q${i}`),
    judgeScores: Float64Array.from(scores),
    judgeVariances: column(variances, n, 0),
    oracleLabels: column(labels, n, Number.NaN),
    baseLogprobs: filled(n, -10),
    responseLengths: column(lengths, n, 10),
    targetLogprobs: new Map(
      Object.entries(weights).map(([policy, of]) => [policy, Float64Array.from(of, (w) => -10 + Math.log(w))]),
    ),
  };
}

/** A policy's own responses. */
export function draws({
  scores,
  labels,
  variances,
  ids,
  lengths,
}: Pick<LogOptions, 'scores' | 'labels' | 'variances' | 'ids' | 'lengths'>): FreshDraws {
  const n = scores.length;
  return {
    promptIds: ids ?? scores.map((_, i) => `q${i}`),
    drawIndexes: new Int32Array(n),
    judgeScores: Float64Array.from(scores),
    judgeVariances: column(variances, n, 0),
    oracleLabels: column(labels, n, Number.NaN),
    responseLengths: column(lengths, n, 10),
  };
}

export function evaluation(logged: LoggedRows, own: Readonly<Record<string, FreshDraws>> = {}): EvaluationData {
  return {
    logged,
    policies: [...new Set([...logged.targetLogprobs.keys(), ...Object.keys(own)])],
    freshDraws: new Map(Object.entries(own)),
  };
}
