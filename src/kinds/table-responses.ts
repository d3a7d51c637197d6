/** Kind `table`, `as: responses`: answers that are there already, of one policy a node. */

import { z } from 'zod';
import { ROWS, type SourceKind } from '../core/kind.ts';
import { sourcePath } from '../core/params.ts';
import { PROMPTS, RESPONSES } from '../datasets/row-types.ts';
import { promptItem } from '../datasets/rows.ts';
import { firstPrompts } from '../datasets/sample.ts';
import { readResponses } from '../datasets/tables/responses.ts';
import { column, rowSettings, tableSettings } from './files/table.ts';

const params = z.strictObject({
  as: z.literal('responses').describe('The rows are responses.'),
  file: sourcePath().describe('JSON Lines, JSON, CSV, tabs or Parquet; also in gzip or zstd.'),
  policy: z
    .string()
    .min(1)
    .optional()
    .describe('Whose responses: a column of that name, or the rows that name it. Absent: the file is one policy’s.'),
  columns: z
    .strictObject({
      prompt: column(),
      prompt_id: column(),
      policy: column(),
      response: column(),
      draw_index: column(),
      reference: column(),
    })
    .default({})
    .describe('Which column is which, where they have not the usual names.'),
  first: z
    .int()
    .min(1)
    .exactOptional()
    .describe(
      'Take this many of the prompts alone, by a hash of their ids; more hold fewer. `cje gate` buys in such steps.',
    ),
  keep: z
    .array(z.string().min(1))
    .default([])
    .describe('Further columns that go along, for judges that ask for `{{columns.NAME}}`.'),
  ...rowSettings,
});
type Params = z.infer<typeof params>;

const FILE = 'file';

export const tableResponses: SourceKind<Params> = {
  name: 'table-responses',
  variant: { of: 'table', param: 'as', word: 'responses' },
  about: 'responses that are there already: a column for each policy, or a row for each',
  shape: 'source',
  params,
  inputs: { prompts: { arity: 'optional', rows: [PROMPTS] } },
  outputs: { [ROWS]: RESPONSES },
  item: promptItem,

  expect: () => ({ items: 0, calls: [] }),

  locate: ({ file }) => ({ [FILE]: { type: 'path', path: file } }),

  async parse({ policy, columns, keep, first, ...settings }, files, inputs) {
    const prompts = inputs.has('prompts')
      ? new Map(Array.from(inputs.one('prompts').rows(PROMPTS), (row) => [row.prompt_id, row]))
      : undefined;
    const options = { policy, columns, keep, prompts, ...tableSettings(settings) };
    const { rows, notes } = await readResponses(files[FILE]!, options);
    return { files: { [ROWS]: firstPrompts(rows, first) }, ...(notes.length === 0 ? {} : { notes }) };
  },
};
