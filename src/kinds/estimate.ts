/** Kind `estimate`: one estimator on one dataset, a row a target policy. */

import { z } from 'zod';
import { canonicalJson, type JsonObject } from '../core/json.ts';
import { type Inputs, type Outputs, ROWS, type TransformKind, type WiredNode, type WiringFault } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { COMPARISONS, QUALITY } from '../datasets/dataset-rows.ts';
import { rankedData } from '../datasets/evaluation-data.ts';
import { gatesSchema, USUAL_GATES } from '../datasets/gates-file.ts';
import { CLONE_GATES, TRUNCATED_GATE } from '../datasets/quality.ts';
import type {
  DatasetQuality,
  EstimateRow,
  EstimateWarning,
  GateResult,
  PolicyComparisons,
} from '../datasets/results.ts';
import { COMPARISONS_JSON, DATASET, ESTIMATES } from '../datasets/row-types.ts';
import { policyItem, ROWS_TO_BE_HEAVY } from '../datasets/rows.ts';
import { comparisonsInUnits, estimateInUnits, type Units, unitsOf } from '../datasets/units.ts';
import { refusalText, warningText } from '../datasets/warning-text.ts';
import {
  bootstrapOf,
  compareAll,
  ESTIMATORS,
  type EstimateResult,
  estimate as estimateAll,
  type PolicyResult,
  rankPolicies,
} from '../stats/index.ts';
import { ablationSchema, estimatorSettings } from './files/ablation.ts';

const params = z.strictObject({
  name: z.string().describe('The name under which the report shows it.'),
  scorer: z.string().describe('The judge’s name in the report.'),
  ablation: yamlFile(ablationSchema).describe('The estimator and its settings.'),
  gates: yamlFile(gatesSchema).default(USUAL_GATES).describe('The bounds below which data and estimates are refused.'),
});
export type EstimateParams = z.infer<typeof params>;

export const estimate: TransformKind<EstimateParams> = {
  name: 'estimate',
  about: 'one estimator on one dataset',
  shape: 'transform',
  params,
  inputs: { dataset: { arity: 'one', rows: [DATASET] } },
  outputs: { [ROWS]: ESTIMATES, [COMPARISONS]: COMPARISONS_JSON },
  item: policyItem,
  check: estimateFaults,

  expect: () => ({ items: 0, calls: [] }),

  heavy: ({ ablation }, sizes) => ablation.inference === 'bootstrap' || sizes.one('dataset') >= ROWS_TO_BE_HEAVY,

  // The units of a bootstrap are its replicates; all else that an estimate does takes less time than handing it on.
  blocks: {
    units: ({ ablation }) => (ablation.inference === 'bootstrap' ? ablation.replicates : 1),
    rows: replicateRows,
    join: (all, inputs, rows) => estimated(all, inputs, replicatesOf(rows)),
  },

  run: (all, inputs) => estimated(all, inputs),
};

/** The rows of each replicate: what all policies come to in it, or none where nothing can be estimated. */
function* replicateRows(all: EstimateParams, inputs: Inputs, from: number) {
  let unit = from;
  for (const replicate of bootstrapOf(...estimationOf(all, inputs), from)) {
    yield [{ estimates: Array.from(replicate) }];
    unit++;
  }
  for (; unit < all.ablation.replicates; unit++) yield [];
}

function* replicatesOf(rows: Iterable<JsonObject>): Generator<readonly number[]> {
  for (const { estimates } of rows) yield estimates as readonly number[];
}

/** What is to be estimated, and on which data. */
function estimationOf({ ablation, gates }: EstimateParams, inputs: Inputs) {
  const data = rankedData(inputs.one('dataset'));
  const judgeUncertainty = [data.logged, ...data.freshDraws.values()].some(({ judgeVariances }) =>
    judgeVariances.some((variance) => variance > 0),
  );
  return [estimatorSettings(ablation, gates.overlap, judgeUncertainty), data] as const;
}

