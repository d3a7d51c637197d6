/** Kind `estimate`: one estimator on one dataset, a row a target policy. */

import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { type Input, ROWS, type TransformKind } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import type { DatasetQuality, EstimateRow, GateResult } from '../report/data.ts';
import { type EvaluationData, estimate as estimateAll, type FreshDraws, type PolicyResult } from '../stats/index.ts';
import { ablationSchema, estimatorSettings } from './lib/ablation.ts';
import { FRESH, type FreshRow, type LoggedRow, QUALITY } from './lib/dataset-rows.ts';
import { gatesSchema } from './lib/gates.ts';
import { CLONE_GATES } from './lib/quality.ts';

const params = z.strictObject({
  /** The name under which the report shows it. */
  name: z.string(),
  scorer: z.string(),
  ablation: yamlFile(ablationSchema),
  gates: yamlFile(gatesSchema),
});
export type EstimateParams = z.infer<typeof params>;

/** Estimators that never look at log probabilities, so their gates do not concern them. */
const WITHOUT_LOG_PROBABILITIES: ReadonlySet<string> = new Set(['naive', 'direct']);

export const estimate: TransformKind<EstimateParams> = {
  name: 'estimate',
  about: 'one estimator on one dataset',
  shape: 'transform',
  params,
  inputs: { dataset: 'one' },

  expect: () => ({ items: 0, calls: [] }),

  run({ name, scorer, ablation, gates }, inputs) {
    const input = inputs.one('dataset');
    const quality = JSON.parse(input.text(QUALITY)) as DatasetQuality;
    const data = evaluationData(input);
    const judgeUncertainty = data.logged.judgeVariances.some((variance) => variance > 0);
    const result = estimateAll(estimatorSettings(ablation, gates.overlap, judgeUncertainty), data);
    const tempered = new Set(quality.logprobs.filter((entry) => entry.tempered).map((entry) => entry.policy));
    const offPolicy = !WITHOUT_LOG_PROBABILITIES.has(ablation.estimator);
    const rows = result.policies.map((cell) => {
      const common = {
        scorer,
        ablation: name,
        estimator: ablation.estimator,
        tempered: offPolicy && tempered.has(cell.policy),
      };
      const failed = offPolicy ? failedDataGate(quality.gates, cell.policy, loggerOf(quality)) : undefined;
      return failed === undefined ? rowOf(cell, common, result.warnings) : refusedByData(failed, cell, common);
    });
    const allRefused = rows.length > 0 && rows.every((row) => row.status === 'refused');
    const first = rows[0];
    return {
      files: { [ROWS]: rows as unknown as readonly JsonObject[] },
      ...(allRefused && first?.status === 'refused' ? { refusal: first.reason } : {}),
    };
  },
};

type Common = Pick<EstimateRow, 'scorer' | 'ablation' | 'estimator' | 'tempered'>;

/** The quality summary lists the logger first. */
const loggerOf = (quality: DatasetQuality): string => quality.logprobs[0]?.policy ?? '';

function failedDataGate(gates: readonly GateResult[], policy: string, logger: string): GateResult | undefined {
  return gates.find(
    (gate) => !gate.passed && (CLONE_GATES.has(gate.gate) || gate.policy === policy || gate.policy === logger),
  );
}

function diagnosticsOf({ diagnostics }: PolicyResult): EstimateRow['diagnostics'] {
  const { rawWeights: raw, weights } = diagnostics;
  return {
    ess: (weights ?? raw)?.ess ?? null,
    rawEss: raw?.ess ?? null,
    meanRawWeight: raw?.mean ?? null,
    // Without a tail to measure (equal weights, few rows) there is no index.
    tailIndex: raw?.tailIndex.kind === 'estimated' ? raw.tailIndex.value : null,
    maxWeightShare: raw?.maximumShare ?? null,
  };
}

