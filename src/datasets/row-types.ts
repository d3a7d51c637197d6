/**
 * What passes between stages: every type of rows, and of whole JSON files, by the name that the loader compares. Schemas
 * are strict, and made only when a test asks for one.
 */

import { z } from 'zod';
import type { RowType } from '../core/kind.ts';
import type { FreshRow, LoggedRow, TextRow } from './dataset-rows.ts';
import type { GridRow, MethodScore } from './grid-rows.ts';
import type { DatasetQuality, EstimateRow, PolicyComparisons, TransportResult, Truth } from './results.ts';
import type { LabelRow, LogprobRow, PromptRow, ResponseRow, ScoreRow } from './rows.ts';

const number = () => z.number().nullable();
const share = () => z.number().min(0).max(1);
const count = () => z.int().min(0);
const counts = () => z.record(z.string(), count());
const scale = () => z.tuple([z.number(), z.number()]);

const extras = () => ({
  messages: z
    .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .exactOptional(),
  reference: z.string().exactOptional(),
  columns: z.record(z.string(), z.string()).exactOptional(),
});

export const PROMPTS: RowType<PromptRow> = {
  name: 'prompts',
  schema: () =>
    z.strictObject({ prompt_id: z.string(), prompt: z.string(), source_row: count().exactOptional(), ...extras() }),
};

export const RESPONSES: RowType<ResponseRow> = {
  name: 'responses',
  schema: () =>
    z.strictObject({
      prompt_id: z.string(),
      prompt: z.string(),
      status: z.string(),
      response: z.string().nullable(),
      finish_reason: z.string().nullable(),
      model: z.string().nullable(),
      temperature: z.number(),
      top_p: z.number(),
      usage: z.strictObject({ input: count(), output: count() }).nullable(),
      token_ids: z.array(z.int()).exactOptional(),
      prompt_token_ids: z.array(z.int()).exactOptional(),
      sampled: z
        .strictObject({
          author: z.string(),
          count: count().nullable(),
          tokens: z.array(z.string()),
          logprobs: z.array(number()),
          ids: z.array(z.int()).exactOptional(),
        })
        .exactOptional(),
      thoughts: z.string().exactOptional(),
      generated: z.string().exactOptional(),
      draw_index: count().exactOptional(),
      ...extras(),
    }),
};

export const LOGPROBS: RowType<LogprobRow> = {
  name: 'logprobs',
  schema: () =>
    z.strictObject({
      prompt_id: z.string(),
      status: z.string(),
      logprob: number(),
      tokens: count().nullable(),
      spread: number(),
      model: z.string().nullable(),
      check: z
        .strictObject({
          generated: z.number(),
          agreement: z.string(),
          informative: count(),
          gg: z.number(),
          fg: z.number(),
          median: z.number(),
          largest: z.number(),
        })
        .exactOptional(),
      as_sampled: z
        .strictObject({ temperature: z.number(), top_p: z.number(), raw: z.number(), bound: z.number() })
        .exactOptional(),
    }),
};

export const SCORES: RowType<ScoreRow> = {
  name: 'scores',
  schema: () =>
    z.strictObject({
      prompt_id: z.string(),
      status: z.string(),
      score: share().nullable(),
      variance: z.number().min(0).nullable(),
      model: z.string().nullable(),
      rationale: z.string().exactOptional(),
      criteria: z.record(z.string(), share()).exactOptional(),
      draws: z.array(share()).exactOptional(),
      orders: z.tuple([share(), share()]).exactOptional(),
      repaired: z.boolean().exactOptional(),
      scale: scale().exactOptional(),
      draw_index: count().exactOptional(),
    }),
};

export const LABELS: RowType<LabelRow> = {
  name: 'labels',
  schema: () =>
    z.strictObject({
      policy: z.string(),
      prompt_id: z.string(),
      split: z.enum(['calibration', 'validation']),
      status: z.string(),
      label: share().nullable(),
      scale: scale().exactOptional(),
      model: z.string().nullable(),
      raters: count().exactOptional(),
      text: z.string().exactOptional(),
      rationale: z.string().exactOptional(),
      draw_index: count().exactOptional(),
    }),
};

