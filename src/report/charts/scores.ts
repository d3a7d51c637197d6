/** The distributions of a scorer's scores, one band a policy on a common axis; told on the labels' scale, as `naive` is. */

import type { DatasetQuality } from '../../datasets/results.ts';
import { UNIT_SCALE } from '../../datasets/scale.ts';
import { scoresInUnits } from '../../datasets/units.ts';
import { clip, plainLine } from '../../text/escape.ts';
import { decimal } from '../../text/numbers.ts';
import { hiddenAxis, scoreAxisName, tickStep, valueAxis } from './axis.ts';
import type { Chart } from './chart.ts';
import { FAINT_INK, INK, PAPER } from './palette.ts';
import { type DrawApi, segment, text } from './shapes.ts';

const WIDTH = 500;
const BAND = 46;
const LEFT = 140;
const RIGHT = 76;
const TOP = 20;
const BOTTOM = 42;

export function scoresChart(quality: DatasetQuality, color: string): Chart {
  const { scorer, scale } = quality;
  const scores = scoresInUnits(quality);
  const [from, to] = scale ?? UNIT_SCALE;
  const height = TOP + BOTTOM + scores.length * BAND;
  const draw = (_: unknown, api: DrawApi) => {
    const index = api.value(0);
    const policy = scores[index]!;
    // Bands share a scale by share of the policy's own scores, so that shapes compare.
    const highest = Math.max(1, ...policy.histogram);
    const bins = policy.histogram.length;
    const [, base = 0] = api.coord([0, index + 1]);
    const x = (score: number) => api.coord([score, 0])[0]!;
    const edge = (bin: number) => x(from + ((to - from) * bin) / bins);
    const bars = policy.histogram.flatMap((rows, bin) => {
      if (rows === 0) return [];
      const tall = (rows / highest) * (BAND - 12);
      const left = edge(bin);
      const shape = { x: left + 0.5, y: base - tall, width: Math.max(1, edge(bin + 1) - left - 1), height: tall };
      return [{ type: 'rect', shape, style: { fill: color, opacity: 0.8 } }];
    });
    const middle = base - BAND / 2 + 6;
    const mean = x(Math.min(to, Math.max(from, policy.mean)));
    const [top, bottom] = [[mean, base - BAND + 9] as const, [mean, base] as const];
    return {
      type: 'group',
      children: [
        ...bars,
        segment(top, bottom, PAPER, 4.5, {}),
        segment(top, bottom, INK, 1.75, {}),
        text(LEFT - 12, middle, clip(plainLine(policy.policy), 17), 'right', INK),
        text(WIDTH, middle, `${decimal(policy.mean)} ± ${policy.standardDeviation.toFixed(2)}`, 'right', FAINT_INK),
      ],
    };
  };
  const each = scores.map(
    (policy) => `${policy.policy} ${decimal(policy.mean)} ± ${decimal(policy.standardDeviation)}`,
  );
  return {
    width: WIDTH,
    height,
    description: `Distributions of the ${scorer} scorer’s scores; mean and standard deviation: ${each.join('; ')}.`,
    option: {
      grid: { left: LEFT, right: RIGHT + 10, top: TOP, bottom: BOTTOM, containLabel: false },
      xAxis: { ...valueAxis({ from, to }, tickStep({ from, to }, 5), { name: scoreAxisName(scale) }), nameGap: 24 },
      yAxis: hiddenAxis({ from: 0, to: Math.max(1, scores.length) }, true),
      series: [
        { type: 'custom', silent: true, renderItem: draw, encode: {}, data: scores.map((_score, index) => [index]) },
      ],
    },
  };
}
