/** The drawing behind rankings and forest plots, at places that can be worked out: one unit of the axis is 100 wide. */

import { describe, expect, it } from 'vitest';
import { type IntervalLine, intervalChart } from '../../src/report/charts/interval-plot.ts';

interface Shape {
  readonly type: string;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly style?: { readonly text?: string };
}

type Render = (
  _: unknown,
  api: { value(of: number): number; coord(of: readonly number[]): number[] },
) => {
  readonly children: readonly Shape[];
};

/** What is drawn of one line, 24 high, over [0, 1]; the first line's middle is at 12. */
function drawn(line: Partial<IntervalLine>, truth: number | null = null) {
  const whole: IntervalLine = { label: 'pi', color: 'c', marker: 'circle', value: null, figures: '', ...line };
  const chart = intervalChart({
    ...{ lines: [whole], range: { from: 0, to: 1 }, truth, width: 400, lineHeight: 24, fontSize: 12 },
    ...{ labelWidth: 40, figureWidth: 0, axisName: 'score', description: '' },
  });
  const [truths, lines] = (chart.option as { series: { renderItem: Render; data: unknown[] }[] }).series;
  const api = { value: () => 0, coord: ([x = 0, y = 0]: readonly number[]) => [100 * x, 24 * y] };
  const shapes = (of: typeof lines) => of!.renderItem(undefined, api).children;
  return { lines: shapes(lines), truths: truth === null ? truths!.data : shapes(truths) };
}

const segments = (shapes: readonly Shape[]) =>
  shapes.flatMap(({ type, shape }) => {
    if (type !== 'line') return [];
    const { x1, y1, x2, y2 } = shape as Record<'x1' | 'y1' | 'x2' | 'y2', number>;
    return [[x1, y1, x2, y2].map((value) => Number(value.toFixed(6)))];
  });
const texts = (shapes: readonly Shape[]) => shapes.flatMap(({ style }) => style?.text ?? []);

describe('an interval', () => {
  it('is a line from end to end with a cap on each, and a marker at its estimate', () => {
    const { lines } = drawn({ value: { estimate: 0.5, lower: 0.2, upper: 0.9 } });
    expect(segments(lines)).toEqual([
      [20, 12, 90, 12],
      [20, 8.5, 20, 15.5],
      [90, 8.5, 90, 15.5],
    ]);
    expect(lines.filter(({ type }) => type === 'circle').map(({ shape }) => shape)).toEqual([
      { cx: 50, cy: 12, r: 4.5 },
    ]);
  });

  it('that goes on beyond the plot ends at its edge in an arrow head, without a marker where the estimate is beyond', () => {
    const { lines } = drawn({ value: { estimate: 1.2, lower: -3, upper: 4 } });
    expect(segments(lines)).toEqual([[0, 12, 100, 12]]);
    const heads = lines.filter(({ type }) => type === 'polygon').map(({ shape }) => shape?.points);
    expect(heads).toEqual([
      [
        [0, 12],
        [6, 7.5],
        [6, 16.5],
      ],
      [
        [100, 12],
        [94, 7.5],
        [94, 16.5],
      ],
    ]);
    expect(lines.filter(({ type }) => type === 'circle')).toEqual([]);
  });

  it('that is refused is words where the plot begins', () => {
    const { lines } = drawn({ refusal: 'refused: overlap' });
    expect(segments(lines)).toEqual([]);
    expect(texts(lines)).toEqual(['pi', 'refused: overlap']);
    expect(texts(drawn({}).lines)).toEqual(['pi', 'no estimate']);
  });
});

describe('a truth', () => {
  it('of one line is a tick within that line, at the edge where it is beyond', () => {
    expect(segments(drawn({ truth: 0.25 }).lines)).toEqual([[25, 3.36, 25, 20.64]]);
    expect(segments(drawn({ truth: 7 }).lines)).toEqual([[100, 3.36, 100, 20.64]]);
    expect(segments(drawn({ truth: null }).lines)).toEqual([]);
  });

  it('of all lines is a line through them, with its number', () => {
    const { truths } = drawn({}, 0.75);
    // 24 above the lines and 46 below them.
    expect(segments(truths as Shape[])).toEqual([[75, 20, 75, 48]]);
    expect(texts(truths as Shape[])).toEqual(['truth 0.750']);
    expect(drawn({}).truths).toEqual([]);
  });
});
