/** The distributions of scores: where their bars stand, and how tall they are. */

import { describe, expect, it } from 'vitest';
import { scoresChart } from '../../src/report/charts/scores.ts';
import { fakeData } from './fake-data.ts';

const QUALITY = fakeData().quality[0]!;

interface Child {
  readonly type: string;
  readonly shape?: Readonly<Record<string, number>>;
  readonly style: { readonly text?: string };
}
interface Option {
  readonly series: readonly [
    { readonly renderItem: (_: unknown, api: object) => { readonly children: readonly Child[] } },
  ];
}

/** What is drawn of the policy at a place, on an axis of 100 units a label and 46 a band. */
function drawn(histogram: readonly number[], mean: number, at = 0) {
  const scores = Array.from({ length: at + 1 }, () => ({
    policy: 'pi',
    n: 10,
    mean,
    standardDeviation: 0.125,
    unparseable: 0,
    histogram,
  }));
  const { option, height } = scoresChart({ ...QUALITY, scale: [1, 5], scores }, 'c');
  const [{ renderItem }] = (option as never as Option).series;
  const coord = ([x, y]: readonly number[]) => [100 * x!, 20 + 46 * y!];
  const { children } = renderItem(undefined, { value: () => at, coord });
  return {
    height,
    bars: children.filter(({ type }) => type === 'rect').map(({ shape }) => shape),
    lines: children.flatMap(({ type, shape }) => (type === 'line' ? [shape] : [])),
    texts: children.flatMap(({ style }) => (style.text === undefined ? [] : [style.text])),
  };
}

describe('a distribution of scores', () => {
  it('has a bar for each bin with scores, the fullest one 34 tall, half a unit free on each side', () => {
    // Four bins from 1 to 5, so each is a hundred units; the first band ends at 66.
    expect(drawn([2, 0, 4, 1], 0.5).bars).toEqual([
      { x: 100.5, y: 66 - 17, width: 99, height: 17 },
      { x: 300.5, y: 66 - 34, width: 99, height: 34 },
      { x: 400.5, y: 66 - 8.5, width: 99, height: 8.5 },
    ]);
    // A single score is as tall as the fullest bin is.
    expect(drawn([0, 1], 0.5).bars).toEqual([{ x: 300.5, y: 32, width: 199, height: 34 }]);
    expect(drawn([2, 0, 4, 1], 0.5, 1).bars[0]).toMatchObject({ y: 66 + 46 - 17 });
    expect([drawn([1], 0.5).height, drawn([1], 0.5, 2).height]).toEqual([20 + 42 + 46, 20 + 42 + 3 * 46]);
  });

  it('marks its mean, and says it with the spread on the labels’ scale', () => {
    const { lines, texts } = drawn([1, 1], 0.25);
    for (const line of lines) expect(line).toMatchObject({ x1: 200, x2: 200, y1: 66 - 46 + 9, y2: 66 });
    expect(lines).toHaveLength(2);
    expect(texts).toEqual(['pi', '2.000 ± 0.50']);
  });
});
