/** Point estimates with their intervals, one a line: the drawing behind the ranking and the forest plots. */

import { minus, type Range, tickStep, tightAxis } from './axis.ts';
import type { Chart } from './chart.ts';
import { FAINT_INK, INK, type Marker, PAPER, RULE, TRUTH } from './palette.ts';
import { type DrawApi, segment, text } from './shapes.ts';

export interface IntervalLine {
  /** Left of the plot; empty repeats the label above for the eye. */
  readonly label: string;
  readonly strong?: boolean;
  readonly color: string;
  readonly marker: Marker;
  readonly value: { readonly estimate: number; readonly lower: number; readonly upper: number } | null;
  /** Shown in the plot where there is no value. */
  readonly refusal?: string;
  /** Right of the plot. */
  readonly figures: string;
  /** A tick at the true value, in this line alone. */
  readonly truth?: number | null;
  /** Begins a group: a thin rule is drawn above. */
  readonly ruled?: boolean;
}

interface IntervalPlot {
  readonly lines: readonly IntervalLine[];
  readonly range: Range;
  /** Draws a vertical line through all lines. */
  readonly truth: number | null;
  readonly width: number;
  readonly lineHeight: number;
  readonly fontSize: number;
  /** Room for the labels and for the figures; 0 leaves the figures out. */
  readonly labelWidth: number;
  readonly figureWidth: number;
  readonly axisName: string;
  readonly description: string;
}

const TOP = 24;
const BOTTOM = 46;
const GAP = 14;

export function intervalChart(plot: IntervalPlot): Chart {
  const left = plot.labelWidth + GAP;
  const right = plot.figureWidth === 0 ? 12 : plot.figureWidth + GAP;
  const height = TOP + BOTTOM + plot.lines.length * plot.lineHeight;
  const { range } = plot;
  const step = tickStep(range, Math.max(3, Math.min(8, Math.round((plot.width - left - right) / 45))));
  const draw = (_: unknown, api: DrawApi) => ({
    type: 'group',
    children: lineElements(plot, api.value(0), (x, y) => api.coord([x, y]), left),
  });
  const drawTruth = (_: unknown, api: DrawApi) => ({ type: 'group', children: truthElements(plot, api, height) });
  return {
    width: plot.width,
    height,
    description: plot.description,
    option: {
      grid: { left, right, top: TOP, bottom: BOTTOM, containLabel: false },
      xAxis: { ...tightAxis(range, step, { name: plot.axisName }), nameGap: 26 },
      yAxis: { type: 'value', min: 0, max: plot.lines.length, inverse: true, show: false },
      series: [
        { type: 'custom', silent: true, data: plot.truth === null ? [] : [[0]], renderItem: drawTruth, encode: {} },
        { type: 'custom', silent: true, data: plot.lines.map((_line, index) => [index]), renderItem: draw, encode: {} },
      ],
    },
  };
}

type Point = (x: number, y: number) => number[];

function lineElements(plot: IntervalPlot, index: number, point: Point, left: number): object[] {
  const line = plot.lines[index]!;
  const { range, fontSize } = plot;
  const y = point(range.from, index + 0.5)[1]!;
  const elements: object[] = [];
  if (line.ruled === true && index > 0) {
    const top = y - plot.lineHeight / 2;
    elements.push(segment([0, top], [plot.width, top], RULE, 1));
  }
  if (line.label !== '')
    elements.push(
      text(left - GAP, y, line.label, 'right', INK, { fontSize, ...(line.strong === true && { fontWeight: 600 }) }),
    );
  if (line.truth !== undefined && line.truth !== null) {
    const x = point(clamp(line.truth, range), index + 0.5)[0]!;
    const reach = plot.lineHeight * 0.36;
    elements.push(segment([x, y - reach], [x, y + reach], TRUTH, 2.5));
  }
  if (line.value === null) {
    const x = point(range.from, index + 0.5)[0]! + 6;
    elements.push(
      text(x, y, line.refusal ?? 'no estimate', 'left', FAINT_INK, {
        fontSize,
        fontStyle: 'italic',
        // Hides the rules behind the words.
        backgroundColor: PAPER,
        padding: [0, 4, 0, 0],
      }),
    );
    return elements;
  }
  const { estimate, lower, upper } = line.value;
  const x = (value: number) => point(clamp(value, range), index + 0.5)[0]!;
  elements.push(segment([x(lower), y], [x(upper), y], line.color, 2));
  elements.push(...endElements(x(lower), y, lower < range.from ? 'left' : 'inside', line.color));
  elements.push(...endElements(x(upper), y, upper > range.to ? 'right' : 'inside', line.color));
  if (range.from <= estimate && estimate <= range.to)
    elements.push(markerElement(line.marker, x(estimate), y, line.color));
  if (plot.figureWidth > 0) elements.push(text(plot.width, y, line.figures, 'right', INK, { fontSize }));
  return elements;
}

/** A cap where the interval ends, an arrow head where it goes on beyond the plot. */
function endElements(x: number, y: number, end: 'inside' | 'left' | 'right', color: string): object[] {
  if (end === 'inside') return [segment([x, y - 3.5], [x, y + 3.5], color, 2)];
  const back = end === 'left' ? 6 : -6;
  const points = [
    [x, y],
    [x + back, y - 4.5],
    [x + back, y + 4.5],
  ];
  return [{ type: 'polygon', shape: { points }, style: { fill: color } }];
}

/** Corners around the point, `x,y` each. */
const CORNERS: Readonly<Record<Exclude<Marker, 'circle'>, string>> = {
  diamond: '0,-5.5 5.5,0 0,5.5 -5.5,0',
  square: '-4,-4 4,-4 4,4 -4,4',
  triangle: '0,-5 5,4 -5,4',
};

/** Hollow but for the first series, so that shape and filling differ where colours may not. */
function markerElement(marker: Marker, x: number, y: number, color: string): object {
  if (marker === 'circle') return { type: 'circle', shape: { cx: x, cy: y, r: 4.5 }, style: { fill: color } };
  const points = CORNERS[marker].split(' ').map((corner) => {
    const [dx, dy] = corner.split(',').map(Number);
    return [x + dx!, y + dy!];
  });
  return { type: 'polygon', shape: { points }, style: { fill: PAPER, stroke: color, lineWidth: 2 } };
}

function truthElements(plot: IntervalPlot, api: DrawApi, height: number): object[] {
  const x = api.coord([plot.truth!, 0])[0]!;
  return [
    segment([x, TOP - 4], [x, height - BOTTOM], TRUTH, 1.5, { lineDash: [5, 3] }),
    text(x, TOP - 13, `truth ${minus(plot.truth!.toFixed(3))}`, 'center', TRUTH, { fontWeight: 600 }),
  ];
}

const clamp = (value: number, { from, to }: Range) => Math.min(to, Math.max(from, value));
