/** How one column of numbers is spread. */

import { count, significant } from '../../text/numbers.ts';
import { type Bins, barAxes, barSeries } from './bars.ts';
import type { Chart } from './chart.ts';

interface Histogram extends Bins {
  readonly name: string;
  readonly n: number;
  readonly mean: number;
}

export function histogramChart(histogram: Histogram, color: string): Chart {
  const { name, n, from, to, mean, counts } = histogram;
  const margin = (to - from) * 0.02;
  return {
    width: 640,
    height: 190,
    description: `Histogram of ${count(n)} values of ${name}, from ${significant(from)} to ${significant(to)}, mean ${significant(mean)}.`,
    option: {
      grid: { left: 44, right: 12, top: 10, bottom: 42, containLabel: false },
      ...barAxes(counts, { from: from - margin, to: to + margin }, 8, name),
      series: [barSeries(histogram, (to - from) / counts.length, color)],
    },
  };
}
