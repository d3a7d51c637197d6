/** What kinds write is what they say: a small build of the shipped experiment, every file of it against its type. */

import { expect, it } from 'vitest';
import type { z } from 'zod';
import { ROWS, type RowType, SUMMARY } from '../../src/core/kind.ts';
import { PROMPTS } from '../../src/datasets/row-types.ts';
import { readInput } from '../../src/engine/inputs.ts';
import { grid } from '../../src/kinds/grid.ts';
import { gridSummary } from '../../src/kinds/grid-summary.ts';
import { KINDS } from '../../src/kinds/index.ts';
import { kindsWith } from '../helpers/kinds.ts';
import { shippedGraph, simulatedBuild, simulatedPorts } from '../helpers/simulated.ts';
import { workshop } from '../store/support.ts';
import { good, imported, lines } from './import-support.ts';

const { folder, open } = workshop();

const GRID = { oracle_coverages: [0.5], seeds: 2, own_label_coverage: 0 };
/** The shipped pipeline with every answer labelled, and a grid on its dataset. */
const withGrid = (text: string) =>
  `${text
    .replace(/calibration_share: .*/, 'calibration_share: 1')
    .replace(/validation_share: .*/, 'validation_share: 1')}
  grid:
    kind: grid
    matrix: { ablation: [direct, ips] }
    inputs: { dataset: dataset/deterministic }
    params:
      name: \${ablation}
      ablation: configs/ablations/\${ablation}.yaml
      gates: configs/gates.yaml
      sample_size: 8
      grid: configs/grid.yaml
  summary:
    kind: grid-summary
    inputs: { grid: grid/* }
    params: { title: Small }
`;

it('is of its type, in every file of every node, and no file is left unsaid', async () => {
  const kinds = kindsWith();
  const store = open(folder());
  const graph = shippedGraph(kinds, withGrid);
  const small = { ...graph, nodes: new Map(graph.nodes) };
  for (const [name, node] of graph.nodes) {
    if (node.kind === grid.name) small.nodes.set(name, { ...node, params: { ...node.params, grid: GRID } });
  }
  const { results } = await simulatedBuild(small, ['ablations', 'summary'], simulatedPorts(small, kinds, store));
  const seen = new Set<string>();
  for (const [name, { action }] of results) {
    const { outputs } = kinds.get(action!.kind)!.kind;
    expect([name, Object.keys(action!.outputs).sort()]).toEqual([name, [...Object.keys(outputs), SUMMARY].sort()]);
    seen.add(action!.kind);
    const input = readInput(action!, store.blobs);
    for (const [file, type] of Object.entries(outputs)) {
      if (type === 'text') continue;
      const values = file.endsWith('.json') ? [JSON.parse(input.text(file))] : [...input.rows(undefined, file)];
      if (typeof type === 'object') expectTyped(type, values, `${name}/${file}`);
    }
    // The simulated models keep no tokens, so there is nothing to check their forcing by.
    const isEmpty = action!.kind === grid.name || name.startsWith('consistency/');
    if (outputs[ROWS] !== undefined && !isEmpty) expect(action!.summary.items).toBeGreaterThan(0);
  }
  expect(seen).toContain(gridSummary.name);
  // Imports and tables come from files: the next test has an import. Those and panels are held to their types by their tests.
  const elsewhere = KINDS.filter(
    ({ name, variant }) => name === 'import' || name === 'panel' || variant?.of === 'table',
  );
  expect(
    KINDS.map(({ name }) => name)
      .filter((name) => !seen.has(name))
      .sort(),
  ).toEqual(elsewhere.map(({ name }) => name).sort());
}, 60_000);

it('is of its type where it is imported', async () => {
  const { outputs } = await imported({ logged: lines(Array.from({ length: 12 }, (_, index) => good(index))) });
  const kind = KINDS.find(({ name }) => name === 'import')!;
  for (const [file, type] of Object.entries(kind.outputs)) {
    const content = outputs.files[file]!;
    const values = typeof content === 'string' ? [JSON.parse(content)] : [...content];
    expectTyped(type as RowType, values, file);
  }
});

it('would be told from another type: schemas let no field in that they do not name, nor a missing one', () => {
  const { success } = PROMPTS.schema().safeParse({ prompt_id: 'p', prompt: 'x' });
  expect(success).toBe(true);
  expect(PROMPTS.schema().safeParse({ prompt_id: 'p', prompt: 'x', more: 1 }).success).toBe(false);
  expect(PROMPTS.schema().safeParse({ prompt_id: 'p' }).success).toBe(false);
});

function expectTyped(type: RowType, values: readonly unknown[], where: string): void {
  const schema: z.ZodType = type.schema();
  for (const [index, value] of values.entries()) {
    const { error } = schema.safeParse(value);
    if (error !== undefined)
      throw new Error(`${where}:${index + 1} is not of the type '${type.name}': ${error.message}`);
  }
}
