/**
 * Kind `oracle`: labels on a slice of the logger's responses (calibration) and of each target's (validation); without a
 * logger on an equal slice of every policy's. From a model, from people, or both.
 */

import { z } from 'zod';
import { type CallsKind, type Inputs, ROWS, type RowGenerator, type WiringFault } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { isUsable } from '../core/summary.ts';
import { type LabelPlan, labelledNames, labelledOf, splitOf } from '../datasets/label-sample.ts';
import { LABELS, RESPONSES } from '../datasets/row-types.ts';
import { drawName, type LabelRow, promptItem, type ResponseRow } from '../datasets/rows.ts';
import { scaleField } from '../datasets/scale.ts';
import { expectedVerdicts, judgeResponse } from './files/judge.ts';
import { columnFaults } from './files/judge-columns.ts';
import { judgeSchema } from './files/judge-file.ts';

const params = z.strictObject({
  oracle: yamlFile(judgeSchema)
    .optional()
    .describe('The judge whose verdicts are the labels; may be left out where people label.'),
  enabled: z
    .enum(['on', 'off'])
    .default('on')
    .describe('`off` emits no labels: the rest builds, and what needs labels refuses.'),
  logger: z
    .string()
    .optional()
    .describe('The policy whose responses the calibration labels are on; without one those of every policy are.'),
  calibration_share: z
    .number()
    .min(0)
    .max(1)
    .describe(
      'The share of the logger’s responses that are labelled to learn the calibration from; without a logger, of each policy’s.',
    ),
  validation_share: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('The share of each policy’s own responses that are labelled to check it.'),
  seed: z.int().min(0).default(42).describe('The seed of the choice of what is labelled for the calibration.'),
  validation_seed: z.int().min(0).default(43).describe('The seed of the choice of what is labelled to check it.'),
  choose: z
    .enum(['share', 'each'])
    .exactOptional()
    .describe(
      '`share`, which is usual: so many responses, no more and no less. `each`: every response with that chance, by its own hash; more responses then never drop a label.',
    ),
  replicate: z.int().min(0).default(0).describe('Which repetition of the labelling this is; part of every call’s key.'),
});
type OracleParams = z.infer<typeof params>;

/** A response to be labelled, or one that people have labelled. */
type LabelItem = ResponseRow & {
  readonly policy: string;
  readonly split: LabelRow['split'];
  readonly given?: LabelRow;
};

export const oracle: CallsKind<OracleParams, LabelItem> = {
  name: 'oracle',
  about: 'labels on a slice of the responses: from a model, from people, or both',
  shape: 'calls',
  params,
  inputs: {
    responses: { arity: 'many', rows: [RESPONSES] },
    labels: { arity: 'optional', rows: [LABELS] },
  },
  outputs: { [ROWS]: LABELS },
  measures: [{ column: 'label', label: 'label', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  check({ oracle: judge, logger }, inputs) {
    const responses = inputs('responses');
    const named = responses.map(({ label }) => `'${label}'`).join(', ');
    const faults: WiringFault[] = [];
    if (judge !== undefined) faults.push(...columnFaults(judge, ['oracle'], responses));
    if (judge?.output === 'pairwise') {
      faults.push({
        at: { param: ['oracle', 'output'] },
        message: 'an oracle labels each response alone, and a pairwise judge does not',
        hint: 'Use `output: score` or `criteria`.',
      });
    }
    if (judge === undefined && inputs('labels').length === 0) {
      faults.push({
        at: { param: ['oracle'] },
        message: 'nobody labels: there is neither an `oracle:` nor the input `labels`',
        hint: 'Name the file of a judge as `oracle:`, or a stage of kind `table` with `as: labels` as the input `labels`.',
      });
    }
    if (logger !== undefined && !responses.some(({ label }) => label === logger)) {
      faults.push({
        at: { param: ['logger'] },
        message: `there are no responses of the logger '${logger}'`,
        hint: `The responses are of ${named}.`,
      });
    }
    return faults;
  },

  expect(all, sizes) {
    if (all.enabled === 'off' || all.oracle === undefined) return { items: 0, calls: [] };
    let items = 0;
    for (const [policy, size] of sizes.many('responses')) items += labelledOf(policy, size, planOf(all));
    return { items, calls: [expectedVerdicts(all.oracle, items)] };
  },

  items: labelItems,

  *row({ policy, split, given, ...item }, { oracle: judge, replicate }): RowGenerator {
    if (given !== undefined) return given;
    if (judge === undefined) throw new Error('Internal error: a response to be labelled by nobody');
    const { prompt_id, response, draw_index } = item;
    const verdict = yield* judgeResponse(judge, { ...item, response: response ?? '' }, replicate);
    const label = verdict.status === 'ok' ? verdict.score : null;
    return {
      policy,
      prompt_id,
      split,
      status: verdict.status,
      label,
      // Results are in units that somebody has named.
      ...scaleField(judge.scale),
      model: verdict.model,
      ...(draw_index === undefined ? {} : { draw_index }),
      ...(verdict.status === 'ok' && verdict.rationale !== undefined ? { rationale: verdict.rationale } : {}),
    };
  },
};

const planOf = (all: OracleParams): LabelPlan => ({
  logger: all.logger,
  calibrationShare: all.calibration_share,
  validationShare: all.validation_share,
  seed: all.seed,
  validationSeed: all.validation_seed,
  ...(all.choose === undefined ? {} : { choose: all.choose }),
});

function* labelItems(all: OracleParams, inputs: Inputs): Iterable<LabelItem> {
  const plan = planOf(all);
  const given = new Map<string, LabelRow>();
  for (const row of inputs.has('labels') ? inputs.one('labels').rows(LABELS) : []) {
    given.set(`${row.policy}\n${drawName(row.prompt_id, row.draw_index)}`, row);
  }
  const asks = all.enabled === 'on' && all.oracle !== undefined;
  if (!asks && given.size === 0) return;
  for (const [policy, input] of inputs.many('responses')) {
    const split = splitOf(policy, plan);
    const chosen = asks ? labelledNames(policy, input.rows(RESPONSES), plan) : undefined;
    for (const row of input.rows(RESPONSES)) {
      if (!isUsable(row.status)) continue;
      const name = drawName(row.prompt_id, row.draw_index);
      const label = given.get(`${policy}\n${name}`);
      if (label !== undefined) yield { ...row, policy, split, given: { ...label, split } };
      else if (chosen?.has(name)) yield { ...row, policy, split };
    }
  }
}