/** The logger's responses in `rows.jsonl`; beside them stand {@link DRAWS} and {@link QUALITY_JSON}. */
export const DATASET: RowType<LoggedRow> = {
  name: 'dataset',
  schema: () =>
    z.strictObject({
      prompt_id: z.string(),
      judge_score: number(),
      judge_variance: number(),
      oracle_label: number(),
      label_propensity: z.number().gt(0).max(1).exactOptional(),
      base_logprob: number(),
      target_logprobs: z.record(z.string(), number()),
      response_words: count().nullable(),
    }),
};

/** The target policies' own responses, in a dataset's `fresh.jsonl`. */
export const DRAWS: RowType<FreshRow> = {
  name: 'draws',
  schema: () =>
    z.strictObject({
      policy: z.string(),
      prompt_id: z.string(),
      judge_score: number(),
      judge_variance: number(),
      oracle_label: number(),
      label_propensity: z.number().gt(0).max(1).exactOptional(),
      response_words: count().nullable(),
      draw_index: count().exactOptional(),
      part: z.enum(['probe', 'calibration']).exactOptional(),
    }),
};

/** What was asked and answered, beside a dataset that came from files; in its `texts.jsonl`. */
export const DATASET_TEXTS: RowType<TextRow> = {
  name: 'texts',
  schema: () =>
    z.strictObject({
      policy: z.string(),
      prompt_id: z.string(),
      prompt: z.string().nullable(),
      response: z.string().nullable(),
      rationale: z.string().exactOptional(),
      columns: z.record(z.string(), z.string()).exactOptional(),
      draw_index: count().exactOptional(),
    }),
};

export const QUALITY_JSON: RowType<DatasetQuality> = {
  name: 'quality',
  schema: () =>
    z.strictObject({
      scorer: z.string(),
      logger: z.string().nullable(),
      targets: z.array(z.string()),
      prompts: count(),
      rows: count(),
      scale: scale().exactOptional(),
      labels: z.strictObject({ calibration: count(), validation: counts() }),
      missing: counts(),
      logprobs: z.array(
        z.strictObject({
          policy: z.string(),
          usable: count(),
          zeroRate: share(),
          statuses: counts(),
          tempered: z.boolean(),
          asSampled: z.strictObject({ temperature: z.number(), topP: z.number(), bound: z.number() }).exactOptional(),
        }),
      ),
      consistency: z
        .array(
          z.strictObject({
            policy: z.string(),
            rows: count(),
            informative: count(),
            slope: number(),
            median: z.number(),
            largest: z.number(),
            agreements: counts(),
          }),
        )
        .exactOptional(),
      weights: z.array(
        z.strictObject({
          policy: z.string(),
          n: count(),
          mean: z.number(),
          meanLower: z.number(),
          meanUpper: z.number(),
          ess: z.number(),
          typicality: z.strictObject({ coverage: z.number(), factor: z.number() }).nullable(),
          logRatioQuantiles: z.array(z.number()).length(9),
          histogram: z.array(count()),
          histogramFrom: z.number(),
          histogramTo: z.number(),
        }),
      ),
      scores: z.array(
        z.strictObject({
          policy: z.string(),
          n: count(),
          mean: z.number(),
          standardDeviation: z.number(),
          unparseable: count(),
          histogram: z.array(count()).length(20),
        }),
      ),
      positions: z
        .array(
          z.strictObject({
            policy: z.string(),
            prompts: count(),
            bias: z.number(),
            lower: z.number(),
            upper: z.number(),
            consistent: share(),
            consistentLower: share(),
            consistentUpper: share(),
          }),
        )
        .exactOptional(),
      calibration: z
        .strictObject({
          mode: z.string(),
          curve: z.array(z.tuple([z.number(), z.number()])),
          points: z.array(z.tuple([z.number(), z.number()])),
          rmse: z.number(),
        })
        .nullable(),
      transport: z.array(transportSchema()),
      gates: z.array(
        z.strictObject({
          gate: z.string(),
          policy: z.string().nullable(),
          passed: z.boolean(),
          value: number(),
          bound: z.string(),
          note: z.string().exactOptional(),
        }),
      ),
    }),
};

