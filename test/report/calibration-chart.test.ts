/** The dots and the curve of a calibration, as numbers. */

import { describe, expect, it } from 'vitest';
import { calibrationChart } from '../../src/report/charts/calibration.ts';

type Calibration = Parameters<typeof calibrationChart>[0];
interface Series {
  readonly series: readonly { readonly data: readonly (readonly number[])[] }[];
}

const CURVE = [
  [0.25, 2],
  [0.75, 4],
] as const;
const chartOf = (points: Calibration['points'], scale?: readonly [number, number]) =>
  calibrationChart({ mode: 'monotone', curve: CURVE, points, rmse: 0.125 }, 'judge', '#000', scale);
const seriesOf = (points: Calibration['points'], scale?: readonly [number, number]) =>
  (chartOf(points, scale).option as never as Series).series.map(({ data }) => data);

describe('a calibration', () => {
  it('is drawn on the labels’ scale, its curve flat beyond its ends', () => {
    const [diagonal, dots, line] = seriesOf([[0.5, 3]], [1, 5]);
    expect(diagonal).toEqual([
      [1, 1],
      [5, 5],
    ]);
    expect(dots).toEqual([[3, 3, 6]]);
    expect(line).toEqual([
      [1, 2],
      [2, 2],
      [4, 4],
      [5, 4],
    ]);
    expect(chartOf([[0.5, 3]], [1, 5]).description).toBe(
      'Reward calibration of the judge scorer: 1 labelled points and the fitted monotone curve, from a reward of 2.000 to 4.000; root mean squared error 0.125.',
    );
  });

  it('has one dot a cell of 36 where points are more than 400, as large as they are many', () => {
    const many = (count: number) => [
      ...Array.from({ length: count }, () => [0.99, 5] as const),
      ...Array.from({ length: 100 }, () => [0, 1] as const),
    ];
    expect(seriesOf(many(300), [1, 5])[1]).toHaveLength(400);
    const [, dots] = seriesOf(many(400), [1, 5]);
    // The middles of the last and of the first cell; a quarter of the points is half as wide above the smallest width of 3.
    expect(dots).toEqual([
      [expect.closeTo(1 + (4 * 35.5) / 36, 12), expect.closeTo(1 + (4 * 35.5) / 36, 12), 12],
      [expect.closeTo(1 + (4 * 0.5) / 36, 12), expect.closeTo(1 + (4 * 0.5) / 36, 12), 3 + 9 / 2],
    ]);
    const [, sides] = seriesOf([...many(400), [0, 5]], [1, 5]);
    expect(sides!.at(-1)!.slice(0, 2)).toEqual([
      expect.closeTo(1 + (4 * 0.5) / 36, 12),
      expect.closeTo(1 + (4 * 35.5) / 36, 12),
    ]);
  });
});