/** @param replicates of a bootstrap, where they are made already */
function estimated(all: EstimateParams, inputs: Inputs, replicates?: Iterable<readonly number[]>): Outputs {
  const { name, scorer, ablation } = all;
  const quality = JSON.parse(inputs.one('dataset').text(QUALITY)) as DatasetQuality;
  const result = withFiniteNumbers(estimateAll(...estimationOf(all, inputs), ESTIMATORS, replicates));
  const tempered = new Set(quality.logprobs.filter((entry) => entry.tempered).map((entry) => entry.policy));
  const { needs, choices } = result.config;
  // The policy that wrote the log is measured on what it wrote.
  const weighs = (policy: string) => needs.log && policy !== quality.logger;
  const refuses = choices.failedGate === 'refuse';
  const brokenGate = (policy: string) =>
    quality.gates.find((gate) => !gate.passed && concerns(gate, policy, weighs(policy) ? quality.logger : null));
  const failedGate = (policy: string) => (refuses ? brokenGate(policy) : undefined);
  const units = unitsOf(quality.scale);
  const rows = result.policies.map((cell) => {
    const common = {
      scorer,
      ablation: name,
      estimator: ablation.estimator,
      tempered: weighs(cell.policy) && tempered.has(cell.policy),
    };
    const failed = failedGate(cell.policy);
    if (failed !== undefined) return refusedByData(failed, cell, common);
    const flagged = refuses ? undefined : brokenGate(cell.policy);
    const warned = cell.diagnostics.gates.filter(({ verdict }) => verdict === 'warn');
    const told = [...result.warnings, ...(flagged === undefined ? [] : [gateReason(flagged)])];
    const warnings = [
      ...told.map((text): EstimateWarning => ({ gate: null, open: false, text })),
      ...warned.map((check): EstimateWarning => {
        const text = warningText(check, result.config.gates, units);
        return { gate: check.gate, open: check.open === true, text };
      }),
    ];
    return rowOf(cell, common, { warnings, units });
  });
  const trusted = { ...result, policies: result.policies.filter(({ policy }) => failedGate(policy) === undefined) };
  const comparisons = comparisonsInUnits(comparisonsOf(scorer, name, trusted), units);
  // The policy that wrote the log has its number whether or not the others can be measured on it.
  const targets = rows.filter(({ policy }) => policy !== quality.logger);
  const allRefused = targets.length > 0 && targets.every((row) => row.status === 'refused');
  const first = targets[0];
  return {
    files: {
      [ROWS]: rows.map((row) => estimateInUnits(row, units)),
      [COMPARISONS]: `${canonicalJson(comparisons)}\n`,
    },
    ...(allRefused && first?.status === 'refused' ? { refusal: first.reason } : {}),
  };
}

function estimateFaults(
  { ablation, scorer }: EstimateParams,
  inputs: (name: string) => readonly WiredNode[],
): WiringFault[] {
  const [dataset] = inputs('dataset');
  return dataset === undefined ? [] : [...scorerFaults(scorer, dataset), ...weightFaults(ablation.estimator, dataset)];
}

/** A report puts estimates and data together by the judge's name. */
function scorerFaults(scorer: string, { name, params }: WiredNode): WiringFault[] {
  if (params.scorer === undefined || params.scorer === scorer) return [];
  return [
    {
      at: { param: ['scorer'] },
      message: `the scorer of '${name}' is '${params.scorer}', not '${scorer}'`,
      hint: `Write \`scorer: ${params.scorer}\`, or the same name at both.`,
    },
  ];
}

/** What needs weights is a mistake over a dataset of which everybody can see that it has none. */
function weightFaults(estimator: EstimateParams['ablation']['estimator'], dataset: WiredNode): WiringFault[] {
  const { needs, name } = ESTIMATORS.get(estimator);
  if (!needs.log || dataset.kind.name !== 'dataset' || dataset.inputs('logprobs').length > 0) return [];
  const others = ESTIMATORS.leaders.filter((other) => !other.needs.log).map((other) => other.name);
  return [
    {
      at: { param: ['ablation', 'estimator'] },
      id: 'CJE-NEEDS-WEIGHTS',
      message: `${name} needs log probabilities of a log, and '${dataset.name}' has none`,
      hint: `Without them there are naive, ${others.join(', ')}.`,
    },
  ];
}

/** Weights of hundreds of nats overflow, and parity computes with whatever it is given; no file holds such a number. */
function withFiniteNumbers(result: EstimateResult): EstimateResult {
  const policies = result.policies.map((cell): PolicyResult => {
    if (cell.status === 'refused') return cell;
    const { estimate, standardError, interval, judgeStandardError, policy, diagnostics } = cell;
    if ([estimate, standardError, ...interval, judgeStandardError].every(Number.isFinite)) return cell;
    const message = `the estimate is ${estimate} with standard error ${standardError}`;
    const whatToCollect =
      'Check the log probabilities and lengths of this policy’s rows; the data quality shows their range.';
    return { status: 'refused', code: 'not-finite', message, whatToCollect, policy, diagnostics };
  });
  return { ...result, policies };
}

