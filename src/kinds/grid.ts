/** Kind `grid`: one estimator on many random subsets of a fully labelled dataset, against the labels that it did not see. */

import { z } from 'zod';
import { type Inputs, ROWS, type TransformKind } from '../core/kind.ts';
import { yamlFile } from '../core/params.ts';
import { QUALITY } from '../datasets/dataset-rows.ts';
import { evaluationData } from '../datasets/evaluation-data.ts';
import { gatesSchema } from '../datasets/gates-file.ts';
import type { DatasetQuality } from '../datasets/results.ts';
import { DATASET, GRID } from '../datasets/row-types.ts';
import { policyItem } from '../datasets/rows.ts';
import { gridRowInUnits, unitsOf } from '../datasets/units.ts';
import { ablationSchema } from './files/ablation.ts';
import { cellCount, type GridTask, gridRows, gridSchema } from './grid/cells.ts';

const params = z.strictObject({
  name: z.string().describe('The name under which the summary shows it.'),
  ablation: yamlFile(ablationSchema).describe('The estimator and its settings.'),
  gates: yamlFile(gatesSchema).describe('The bounds below which data and estimates are refused.'),
  sample_size: z.int().min(2).describe('Prompts of each cell.'),
  grid: yamlFile(gridSchema).describe('Which cells there are, and how often each is drawn.'),
});
type GridParams = z.infer<typeof params>;

const taskOf = ({ name, ablation, gates, sample_size: sampleSize, grid }: GridParams): GridTask => ({
  name,
  ablation,
  gates,
  sampleSize,
  grid,
});

export const grid: TransformKind<GridParams> = {
  name: 'grid',
  about: 'one estimator on many subsets of a fully labelled dataset, against the labels that it did not see',
  shape: 'transform',
  params,
  inputs: { dataset: { arity: 'one', rows: [DATASET] } },
  outputs: { [ROWS]: GRID },
  item: policyItem,

  expect: (all) => ({ items: cellCount(taskOf(all)), calls: [] }),

  heavy: () => true,

  blocks: {
    units: ({ grid: { seeds } }) => seeds,
    rows: rowsFrom,
    join: (_, __, rows) => ({ files: { [ROWS]: rows } }),
  },

  run: (all, inputs) => ({ files: { [ROWS]: [...rowsFrom(all, inputs, 0)].flat() } }),
};

function* rowsFrom(all: GridParams, inputs: Inputs, seed: number) {
  const input = inputs.one('dataset');
  const units = unitsOf((JSON.parse(input.text(QUALITY)) as DatasetQuality).scale);
  for (const rows of gridRows(taskOf(all), evaluationData(input), seed)) {
    yield rows.map((row) => gridRowInUnits(row, units));
  }
}
