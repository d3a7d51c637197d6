/** A target policy's log ratios: how far the log is from what it would have answered. */

import type { DatasetQuality } from '../../datasets/results.ts';
import { count, significant } from '../../text/numbers.ts';
import { tickStep, tightAxis, valueAxis } from './axis.ts';
import type { Chart } from './chart.ts';
import { FAINT_INK, INK, RULE } from './palette.ts';

type Weights = DatasetQuality['weights'][number];

const WIDTH = 500;
const HEIGHT = 196;
const GRID = { left: 34, right: 12, top: 22, bottom: 42, containLabel: false } as const;

export function weightsChart(weights: Weights, color: string): Chart {
  const { histogramFrom: from, histogramTo: to, histogram } = weights;
  const width = to > from ? (to - from) / histogram.length : 1;
  // The ratio of equal policies is in view, unless the log ratios are so far from it that it would crush them.
  const shown = { from: Math.min(from, to > -4 * (to - from) ? 0 : from), to: Math.max(to > from ? to : from + 1, 0) };
  const margin = (shown.to - shown.from) * 0.03;
  const range = { from: shown.from - margin, to: shown.to + margin };
  const highest = Math.max(1, ...histogram);
  const countStep = Math.max(1, tickStep({ from: 0, to: highest }, 3));
  const inTicks = Math.ceil(highest / countStep) * countStep;
  const drawBar = (_: unknown, api: { value(d: number): number; coord(p: readonly number[]): number[] }) => {
    const index = api.value(0);
    const [x = 0, y = 0] = api.coord([from + index * width, histogram[index] ?? 0]);
    const [end = 0, base = 0] = api.coord([from + (index + 1) * width, 0]);
    const shape = { x: x + 0.5, y, width: Math.max(1, end - x - 1), height: base - y };
    return { type: 'rect', shape, style: { fill: color, opacity: 0.85 } };
  };
  const drawZero = (_: unknown, api: { coord(p: readonly number[]): number[] }) => {
    const [x = 0, bottom = 0] = api.coord([0, 0]);
    const style = { stroke: INK, lineWidth: 1.25, lineDash: [3, 3], fill: 'none' };
    const nearRight = x > WIDTH - 70;
    const label = {
      text: 'equal',
      x: nearRight ? x - 5 : x + 5,
      y: 10,
      fill: FAINT_INK,
      fontSize: 11,
      fontFamily: 'inherit',
    };
    return {
      type: 'group',
      children: [
        { type: 'line', shape: { x1: x, y1: 4, x2: x, y2: bottom }, style },
        { type: 'text', style: { ...label, align: nearRight ? 'right' : 'left', verticalAlign: 'middle' } },
      ],
    };
  };
  const zeroInView = range.from <= 0 && 0 <= range.to;
  return {
    width: WIDTH,
    height: HEIGHT,
    description: `Histogram of ${count(weights.n)} log ratios of ${weights.policy}, from ${significant(from)} to ${significant(to)} nats, median ${significant(weights.logRatioQuantiles[4] ?? null)}.`,
    option: {
      grid: GRID,
      xAxis: {
        ...tightAxis(range, tickStep(range, 6), { name: 'log ratio, nats', grid: false }),
        nameGap: 24,
        axisLine: { show: true, onZero: false, lineStyle: { color: RULE } },
      },
      yAxis: valueAxis({ from: 0, to: inTicks }, countStep),
      series: [
        {
          type: 'custom',
          silent: true,
          renderItem: drawBar,
          encode: {},
          data: histogram.flatMap((rows, index) => (rows > 0 ? [[index]] : [])),
        },
        { type: 'custom', silent: true, renderItem: drawZero, encode: {}, data: zeroInView ? [[0]] : [] },
      ],
    },
  };
}
