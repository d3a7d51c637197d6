/** How one column of numbers is spread. */

import { count, significant } from '../../text/numbers.ts';
import { tickStep, tightAxis, valueAxis } from './axis.ts';
import type { Chart } from './chart.ts';
import { RULE } from './palette.ts';

export interface Histogram {
  readonly name: string;
  readonly n: number;
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  /** In equal bins. */
  readonly counts: readonly number[];
}

export function histogramChart({ name, n, from, to, mean, counts }: Histogram, color: string): Chart {
  const width = (to - from) / counts.length;
  const margin = (to - from) * 0.02;
  const range = { from: from - margin, to: to + margin };
  const highest = Math.max(1, ...counts);
  const step = Math.max(1, tickStep({ from: 0, to: highest }, 3));
  const draw = (_: unknown, api: { value(d: number): number; coord(p: readonly number[]): number[] }) => {
    const index = api.value(0);
    const [x = 0, y = 0] = api.coord([from + index * width, counts[index] ?? 0]);
    const [end = 0, base = 0] = api.coord([from + (index + 1) * width, 0]);
    const shape = { x: x + 0.5, y, width: Math.max(1, end - x - 1), height: base - y };
    return { type: 'rect', shape, style: { fill: color, opacity: 0.85 } };
  };
  return {
    width: 640,
    height: 190,
    description: `Histogram of ${count(n)} values of ${name}, from ${significant(from)} to ${significant(to)}, mean ${significant(mean)}.`,
    option: {
      grid: { left: 44, right: 12, top: 10, bottom: 42, containLabel: false },
      xAxis: {
        ...tightAxis(range, tickStep(range, 8), { name, grid: false }),
        nameGap: 24,
        axisLine: { show: true, onZero: false, lineStyle: { color: RULE } },
      },
      yAxis: valueAxis({ from: 0, to: Math.ceil(highest / step) * step }, step),
      series: [
        {
          type: 'custom',
          silent: true,
          renderItem: draw,
          encode: {},
          data: counts.flatMap((rows, index) => (rows > 0 ? [[index]] : [])),
        },
      ],
    },
  };
}