function rowOf(cell: PolicyResult, common: Common, warnings: readonly string[]): EstimateRow {
  const { policy } = cell;
  const diagnostics = diagnosticsOf(cell);
  if (cell.status === 'refused') {
    return {
      ...common,
      policy,
      status: 'refused',
      gate: cell.code,
      reason: cell.message,
      collect: cell.whatToCollect,
      n: cell.diagnostics.rows,
      diagnostics,
    };
  }
  const { components, interval, degreesOfFreedom } = cell;
  return {
    ...common,
    policy,
    status: 'ok',
    estimate: cell.estimate,
    standardError: cell.standardError,
    samplingStandardError: Math.sqrt(components.samplingVariance),
    oracleStandardError: Math.sqrt(components.oracleVariance),
    judgeStandardError: cell.judgeStandardError,
    lower: interval[0],
    upper: interval[1],
    degreesOfFreedom: Number.isFinite(degreesOfFreedom) ? degreesOfFreedom : null,
    n: cell.n,
    diagnostics,
    warnings: [...warnings, ...cell.diagnostics.warnings],
  };
}

function refusedByData(gate: GateResult, cell: PolicyResult, common: Common): EstimateRow {
  const value = gate.value === null ? 'not computable' : gate.value.toPrecision(4);
  return {
    ...common,
    policy: cell.policy,
    status: 'refused',
    gate: gate.gate,
    reason: `the data gate ${gate.gate} of ${gate.policy ?? 'the dataset'} failed: ${value}, must be ${gate.bound}`,
    collect: CLONE_GATES.has(gate.gate)
      ? 'Check the template, the boundary and the model behind the log probabilities: a second sample of the logger must weigh 1.'
      : "Mend or re-ask this policy's log probabilities; the statuses in the data quality say what went wrong.",
    n: cell.diagnostics.rows,
    diagnostics: diagnosticsOf(cell),
  };
}

/** Reads a dataset into columns. */
function evaluationData(input: Input): EvaluationData {
  const logged = [...input.rows<LoggedRow>()];
  const draws = new Map<string, FreshRow[]>();
  for (const row of input.rows<FreshRow>(FRESH)) {
    const rows = draws.get(row.policy);
    if (rows === undefined) draws.set(row.policy, [row]);
    else rows.push(row);
  }
  const targets = Object.keys(logged[0]?.target_logprobs ?? {});
  const policies = targets.length > 0 ? orderOf(draws, targets) : [...draws.keys()];
  return {
    logged: {
      promptIds: logged.map((row) => row.prompt_id),
      judgeScores: column(logged, (row) => row.judge_score),
      judgeVariances: column(logged, (row) => row.judge_variance),
      oracleLabels: column(logged, (row) => row.oracle_label),
      baseLogprobs: column(logged, (row) => row.base_logprob),
      responseLengths: column(logged, (row) => row.response_words),
      targetLogprobs: new Map(
        policies.map((policy) => [policy, column(logged, (row) => row.target_logprobs[policy] ?? null)]),
      ),
    },
    policies,
    freshDraws: new Map([...draws].map(([policy, rows]) => [policy, freshDraws(rows)])),
  };
}

/** Policies in the order of their draws, which is the graph's: the keys of a canonical row are sorted. */
function orderOf(draws: ReadonlyMap<string, unknown>, targets: readonly string[]): string[] {
  return [
    ...[...draws.keys()].filter((policy) => targets.includes(policy)),
    ...targets.filter((policy) => !draws.has(policy)),
  ];
}

function freshDraws(rows: readonly FreshRow[]): FreshDraws {
  return {
    promptIds: rows.map((row) => row.prompt_id),
    drawIndexes: new Int32Array(rows.length),
    judgeScores: column(rows, (row) => row.judge_score),
    judgeVariances: column(rows, (row) => row.judge_variance),
    oracleLabels: column(rows, (row) => row.oracle_label),
    responseLengths: column(rows, (row) => row.response_words),
  };
}

function column<T>(rows: readonly T[], value: (row: T) => number | null): Float64Array {
  return Float64Array.from(rows, (row) => value(row) ?? Number.NaN);
}
