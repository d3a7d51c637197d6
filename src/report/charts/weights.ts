/** A target policy's log ratios: how far the log is from what it would have answered. */

import type { DatasetQuality } from '../../datasets/results.ts';
import { count, significant } from '../../text/numbers.ts';
import { barAxes, barSeries } from './bars.ts';
import type { Chart } from './chart.ts';
import { FAINT_INK, INK } from './palette.ts';
import { type DrawApi, segment, text } from './shapes.ts';

type Weights = DatasetQuality['weights'][number];

/** Width in nats. */
const BAR_OF_EQUALS = 0.04;

/** Whether every row has the same log ratio. */
const isConstant = ({ histogramFrom, histogramTo }: Weights): boolean => !(histogramTo > histogramFrom);

const WIDTH = 500;
const HEIGHT = 196;
const GRID = { left: 34, right: 12, top: 22, bottom: 42, containLabel: false } as const;

export function weightsChart(weights: Weights, color: string): Chart {
  const { histogramTo: to, histogram: counts } = weights;
  const equal = isConstant(weights);
  // Where all ratios are equal, as a clone's are, the one bar stands at their value.
  const width = equal ? BAR_OF_EQUALS : (to - weights.histogramFrom) / counts.length;
  const from = equal ? weights.histogramFrom - width / 2 : weights.histogramFrom;
  // The ratio of equal policies is in view, unless the log ratios are so far from it that it would crush them.
  const shown = {
    from: equal ? to - 1 : Math.min(from, to > -4 * (to - from) ? 0 : from),
    to: Math.max(equal ? to + 1 : to, 0),
  };
  const margin = (shown.to - shown.from) * 0.03;
  const range = { from: shown.from - margin, to: shown.to + margin };
  const drawZero = (_: unknown, api: DrawApi) => {
    const [x = 0, bottom = 0] = api.coord([0, 0]);
    const nearRight = x > WIDTH - 70;
    return {
      type: 'group',
      children: [
        segment([x, 4], [x, bottom], INK, 1.25, { fill: 'none', lineDash: [3, 3] }),
        text(nearRight ? x - 5 : x + 5, 10, 'equal', nearRight ? 'right' : 'left', FAINT_INK, { fontSize: 11 }),
      ],
    };
  };
  const zeroInView = range.from <= 0 && 0 <= range.to;
  return {
    width: WIDTH,
    height: HEIGHT,
    description: `Histogram of ${count(weights.n)} log ratios of ${weights.policy}, from ${significant(weights.histogramFrom)} to ${significant(to)} nats, median ${significant(weights.logRatioQuantiles[4] ?? null)}.`,
    option: {
      grid: GRID,
      ...barAxes(counts, range, 6, 'log ratio, nats'),
      series: [
        barSeries({ from, to, counts }, width, color),
        { type: 'custom', silent: true, renderItem: drawZero, encode: {}, data: zeroInView ? [[0]] : [] },
      ],
    },
  };
}
