import { describe, expect, it } from 'vitest';
import type { GridRow } from '../../src/datasets/grid-rows.ts';
import { cellsCsv } from '../../src/report/files/grid-cells-csv.ts';
import { GridTally } from '../../src/report/model/grid-score.ts';
import { gridMarkdown } from '../../src/report/render/markdown/grid.ts';
import { gridTable } from '../../src/report/render/terminal/grid.ts';
import { painter } from '../../src/text/paint.ts';

const cell = { ablation: 'direct', estimator: 'direct', reward_calibration: 'auto', covariates: '' };
const ok = (policy: string, held: number, estimate: number, half: number, more: object = {}): GridRow => ({
  ...cell,
  sample_size: 100,
  oracle_coverage: 0.25,
  seed: 0,
  policy,
  held,
  held_error: 0.01,
  status: 'ok',
  estimate,
  standard_error: half / 2,
  lower: estimate - half,
  upper: estimate + half,
  covered: Math.abs(estimate - held) <= half,
  n: 100,
  ...more,
});
const refused = (policy: string, held: number, more: object = {}): GridRow => {
  const { ablation, estimator, reward_calibration, covariates } = cell;
  const name = {
    ablation,
    estimator,
    reward_calibration,
    covariates,
    sample_size: 100,
    oracle_coverage: 0.25,
    seed: 0,
  };
  return { ...name, policy, held, held_error: 0.01, status: 'refused', gate: 'ess', ...more };
};

function scored(rows: readonly GridRow[]) {
  const tally = new GridTally();
  for (const row of rows) tally.add(row);
  return { methods: tally.methods(), cells: tally.cells() };
}

describe('GridTally', () => {
  it('scores by hand-worked numbers', () => {
    // Errors 0.02 and −0.04; the second interval misses by 0.01; a and b stand in the held order.
    const { methods } = scored([ok('a', 0.6, 0.62, 0.03), ok('b', 0.5, 0.46, 0.03)]);
    const [score] = methods;
    expect(score).toMatchObject({ ...cell, cells: 1, refused: 0, coverage: 0.5, kendallTau: 1, topOneAccuracy: 1 });
    expect(score!.bias).toBeCloseTo(-0.01, 12);
    expect(score!.rmse).toBeCloseTo(Math.sqrt((0.0004 + 0.0016) / 2), 12);
    expect(score!.rmseDebiased).toBeCloseTo(Math.sqrt((0.0004 + 0.0016) / 2 - 0.0001), 12);
    expect(score!.meanWidth).toBeCloseTo(0.06, 12);
    expect(score!.intervalScore).toBeCloseTo(0.06 + (40 * 0.01) / 2, 12);
    expect(score!.standardError).toBeCloseTo(0.015, 12);
  });

  it('counts pairs in the held order, with ties as Kendall’s tau-b does', () => {
    // Held a > b > c; estimates put c above b and tie a with c.
    const { methods } = scored([ok('a', 0.6, 0.6, 1), ok('b', 0.5, 0.5, 1), ok('c', 0.4, 0.6, 1)]);
    // Concordant a–b, discordant b–c, tied a–c: (1 − 1)/√(2 · 3).
    expect(methods[0]!.kendallTau).toBeCloseTo(0, 12);
    expect(methods[0]!.pairwiseAccuracy).toBeCloseTo(1 / 3, 12);
  });

  it('averages tau over the cells that have an order, and leaves out those without', () => {
    // Three cells: in order, in reverse, and all estimates alike.
    const cells = (
      [
        [0.6, 0.5],
        [0.6, 0.5],
        [0.5, 0.6],
        [0.5, 0.5],
      ] as const
    ).flatMap(([a, b], seed) => [ok('a', 0.6, a, 1, { seed }), ok('b', 0.5, b, 1, { seed })]);
    expect(scored(cells).methods[0]!.kendallTau).toBeCloseTo((1 + 1 - 1) / 3, 12);
    expect(scored(cells.slice(6)).methods[0]!.kendallTau).toBeNull();
    // No two held values differ.
    expect(scored([ok('a', 0.5, 0.6, 1), ok('b', 0.5, 0.5, 1)]).methods[0]!.kendallTau).toBeNull();
  });

  it('counts a refused best policy against top-1, and gives no number where nothing was estimated', () => {
    const { methods } = scored([refused('a', 0.9), ok('b', 0.5, 0.5, 0.1), ok('c', 0.4, 0.4, 0.1)]);
    expect(methods[0]).toMatchObject({ topOneAccuracy: 0, pairwiseAccuracy: 1 });
    expect(methods[0]!.refused).toBeCloseTo(1 / 3, 12);
    const nothing = scored([refused('a', 0.9), refused('b', 0.5)]).methods[0]!;
    expect(nothing).toMatchObject({ refused: 1, rmse: null, coverage: null, kendallTau: null, topOneAccuracy: 0 });
  });

  it('keeps cells, sizes and methods apart', () => {
    const other = { seed: 1 };
    const large = { sample_size: 200 };
    const none = { reward_calibration: 'none' };
    const { methods, cells } = scored([
      ok('a', 0.6, 0.6, 0.1),
      ok('b', 0.5, 0.5, 0.1),
      ok('a', 0.6, 0.4, 0.1, other),
      ok('b', 0.5, 0.5, 0.1, other),
      ok('a', 0.6, 0.6, 0.1, large),
      ok('a', 0.6, 0.6, 0.1, none),
    ]);
    expect(methods.map(({ reward_calibration, cells: count }) => [reward_calibration, count])).toEqual([
      ['auto', 3],
      ['none', 1],
    ]);
    expect(cells.map(({ sample_size, cells: count }) => [sample_size, count])).toEqual([
      [100, 2],
      [200, 1],
      [100, 1],
    ]);
    expect(methods[0]!.pairwiseAccuracy).toBe(0.5);
  });
});

describe('the tables of a grid', () => {
  const { methods, cells } = scored([
    ok('a', 0.6, 0.62, 0.03),
    ok('b', 0.5, 0.46, 0.03),
    ok('a', 0.6, 0.6, 0.1, { ablation: '=HYPERLINK("x")|<b>', estimator: 'snips' }),
  ]);

  it('hold hostile names as text', () => {
    const markdown = gridMarkdown('T', methods, cells);
    expect(markdown).toContain('\\|&lt;b&gt;');
    expect(markdown).toMatch(/^\| direct \| 1 \| 0\.0 % \| 0\.0316 /m);
    expect(cellsCsv(cells)).toContain('"\'=HYPERLINK(""x"")|<b>",snips,auto');
  });

  it('fit a terminal', () => {
    const text = gridTable(methods, 100, painter(false));
    expect(text).toContain('2 cells; errors are against the held labels');
    expect(text).toMatch(/^direct +0\.0 % +0\.0316 +-0\.0100 +50\.0 % +0\.0600 +1\.000 +100\.0 %$/m);
  });
});
