/** Kind `oracle`: labels on a slice of the logger's responses (calibration) and of each target's (validation). */

import { z } from 'zod';
import { type CallsKind, type Inputs, ROWS, type RowGenerator } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { LABELS, RESPONSES } from '../datasets/row-types.ts';
import { type LabelRow, promptItem, type ResponseRow } from '../datasets/rows.ts';
import { hashSample, sampleSize } from '../datasets/sample.ts';
import { expectedVerdicts, judgeResponse, judgeSchema } from './files/judge.ts';

const params = z.strictObject({
  oracle: yamlFile(judgeSchema).describe('The judge whose verdicts are the labels.'),
  enabled: z
    .enum(['on', 'off'])
    .default('on')
    .describe('`off` emits no labels: the rest builds, and what needs labels refuses.'),
  logger: z.string().describe('The policy whose responses the calibration labels are on.'),
  calibration_share: z
    .number()
    .min(0)
    .max(1)
    .describe('The share of the logger’s responses that are labelled to learn the calibration from.'),
  validation_share: z
    .number()
    .min(0)
    .max(1)
    .describe('The share of each policy’s own responses that are labelled to check it.'),
  seed: z.int().min(0).default(42).describe('The seed of the choice of what is labelled for the calibration.'),
  validation_seed: z.int().min(0).default(43).describe('The seed of the choice of what is labelled to check it.'),
  replicate: z.int().min(0).default(0).describe('Which repetition of the labelling this is; part of every call’s key.'),
});
type OracleParams = z.infer<typeof params>;

type LabelItem = ResponseRow & { readonly policy: string; readonly split: LabelRow['split'] };

const splitOf = (policy: string, { logger }: OracleParams): LabelRow['split'] =>
  policy === logger ? 'calibration' : 'validation';

export const oracle: CallsKind<OracleParams, LabelItem> = {
  name: 'oracle',
  about: "labels on a slice of the logger's and the targets' responses",
  shape: 'calls',
  params,
  inputs: { responses: { arity: 'many', rows: [RESPONSES] } },
  outputs: { [ROWS]: LABELS },
  measures: [{ column: 'label', label: 'label', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  expect(all, sizes) {
    if (all.enabled === 'off') return { items: 0, calls: [] };
    let items = 0;
    for (const [policy, size] of sizes.many('responses')) {
      items += sampleSize(size, splitOf(policy, all) === 'calibration' ? all.calibration_share : all.validation_share);
    }
    return { items, calls: [expectedVerdicts(all.oracle, items)] };
  },

  items: labelItems,

  *row({ policy, prompt_id, prompt, response, split }, { oracle: judge, replicate }): RowGenerator {
    const verdict = yield* judgeResponse(judge, { prompt, response: response ?? '' }, replicate);
    const label = verdict.status === 'ok' ? verdict.score : null;
    return { policy, prompt_id, split, status: verdict.status, label, model: verdict.model };
  },
};

function* labelItems(all: OracleParams, inputs: Inputs): Iterable<LabelItem> {
  if (all.enabled === 'off') return;
  for (const [policy, input] of inputs.many('responses')) {
    const split = splitOf(policy, all);
    const share = split === 'calibration' ? all.calibration_share : all.validation_share;
    const seed = split === 'calibration' ? all.seed : all.validation_seed;
    const ids: string[] = [];
    for (const row of input.rows(RESPONSES)) if (row.status === 'ok') ids.push(row.prompt_id);
    const chosen = hashSample(ids, share, seed);
    for (const row of input.rows(RESPONSES)) {
      if (row.status === 'ok' && chosen.has(row.prompt_id)) yield { ...row, policy, split };
    }
  }
}
