/** Shapes that charts draw themselves, in the drawing's units. */

/** What the library hands to a drawing function; values are those of one datum. */
export interface DrawApi {
  value(dimension: number): number;
  coord(point: readonly number[]): number[];
}

interface LineStyle {
  readonly fill?: 'none';
  readonly lineDash?: readonly number[];
}

export function segment(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  color: string,
  width: number,
  more: LineStyle = { fill: 'none' },
): object {
  return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: color, lineWidth: width, ...more } };
}

interface TextStyle {
  readonly fontSize?: number;
  readonly fontWeight?: number;
  readonly fontStyle?: 'italic';
  readonly backgroundColor?: string;
  readonly padding?: readonly number[];
}

export function text(
  x: number,
  y: number,
  content: string,
  align: 'left' | 'center' | 'right',
  color: string,
  style: TextStyle = {},
): object {
  const common = { align, verticalAlign: 'middle', fill: color, fontSize: 12, fontFamily: 'inherit' };
  return { type: 'text', style: { text: content, x, y, ...common, ...style } };
}
