/** A dataset's rows as the columns that estimators read. */

import type { Input } from '../core/kind.ts';
import type { EvaluationData, FreshDraws } from '../stats/index.ts';
import { FRESH, type FreshRow, type LoggedRow, QUALITY } from './dataset-rows.ts';
import type { DatasetQuality } from './results.ts';
import { DATASET, DRAWS } from './row-types.ts';

/** The same, with the policy that wrote the log among those that are estimated. */
export function rankedData(input: Pick<Input, 'rows' | 'text'>): EvaluationData {
  const { logger } = JSON.parse(input.text(QUALITY)) as DatasetQuality;
  return { ...evaluationData(input), ...(logger === null ? {} : { logger }) };
}

/** Null becomes NaN, which means missing. */
export function evaluationData(input: Pick<Input, 'rows' | 'text'>): EvaluationData {
  const { targets: policies, logger } = JSON.parse(input.text(QUALITY)) as DatasetQuality;
  const draws = new Map<string, FreshRow[]>();
  const probes = new Map<string, FreshRow[]>();
  const set: FreshRow[] = [];
  for (const row of input.rows(DRAWS, FRESH)) {
    if (row.part === 'calibration') {
      set.push(row);
      continue;
    }
    const of = row.part === 'probe' ? probes : draws;
    const rows = of.get(row.policy);
    if (rows === undefined) of.set(row.policy, [row]);
    else rows.push(row);
  }
  // Without a log the calibration is learnt on the labels that the policies' own draws have.
  const pooled = logger === null;
  const logged = pooled ? [...draws.values()].flat().map(unlogged) : [...input.rows(DATASET)];
  return {
    ...(pooled ? { pooled } : {}),
    logged: {
      promptIds: logged.map((row) => row.prompt_id),
      judgeScores: column(logged, (row) => row.judge_score),
      judgeVariances: column(logged, (row) => row.judge_variance),
      oracleLabels: column(logged, (row) => row.oracle_label),
      ...propensities(logged),
      baseLogprobs: column(logged, (row) => row.base_logprob),
      responseLengths: column(logged, (row) => row.response_words),
      targetLogprobs: new Map(
        policies.map((policy) => [policy, column(logged, (row) => row.target_logprobs[policy] ?? null)]),
      ),
    },
    policies,
    freshDraws: new Map([...draws].map(([policy, rows]) => [policy, freshDraws(rows)])),
    ...(set.length === 0 ? {} : { calibrationSet: freshDraws(set) }),
    ...(probes.size === 0 ? {} : { probes: new Map([...probes].map(([policy, rows]) => [policy, freshDraws(rows)])) }),
  };
}

function freshDraws(rows: readonly FreshRow[]): FreshDraws {
  return {
    promptIds: rows.map((row) => row.prompt_id),
    drawIndexes: drawIndexes(rows),
    judgeScores: column(rows, (row) => row.judge_score),
    judgeVariances: column(rows, (row) => row.judge_variance),
    oracleLabels: column(rows, (row) => row.oracle_label),
    ...propensities(rows),
    responseLengths: column(rows, (row) => row.response_words),
  };
}

const unlogged = (row: FreshRow): LoggedRow => ({ ...row, base_logprob: null, target_logprobs: {} });

/** Absent where no row has one. */
function propensities(rows: readonly { readonly label_propensity?: number }[]) {
  if (!rows.some((row) => row.label_propensity !== undefined)) return {};
  return { labelPropensities: column(rows, (row) => row.label_propensity ?? null) };
}

/** As given, else 0, 1, … within a prompt in the order of the rows. */
function drawIndexes(rows: readonly FreshRow[]): Int32Array {
  const seen = new Map<string, number>();
  return Int32Array.from(rows, ({ prompt_id, draw_index }) => {
    const index = seen.get(prompt_id) ?? 0;
    seen.set(prompt_id, index + 1);
    return draw_index ?? index;
  });
}

function column<T>(rows: readonly T[], value: (row: T) => number | null): Float64Array {
  return Float64Array.from(rows, (row) => value(row) ?? Number.NaN);
}
