/** Kind `table`, `as: labels`: what people said of responses, matched to the texts that they said it of. */

import { z } from 'zod';
import { type Inputs, ROWS, SourceError, type SourceKind } from '../core/kind.ts';
import { sourcePath } from '../core/params.ts';
import { isUsable } from '../core/summary.ts';
import { splitOf } from '../datasets/label-sample.ts';
import { LABELS, RESPONSES } from '../datasets/row-types.ts';
import { promptItem } from '../datasets/rows.ts';
import { type LabelTarget, matchLabels } from '../datasets/tables/match-labels.ts';
import { readRatings } from '../datasets/tables/ratings.ts';
import { column, rowSettings, scaleSchema, tableSettings, valueFaults, valuesSchema } from './files/table.ts';

const params = z.strictObject({
  as: z.literal('labels').describe('The rows are labels.'),
  file: sourcePath({ optional: true }).describe(
    'JSON Lines, JSON, CSV, tabs or Parquet; also in gzip or zstd. A file that is not there yet holds no label.',
  ),
  columns: z
    .strictObject({
      text_id: column(),
      prompt_id: column(),
      prompt: column(),
      policy: column(),
      response: column(),
      draw_index: column(),
      label: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
      rater: column(),
    })
    .default({})
    .describe('Which column is which; several columns under `label` are as many people, who are averaged.'),
  scale: scaleSchema().default([0, 1]).describe('The lowest and the highest label; results are told on it.'),
  values: valuesSchema(),
  logger: z
    .string()
    .optional()
    .describe('The policy whose labels teach the calibration; without one those of every policy do.'),
  share: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('The share of each policy’s responses that `cje export --format labels` asks for.'),
  seed: z.int().min(0).default(42).describe('The seed of the choice of what is asked for, and of its order.'),
  ...rowSettings,
});
type Params = z.infer<typeof params>;

const FILE = 'file';

export const tableLabels: SourceKind<Params> = {
  name: 'table-labels',
  variant: { of: 'table', param: 'as', word: 'labels' },
  about: 'labels from people, each matched to the text that it is of',
  shape: 'source',
  params,
  inputs: { responses: { arity: 'many', rows: [RESPONSES] } },
  outputs: { [ROWS]: LABELS },
  measures: [{ column: 'label', label: 'label', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  check({ logger, values, scale }, inputs) {
    const policies = inputs('responses').map(({ label }) => label);
    const faults = valueFaults(values, scale);
    if (logger !== undefined && !policies.includes(logger)) {
      faults.push({
        at: { param: ['logger'] },
        message: `there are no responses of the logger '${logger}'`,
        hint: `The responses are of ${policies.map((policy) => `'${policy}'`).join(', ')}.`,
      });
    }
    return faults;
  },

  expect: () => ({ items: 0, calls: [] }),

  locate: ({ file }) => ({ [FILE]: { type: 'path', path: file, optional: true } }),

  async examine({ columns, scale, values, ...settings }, files) {
    await readRatings(files[FILE]!, { columns, scale, values, ...tableSettings(settings) });
  },

  async parse({ columns, scale, values, logger, ...settings }, files, inputs) {
    const file = files[FILE]!;
    const { ratings, rows, notes } = await readRatings(file, { columns, scale, values, ...tableSettings(settings) });
    const matched = matchLabels(targetsOf(inputs, logger), ratings, file.label, scale);
    const [lost] = matched.unmatched;
    if (lost !== undefined && matched.unmatched.length === ratings.length) {
      throw new SourceError('no label of this file is of a response here', {
        line: lost.line,
        hint: 'Policies and prompts must be named as the responses have them; `cje export --format labels` writes a sheet.',
      });
    }
    const said = [
      ...(rows === 0 ? ['no label yet: `cje export --format labels` writes a sheet to fill in'] : []),
      ...notes,
      ...matched.notes,
    ];
    return { files: { [ROWS]: matched.labels }, ...(said.length === 0 ? {} : { notes: said }) };
  },
};

function targetsOf(inputs: Inputs, logger: string | undefined): LabelTarget[] {
  return [...inputs.many('responses')].flatMap(([policy, input]) =>
    Array.from(input.rows(RESPONSES))
      .filter(({ status }) => isUsable(status))
      .map((row) => ({ policy, split: splitOf(policy, { logger }), row })),
  );
}
