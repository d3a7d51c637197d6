/** Kind `table`, `as: scores`: judge scores that are there already, of one policy a node. */

import { z } from 'zod';
import { ROWS, type SourceKind } from '../core/kind.ts';
import { sourcePath } from '../core/params.ts';
import { SCORES } from '../datasets/row-types.ts';
import { promptItem } from '../datasets/rows.ts';
import { readScores } from '../datasets/tables/scores.ts';
import { column, rowSettings, scaleSchema, tableSettings, valueFaults, valuesSchema } from './files/table.ts';

const params = z.strictObject({
  as: z.literal('scores').describe('The rows are scores.'),
  file: sourcePath().describe('JSON Lines, JSON, CSV, tabs or Parquet; also in gzip or zstd.'),
  policy: z
    .string()
    .min(1)
    .optional()
    .describe('Whose scores: a column of that name, or the rows that name it. Absent: the file is one policy’s.'),
  columns: z
    .strictObject({
      prompt: column(),
      prompt_id: column(),
      policy: column(),
      score: column(),
      variance: column(),
      draw_index: column(),
    })
    .default({})
    .describe('Which column is which, where they have not the usual names.'),
  scale: scaleSchema().default([0, 1]).describe('The lowest and the highest score.'),
  values: valuesSchema(),
  ...rowSettings,
});
type Params = z.infer<typeof params>;

const FILE = 'file';

export const tableScores: SourceKind<Params> = {
  name: 'table-scores',
  variant: { of: 'table', param: 'as', word: 'scores' },
  about: 'scores that are there already: a column for each policy, or a row for each',
  shape: 'source',
  params,
  inputs: {},
  outputs: { [ROWS]: SCORES },
  measures: [{ column: 'score', label: 'score', scale: 'unit', drawn: true, compared: true }],
  item: promptItem,

  check: ({ values, scale }) => valueFaults(values, scale),

  expect: () => ({ items: 0, calls: [] }),

  locate: ({ file }) => ({ [FILE]: { type: 'path', path: file } }),

  async parse({ policy, columns, scale, values, ...settings }, files) {
    const read = await readScores(files[FILE]!, { policy, columns, scale, values, ...tableSettings(settings) });
    return { files: { [ROWS]: read.rows }, ...(read.notes.length === 0 ? {} : { notes: read.notes }) };
  },
};
