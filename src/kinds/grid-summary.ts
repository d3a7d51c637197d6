/** Kind `grid-summary`: how each method of a grid did, over all its cells and by sample size and oracle coverage. */

import { z } from 'zod';
import { ROWS, type TransformKind } from '../core/kind.ts';
import { GRID, METHODS } from '../datasets/row-types.ts';
import { cellsCsv } from '../report/files/grid-cells-csv.ts';
import { GridTally } from '../report/model/grid-score.ts';
import { gridMarkdown } from '../report/render/markdown/grid.ts';

const CELLS = 'cells.csv';
const TABLE = 'summary.md';

const params = z.strictObject({ title: z.string().describe('The title of the tables.') });
type GridSummaryParams = z.infer<typeof params>;

export const gridSummary: TransformKind<GridSummaryParams> = {
  name: 'grid-summary',
  about: 'how the methods of a grid did: error, coverage, ranking',
  shape: 'transform',
  params,
  inputs: { grid: { arity: 'many', rows: [GRID] } },
  outputs: { [ROWS]: METHODS, [CELLS]: 'text', [TABLE]: 'text' },

  expect: () => ({ items: 0, calls: [] }),

  heavy: () => true,

  run({ title }, inputs) {
    const tally = new GridTally();
    for (const input of inputs.many('grid').values()) for (const row of input.rows(GRID)) tally.add(row);
    const methods = tally.methods();
    const cells = tally.cells();
    return {
      files: {
        [ROWS]: methods,
        [CELLS]: cellsCsv(cells),
        [TABLE]: gridMarkdown(title, methods, cells),
      },
    };
  },
};
