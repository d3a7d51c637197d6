/** A grid on the simulated world, on threads, through the real command; and planning from its dataset. */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { canonicalJson, type JsonObject } from '../../src/core/json.ts';
import type { RowType } from '../../src/core/kind.ts';
import { evaluationData } from '../../src/datasets/evaluation-data.ts';
import { gatesSchema } from '../../src/datasets/gates-file.ts';
import { ablationSchema } from '../../src/kinds/files/ablation.ts';
import { gridRows, gridSchema } from '../../src/kinds/grid/cells.ts';
import { emptyProject, type Project, type Ran, ROOT, ranNodes, removeProject } from '../helpers/project.ts';

const SETTINGS = ['samples=60', 'sample_sizes=[40]', 'ablations=[naive, direct]'].flatMap((text) => ['--set', text]);

let project: Project;
let first: Ran;

beforeAll(() => {
  project = emptyProject();
  cpSync(join(ROOT, 'configs'), join(project.folder, 'configs'), { recursive: true });
  cpSync(join(ROOT, 'examples/grid/pipeline.yaml'), join(project.folder, 'pipeline.yaml'));
  project.edit('configs/grid.yaml', 'seeds: 50', 'seeds: 2');
  first = project.build(...SETTINGS);
});
afterAll(() => removeProject(project));

const lines = (path: string) => project.read(path).trim().split('\n');

/** The rows of a grid node as this very process makes them, from the copies of the dataset. */
function rowsInProcess(ablation: string): string {
  const config = (path: string) => parse(project.read(`configs/${path}.yaml`));
  const input = {
    text: (file: string) => project.read(`out/dataset/${file}`),
    rows: <R extends JsonObject = JsonObject>(_?: RowType<R>, file = 'rows.jsonl') =>
      lines(`out/dataset/${file}`).map((line) => JSON.parse(line) as R),
  };
  const task = {
    name: ablation,
    ablation: ablationSchema.parse(config(`ablations/${ablation}`)),
    gates: gatesSchema.parse(config('gates')),
    sampleSize: 40,
    grid: gridSchema.parse(config('grid')),
  };
  return [...gridRows(task, evaluationData(input))]
    .flat()
    .map((row) => `${canonicalJson(row)}\n`)
    .join('');
}

describe('a grid', () => {
  it('makes on its threads the very bytes that the build’s own thread would', () => {
    expect(first.exit, first.stderr).toBe(0);
    for (const ablation of ['naive', 'direct']) {
      // Two seeds, five coverages, four policies.
      expect(lines(`out/grid/${ablation}/40/rows.jsonl`)).toHaveLength(40);
      expect(project.read(`out/grid/${ablation}/40/rows.jsonl`)).toBe(rowsInProcess(ablation));
    }
  });

  it('is summed up by method, and by sample size and coverage', () => {
    const methods = lines('out/summary/rows.jsonl').map((line) => JSON.parse(line));
    expect(methods.map(({ ablation, cells }) => [ablation, cells])).toEqual([
      ['naive', 10],
      ['direct', 10],
    ]);
    expect(methods[1].rmse).toBeGreaterThan(0);
    expect(lines('out/summary/cells.csv')).toHaveLength(11);
    expect(project.read('out/summary/summary.md')).toContain('# Estimators against held labels');
    expect(project.run('build', ...SETTINGS).stdout).toMatch(/^naive +0\.0 % /m);
    expect(project.build(...SETTINGS).finished).toMatchObject({ nodes: { run: 0 }, calls: { bought: 0 } });
  });

  it('buys nothing for more seeds, and its cells are not made to plan that', () => {
    project.edit('configs/grid.yaml', 'seeds: 2', 'seeds: 3');
    const plan = JSON.parse(project.run('plan', ...SETTINGS, '--json').stdout);
    expect(plan.calls).toBe(0);
    expect(plan.nodes.find(({ node }: { node: string }) => node === 'grid/direct/40')).toMatchObject({
      action: 'run',
      items: 15,
    });
    const built = project.build(...SETTINGS);
    expect(ranNodes(built).sort()).toEqual(['grid/direct/40', 'grid/naive/40', 'summary']);
    expect(built.finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
    expect(project.build(...SETTINGS).finished).toMatchObject({ nodes: { run: 0 }, calls: { bought: 0 } });
  });

  it('tells from its thread what is wrong with the data, as a problem of its node', () => {
    const wide = project.build('grid/direct/70', ...SETTINGS.with(3, 'sample_sizes=[70]'));
    expect(wide.exit).toBe(1);
    const { problem } = wide.events.find((event) => event.type === 'problem')!;
    expect(problem).toMatchObject({
      headline: 'the grid draws 70 prompts, and the dataset has 60',
      hint: 'leave that sample size out, or build the dataset with more samples',
    });
    expect(wide.events.find((event) => event.node === 'grid/direct/70' && event.outcome === 'failed')).toBeDefined();
  });

  it('finds a damaged input on its thread, and the next build mends it for nothing', () => {
    const rows = readFileSync(join(project.folder, 'out/dataset/rows.jsonl'));
    const blobs = join(project.folder, '.cache/blobs');
    const path = readdirSync(blobs, { recursive: true, encoding: 'utf8' })
      .map((name) => join(blobs, name))
      .find((name) => /[0-9a-f]{32}$/.test(name) && readFileSync(name).equals(rows))!;
    const damaged = Buffer.from(rows);
    damaged[100] = damaged[100]! ^ 1;
    writeFileSync(path, damaged);
    project.edit('configs/grid.yaml', 'seeds: 3', 'seeds: 2');
    project.edit('configs/grid.yaml', 'own_label_coverage: 0.1', 'own_label_coverage: 0.2');
    const broken = project.build(...SETTINGS);
    expect(broken.exit).toBe(5);
    const mended = project.build(...SETTINGS);
    expect(mended.finished).toMatchObject({ exit: 0, calls: { bought: 0 } });
    expect(ranNodes(mended)).toContain('dataset');
    expect(project.build(...SETTINGS).finished).toMatchObject({ nodes: { run: 0 }, calls: { bought: 0 } });
  });
});

describe('cje power', () => {
  const power = (...args: string[]) => project.run('power', ...args, ...SETTINGS);

  it('plans from the only dataset, at what its calls cost', () => {
    const { stdout, exit } = power('--estimator', 'naive', '--budget', '5', '--json');
    expect(exit).toBe(0);
    const outlook = JSON.parse(stdout);
    expect(outlook).toMatchObject({ type: 'power', version: 1, dataset: 'dataset', responsesPerPrompt: 5 });
    expect(outlook.prices.score).toBeGreaterThan(0);
    expect(outlook.plan.cost).toBeLessThanOrEqual(5);
    expect(power('--estimator', 'naive').stdout).toContain('This dataset tells two policies apart that differ by');
  });

  it.each([
    [['--difference', '0.1', '--budget', '5'], 'two goals'],
    [['--difference', '2'], 'between 0 and 1'],
    [['--estimator', 'dr-cp'], 'did you mean dr-cpo?'],
    [['oracle'], 'oracle is no dataset'],
    [['--power', '1'], '--power lies between 0 and 1'],
  ])('refuses %j', (args, text) => {
    const { exit, stderr } = power(...args);
    expect(exit).toBe(2);
    expect(stderr).toContain(text);
  });
});
