/** The histogram of log ratios: where its bars stand, and how much of the axis is in view. */

import { describe, expect, it } from 'vitest';
import { weightsChart } from '../../src/report/charts/weights.ts';
import { fakeData } from './fake-data.ts';

const WEIGHTS = fakeData().quality.flatMap(({ weights }) => weights)[0]!;

interface Bar {
  readonly shape: { readonly x: number; readonly width: number };
}
interface Option {
  readonly xAxis: { readonly min: number; readonly max: number };
  readonly series: readonly {
    readonly data: readonly unknown[];
    readonly renderItem: (_: unknown, api: object) => Bar;
  }[];
}

/** The axis, the ends of each bar, and whether the ratio of equal policies is drawn. */
function drawn(from: number, to: number, histogram: readonly number[]) {
  const chart = weightsChart({ ...WEIGHTS, histogramFrom: from, histogramTo: to, histogram }, 'c');
  const { xAxis, series }: Option = chart.option as never;
  const [bars, zero] = series;
  const ends = bars!.data.map((_, index) => {
    const at = (bars!.data[index] as readonly number[])[0]!;
    // A bar leaves half a unit free on each side.
    const { shape } = bars!.renderItem(undefined, {
      value: () => at,
      coord: ([x]: readonly number[]) => [1e6 * x!, 0],
    });
    return [(shape.x - 0.5) / 1e6, (shape.x + 0.5 + shape.width) / 1e6].map((end) => Number(end.toFixed(6)));
  });
  return { axis: [xAxis.min, xAxis.max].map((end) => Number(end.toFixed(6))), ends, zero: zero!.data.length > 0 };
}

describe('log ratios', () => {
  it('are bars of equal width, with none where there are no rows, and zero in view', () => {
    expect(drawn(-2, 2, [3, 0, 1, 2])).toEqual({
      axis: [-2.12, 2.12],
      ends: [
        [-2, -1],
        [0, 1],
        [1, 2],
      ],
      zero: true,
    });
  });

  it('that are all the same are one thin bar around their value', () => {
    expect(drawn(0, 0, [7])).toEqual({ axis: [-1.06, 1.06], ends: [[-0.02, 0.02]], zero: true });
  });

  it('that are far from zero are shown with it all the same', () => {
    expect(drawn(-12, -10, [1, 1])).toMatchObject({ axis: [-12.36, 0.36], zero: true });
    expect(drawn(5, 6, [1, 1])).toMatchObject({ axis: [-0.18, 6.18], zero: true });
  });
});
