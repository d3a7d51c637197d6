import { normalQuantile } from '../../src/stats/numeric/special-functions.ts';

/** The mean of a function of a standard normal, on midpoints of equal probability. */
export function normalGrid(points: number, value: (u: number) => number): number {
  let total = 0;
  for (const u of midpoints(points)) total += value(u);
  return total / points;
}

const known = new Map<number, Float64Array>();

function midpoints(points: number): Float64Array {
  let grid = known.get(points);
  if (grid === undefined) {
    grid = Float64Array.from({ length: points }, (_, i) => normalQuantile((i + 0.5) / points));
    known.set(points, grid);
  }
  return grid;
}

export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
