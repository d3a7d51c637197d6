/** A histogram's bars over an axis of values. */

import { type Range, tickStep, tightAxis, valueAxis } from './axis.ts';
import { RULE } from './palette.ts';
import type { DrawApi } from './shapes.ts';

/** Counts in equal bins. */
export interface Bins extends Range {
  readonly counts: readonly number[];
}

/** @param width of one bin */
export function barSeries({ from, counts }: Bins, width: number, color: string) {
  const draw = (_: unknown, api: DrawApi) => {
    const index = api.value(0);
    const [x = 0, y = 0] = api.coord([from + index * width, counts[index] ?? 0]);
    const [end = 0, base = 0] = api.coord([from + (index + 1) * width, 0]);
    const shape = { x: x + 0.5, y, width: Math.max(1, end - x - 1), height: base - y };
    return { type: 'rect', shape, style: { fill: color, opacity: 0.85 } };
  };
  const data = counts.flatMap((rows, index) => (rows > 0 ? [[index]] : []));
  return { type: 'custom', silent: true, renderItem: draw, encode: {}, data } as const;
}

/** The axes of values and of counts. */
export function barAxes(counts: readonly number[], range: Range, pieces: number, name: string) {
  const highest = Math.max(1, ...counts);
  const step = Math.max(1, tickStep({ from: 0, to: highest }, 3));
  return {
    xAxis: {
      ...tightAxis(range, tickStep(range, pieces), { name, grid: false }),
      nameGap: 24,
      axisLine: { show: true, onZero: false, lineStyle: { color: RULE } },
    },
    yAxis: valueAxis({ from: 0, to: Math.ceil(highest / step) * step }, step),
  };
}