const transportSchema = (): z.ZodType<TransportResult> =>
  z.strictObject({
    policy: z.string(),
    state: z.enum(['not-checked', 'not-graded', 'fail', 'inconclusive', 'pass']),
    labels: count(),
    bias: number(),
    lower: number(),
    upper: number(),
    margin: number(),
    detectableBias: number(),
    labelsToPass: count().nullable(),
    probe: z.literal(true).exactOptional(),
  });

export const ESTIMATES: RowType<EstimateRow> = {
  name: 'estimates',
  schema: () => {
    const cell = {
      scorer: z.string(),
      ablation: z.string(),
      estimator: z.string(),
      policy: z.string(),
      n: count(),
      diagnostics: z.strictObject({
        ess: number(),
        rawEss: number(),
        meanRawWeight: number(),
        tailIndex: number(),
        maxWeightShare: number(),
      }),
      tempered: z.boolean(),
    };
    return z.discriminatedUnion('status', [
      z.strictObject({
        ...cell,
        status: z.literal('ok'),
        estimate: z.number(),
        standardError: z.number(),
        samplingStandardError: z.number(),
        oracleStandardError: z.number(),
        sharedVariance: z.number(),
        extrapolationStandardError: z.number(),
        stabilisationStandardError: z.number().optional(),
        judgeStandardError: z.number(),
        lower: z.number(),
        upper: z.number(),
        degreesOfFreedom: number(),
        warnings: z.array(z.strictObject({ gate: z.string().nullable(), open: z.boolean(), text: z.string() })),
      }),
      z.strictObject({
        ...cell,
        status: z.literal('refused'),
        gate: z.string(),
        reason: z.string(),
        collect: z.string(),
      }),
    ]);
  },
};

export const COMPARISONS_JSON: RowType<PolicyComparisons> = {
  name: 'comparisons',
  schema: () =>
    z.strictObject({
      scorer: z.string(),
      ablation: z.string(),
      confidence: share(),
      pairs: z.array(
        z.strictObject({
          a: z.string(),
          b: z.string(),
          difference: z.number(),
          standardError: z.number(),
          lower: z.number(),
          upper: z.number(),
          simultaneousLower: z.number(),
          simultaneousUpper: z.number(),
          pValue: share(),
          discoveryP: share(),
          familyP: share(),
        }),
      ),
      ranks: z.array(
        z.strictObject({
          policy: z.string(),
          rank: count(),
          bestRank: count(),
          worstRank: count(),
          probabilityOfBest: share(),
        }),
      ),
    }),
};

export const TRUTH_JSON: RowType<Truth> = {
  name: 'truth',
  schema: () =>
    z.strictObject({
      available: z.boolean(),
      population: z.enum(['prompt law', 'these prompts']).nullable(),
      values: z.record(z.string(), z.number()),
    }),
};

export const GRID: RowType<GridRow> = {
  name: 'grid',
  schema: () => {
    const cell = {
      ablation: z.string(),
      estimator: z.string(),
      reward_calibration: z.string(),
      covariates: z.string(),
      sample_size: count(),
      oracle_coverage: share(),
      seed: count(),
      policy: z.string(),
      held: z.number(),
      held_error: z.number(),
    };
    return z.discriminatedUnion('status', [
      z.strictObject({
        ...cell,
        status: z.literal('ok'),
        estimate: z.number(),
        standard_error: z.number(),
        lower: z.number(),
        upper: z.number(),
        covered: z.boolean(),
        n: count(),
      }),
      z.strictObject({ ...cell, status: z.literal('refused'), gate: z.string() }),
    ]);
  },
};

/** How each method of a grid did. */
export const METHODS: RowType<MethodScore> = {
  name: 'methods',
  schema: () =>
    z.strictObject({
      ablation: z.string(),
      estimator: z.string(),
      reward_calibration: z.string(),
      covariates: z.string(),
      cells: count(),
      refused: share(),
      bias: number(),
      rmse: number(),
      rmseDebiased: number(),
      coverage: number(),
      meanWidth: number(),
      intervalScore: number(),
      standardError: number(),
      kendallTau: number(),
      pairwiseAccuracy: number(),
      topOneAccuracy: number(),
    }),
};
