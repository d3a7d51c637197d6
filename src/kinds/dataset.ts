/** Kind `dataset`: responses, log probabilities, scores and labels joined, checked and summed up. */

import { z } from 'zod';
import { canonicalJson } from '../core/json.ts';
import { ROWS, type TransformKind } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { FRESH, QUALITY } from '../datasets/dataset-rows.ts';
import { gatesSchema } from '../datasets/gates-file.ts';
import { joinInputs } from '../datasets/join.ts';
import { describeQuality } from '../datasets/quality.ts';
import { DATASET, DRAWS, LABELS, LOGPROBS, QUALITY_JSON, RESPONSES, SCORES } from '../datasets/row-types.ts';
import { promptItem, ROWS_TO_BE_HEAVY } from '../datasets/rows.ts';

const params = z.strictObject({
  scorer: z.string().describe('The judge’s name in the report.'),
  logger: z.string().describe('The policy that wrote the log.'),
  clone: z.string().describe('The policy that is a second sample of the logger: its weights must be 1.'),
  gates: yamlFile(gatesSchema).describe('The bounds below which data and estimates are refused.'),
  seed: z.int().min(0).default(42).describe('The seed of the split into folds.'),
});
type DatasetParams = z.infer<typeof params>;

export const dataset: TransformKind<DatasetParams> = {
  name: 'dataset',
  about: 'responses, log probabilities, scores and labels joined and checked',
  shape: 'transform',
  params,
  inputs: {
    responses: { arity: 'many', rows: [RESPONSES] },
    logprobs: { arity: 'many', rows: [LOGPROBS] },
    scores: { arity: 'many', rows: [SCORES] },
    oracle: { arity: 'one', rows: [LABELS] },
    consistency: { arity: 'optional-many', rows: [LOGPROBS] },
  },
  outputs: { [ROWS]: DATASET, [FRESH]: DRAWS, [QUALITY]: QUALITY_JSON },
  measures: [{ column: 'judge_score', label: 'judge score', scale: 'unit', drawn: true }],
  item: promptItem,

  expect({ logger }, sizes) {
    return { items: sizes.many('responses').get(logger) ?? 0, calls: [] };
  },

  heavy: ({ logger }, sizes) => (sizes.many('responses').get(logger) ?? 0) >= ROWS_TO_BE_HEAVY,

  run({ scorer, logger, clone, gates, seed }, inputs) {
    const joined = joinInputs(inputs, logger, gates.data.consistency_row);
    const quality = describeQuality(joined, { scorer, logger, clone, gates, seed });
    return {
      files: {
        [ROWS]: joined.logged,
        [FRESH]: joined.fresh,
        [QUALITY]: `${canonicalJson(quality)}\n`,
      },
    };
  },
};
