/** Reward calibration: labelled points, and the curve that turns a judge's score into a reward. */

import type { DatasetQuality } from '../../datasets/results.ts';
import { type Scale, UNIT_SCALE } from '../../datasets/scale.ts';
import { unitsOf } from '../../datasets/units.ts';
import { count, decimal } from '../../text/numbers.ts';
import { type Range, scoreAxisName, tickStep, valueAxis } from './axis.ts';
import type { Chart } from './chart.ts';
import { FAINT_INK } from './palette.ts';

type Calibration = NonNullable<DatasetQuality['calibration']>;

/** More points than this are drawn as one dot a cell, its area proportional to the points in it. */
const MOST_POINTS = 400;
const CELLS = 36;

/** @param scale that labels are on, and that the judge's scores are told on beside them; absent for [0, 1] */
export function calibrationChart(calibration: Calibration, scorer: string, color: string, scale?: Scale): Chart {
  const [lowest, highest] = scale ?? UNIT_SCALE;
  const { level } = unitsOf(scale);
  const { points, curve, mode, rmse } = calibration;
  const labels = { from: lowest, to: highest };
  const dots =
    points.length > MOST_POINTS
      ? binned(points, labels)
      : points.map(([score, label]) => [level(score), label, 6] as const);
  // Beyond its breakpoints the curve is flat.
  const first = curve[0];
  const last = curve.at(-1);
  const line =
    first === undefined || last === undefined
      ? []
      : [[0, first[1]], ...curve, [1, last[1]]].map(([score, reward]) => [level(score!), reward]);
  return {
    width: 500,
    height: 340,
    description: `Reward calibration of the ${scorer} scorer: ${count(points.length)} labelled points and the fitted ${mode} curve${first && last ? `, from a reward of ${decimal(first[1])} to ${decimal(last[1])}` : ''}; root mean squared error ${decimal(rmse)}.`,
    option: {
      grid: { left: 46, right: 14, top: 10, bottom: 44, containLabel: false },
      xAxis: { ...valueAxis(labels, tickStep(labels, 5), { name: scoreAxisName(scale) }), nameGap: 26 },
      yAxis: { ...valueAxis(labels, tickStep(labels, 5), { name: 'oracle label' }), nameGap: 30 },
      series: [
        {
          type: 'line',
          silent: true,
          symbol: 'none',
          lineStyle: { color: FAINT_INK, width: 1.25, type: 'dashed', opacity: 0.55 },
          data: [
            [lowest, lowest],
            [highest, highest],
          ],
        },
        {
          type: 'scatter',
          silent: true,
          symbolSize: (value: readonly number[]) => value[2] ?? 6,
          itemStyle: { color, opacity: 0.42 },
          data: dots,
        },
        { type: 'line', silent: true, symbol: 'none', lineStyle: { color, width: 2.5, cap: 'round' }, data: line },
      ],
    },
  };
}

function binned(points: Calibration['points'], labels: Range): (readonly [number, number, number])[] {
  const counts = new Map<number, number>();
  const height = labels.to - labels.from;
  const cell = (value: number) => Math.min(CELLS - 1, Math.max(0, Math.floor(value * CELLS)));
  for (const [score, label] of points) {
    const key = cell(score) * CELLS + cell((label - labels.from) / height);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  return [...counts].map(([key, number]) => {
    const diameter = 3 + 9 * Math.sqrt(number / most);
    return [
      labels.from + (height * (Math.floor(key / CELLS) + 0.5)) / CELLS,
      labels.from + (height * ((key % CELLS) + 0.5)) / CELLS,
      diameter,
    ] as const;
  });
}