/** The policies' differences and ranks; influence values are in memory only while the estimate is made. */
function comparisonsOf(scorer: string, ablation: string, result: EstimateResult): PolicyComparisons {
  const pairs = compareAll(result);
  return {
    scorer,
    ablation,
    confidence: 1 - result.config.alpha,
    pairs: pairs.map((pair) => ({
      a: pair.a,
      b: pair.b,
      difference: pair.difference,
      standardError: pair.standardError,
      lower: pair.interval[0],
      upper: pair.interval[1],
      simultaneousLower: pair.simultaneousInterval[0],
      simultaneousUpper: pair.simultaneousInterval[1],
      pValue: pair.pValue,
      discoveryP: pair.adjustedP,
      familyP: pair.maxTP,
    })),
    ranks: rankPolicies(result, undefined, pairs).map(({ policy, rank, rankInterval, probabilityOfBest }) => ({
      policy,
      rank,
      bestRank: rankInterval[0],
      worstRank: rankInterval[1],
      probabilityOfBest,
    })),
  };
}

type Common = Pick<EstimateRow, 'scorer' | 'ablation' | 'estimator' | 'tempered'>;

/**
 * Whether a gate is about what an estimate of a policy stands on.
 *
 * @param logger whose log is used; null where the policy's own answers are all, so that log probabilities do not matter
 */
function concerns({ gate, policy: of }: GateResult, policy: string, logger: string | null): boolean {
  if (logger === null) return gate === TRUNCATED_GATE && of === policy;
  return CLONE_GATES.has(gate) || of === policy || of === logger;
}

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

function diagnosticsOf({ diagnostics }: PolicyResult): EstimateRow['diagnostics'] {
  const { rawWeights: raw, weights } = diagnostics;
  return {
    ess: finite((weights ?? raw)?.ess),
    rawEss: finite(raw?.ess),
    meanRawWeight: finite(raw?.mean),
    // Without a tail to measure (equal weights, few rows) there is no index.
    tailIndex: raw?.tailIndex.kind === 'estimated' ? finite(raw.tailIndex.value) : null,
    maxWeightShare: finite(raw?.maximumShare),
  };
}

function rowOf(
  cell: PolicyResult,
  common: Common,
  { warnings, units }: { readonly warnings: readonly EstimateWarning[]; readonly units: Units },
): EstimateRow {
  const { policy } = cell;
  const diagnostics = diagnosticsOf(cell);
  if (cell.status === 'refused') {
    return {
      ...common,
      policy,
      status: 'refused',
      gate: cell.code,
      reason: refusalText(cell.message, cell.diagnostics.gates, units),
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
    sharedVariance: components.sharedVariance,
    extrapolationStandardError: Math.sqrt(components.extrapolationVariance),
    ...(components.stabilisationVariance === undefined
      ? {}
      : { stabilisationStandardError: Math.sqrt(components.stabilisationVariance) }),
    judgeStandardError: cell.judgeStandardError,
    lower: interval[0],
    upper: interval[1],
    degreesOfFreedom: Number.isFinite(degreesOfFreedom) ? degreesOfFreedom : null,
    n: cell.n,
    diagnostics,
    warnings,
  };
}

function gateReason(gate: GateResult): string {
  const value = gate.value === null ? 'not computable' : gate.value.toPrecision(4);
  const note = gate.note === undefined ? '' : ` (${gate.note})`;
  return `the data gate ${gate.gate} of ${gate.policy ?? 'the dataset'} failed: ${value}, must be ${gate.bound}${note}`;
}

function collectFor({ gate, policy }: GateResult): string {
  if (gate === TRUNCATED_GATE) {
    return `Raise max_tokens of ${policy}, so that its answers end by themselves; or raise maximum_truncated in the gates, where cut answers are meant.`;
  }
  return CLONE_GATES.has(gate)
    ? 'Check the template, the boundary and the model behind the log probabilities: a second sample of the logger must weigh 1.'
    : "Mend or re-ask this policy's log probabilities; the statuses in the data quality say what went wrong.";
}

function refusedByData(gate: GateResult, cell: PolicyResult, common: Common): EstimateRow {
  return {
    ...common,
    policy: cell.policy,
    status: 'refused',
    gate: gate.gate,
    reason: gateReason(gate),
    collect: collectFor(gate),
    n: cell.diagnostics.rows,
    diagnostics: diagnosticsOf(cell),
  };
}
