import { range, sortedOrderBy } from './moments.ts';

/** A monotone piecewise linear function: breakpoints with strictly ascending x. */
export interface IsotonicFit {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly increasing: boolean;
}

interface IsotonicOptions {
  /** Positive weight of each point; absent means 1. */
  readonly weights?: ArrayLike<number>;
  /** Default true. */
  readonly increasing?: boolean;
  /** Fitted values are clipped to these bounds after the fit. */
  readonly bounds?: readonly [low: number, high: number];
}

/**
 * Minimises Σ_i ω_i (y_i − f(x_i))² over functions f that never fall (or never rise) as x grows (Barlow et al. 1972).
 *
 * By pool-adjacent-violators: sort by x, merge points of equal x (closer than 1e-15) into their weighted mean, pool, keep
 * the breakpoints; between them f is linear. The fit preserves the weighted mean on its training points,
 * Σ ω f(x) = Σ ω y, unless bounds clip it.
 *
 * O(n log n). Refuses (throws RangeError) empty input and NaN in x or y.
 */
export function fitIsotonic(x: ArrayLike<number>, y: ArrayLike<number>, options: IsotonicOptions = {}): IsotonicFit {
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]!) || Number.isNaN(y[i]!)) throw new RangeError(`isotonic regression met NaN at point ${i}`);
  }
  return fitIsotonicInOrder(sortedOrderBy(x, y), x, y, options);
}

/** {@link fitIsotonic} of points in their known order by (x, y), so that a bootstrap sorts once. It skips points of weight zero. */
export function fitIsotonicInOrder(
  order: Int32Array,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: IsotonicOptions = {},
): IsotonicFit {
  const { weights, increasing = true, bounds } = options;
  const knots = new Float64Array(order.length);
  const values = new Float64Array(order.length);
  const masses = new Float64Array(order.length);
  let count = 0;
  let total = 0;
  let mass = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const weight = weights === undefined ? 1 : weights[row]!;
    if (weight === 0) continue;
    const at = x[row]!;
    if (count === 0 || at - knots[count - 1]! >= 1e-15) {
      if (count > 0) values[count - 1] = total / mass;
      knots[count] = at;
      total = 0;
      mass = 0;
      count++;
    }
    total += weight * y[row]!;
    mass += weight;
    masses[count - 1] = mass;
  }
  if (count === 0) throw new RangeError('isotonic regression needs at least one point');
  values[count - 1] = total / mass;
  const fitted = values.subarray(0, count);
  if (!increasing) {
    fitted.reverse();
    pool(fitted, masses.subarray(0, count).reverse());
    fitted.reverse();
  } else {
    pool(fitted, masses.subarray(0, count));
  }
  if (bounds !== undefined) {
    for (let i = 0; i < count; i++) fitted[i] = Math.min(Math.max(fitted[i]!, bounds[0]), bounds[1]);
  }
  return breakpoints(knots.subarray(0, count), fitted, increasing);
}

/** Pool-adjacent-violators in place: `values` become the fitted values. Each block is visited a bounded number of times, so O(n). */
function pool(values: Float64Array, masses: Float64Array): void {
  const n = values.length;
  // A block [start..end] keeps its end at lastOf[start] and its start at lastOf[end].
  const lastOf = new Int32Array(n);
  for (let i = 0; i < n; i++) lastOf[i] = i;
  let start = 0;
  while (start < n) {
    let next = lastOf[start]! + 1;
    if (next === n) break;
    if (values[start]! < values[next]!) {
      start = next;
      continue;
    }
    let total = masses[start]! * values[start]!;
    let mass = masses[start]!;
    for (;;) {
      const previous = values[next]!;
      total += masses[next]! * previous;
      mass += masses[next]!;
      next = lastOf[next]! + 1;
      if (next === n || previous < values[next]!) break;
    }
    values[start] = total / mass;
    masses[start] = mass;
    lastOf[start] = next - 1;
    lastOf[next - 1] = start;
    if (start > 0) start = lastOf[start - 1]!;
  }
  for (let i = 0; i < n; ) {
    const next = lastOf[i]! + 1;
    values.fill(values[i]!, i + 1, next);
    i = next;
  }
}

/** Drops inner points that lie level with both neighbours. */
function breakpoints(x: Float64Array, y: Float64Array, increasing: boolean): IsotonicFit {
  const keep: number[] = [];
  for (let i = 0; i < x.length; i++) {
    if (i === 0 || i === x.length - 1 || y[i] !== y[i - 1] || y[i] !== y[i + 1]) keep.push(i);
  }
  return { x: Float64Array.from(keep, (i) => x[i]!), y: Float64Array.from(keep, (i) => y[i]!), increasing };
}

/** The fitted value at `at`: clamped to the fitted range of x, linear between breakpoints. */
export function evaluateIsotonic(fit: Pick<IsotonicFit, 'x' | 'y'>, at: number): number {
  const { x, y } = fit;
  const last = x.length - 1;
  if (at <= x[0]!) return y[0]!;
  if (at >= x[last]!) return y[last]!;
  return between(x, y, segmentOf(x, at), at);
}

/** The breakpoint from which the segment that holds `at` goes up; the first for one below all, and for a single breakpoint. */
export function segmentOf(x: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! < at) low = middle;
    else high = middle;
  }
  return low;
}

/** {@link evaluateIsotonic} at many points. */
export function predictIsotonic(fit: Pick<IsotonicFit, 'x' | 'y'>, at: ArrayLike<number>): Float64Array {
  const out = new Float64Array(at.length);
  for (let i = 0; i < out.length; i++) out[i] = evaluateIsotonic(fit, at[i]!);
  return out;
}

/** The line through breakpoints `low` and `low + 1`; rounding must not carry it past either, or the fit would not be monotone. */
function between(x: Float64Array, y: Float64Array, low: number, at: number): number {
  const from = y[low]!;
  const to = y[low + 1]!;
  const value = ((to - from) / (x[low + 1]! - x[low]!)) * (at - x[low]!) + from;
  return from <= to ? Math.min(Math.max(value, from), to) : Math.min(Math.max(value, to), from);
}

/** {@link predictIsotonic} at points whose ascending order is known: one pass over the breakpoints instead of a search a point. */
export function predictIsotonicInOrder(
  { x, y }: Pick<IsotonicFit, 'x' | 'y'>,
  at: ArrayLike<number>,
  order: Int32Array,
): Float64Array {
  const last = x.length - 1;
  const out = new Float64Array(at.length);
  let low = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    const point = at[row]!;
    if (point <= x[0]!) out[row] = y[0]!;
    else if (point >= x[last]!) out[row] = y[last]!;
    else {
      while (x[low + 1]! < point) low++;
      out[row] = between(x, y, low, point);
    }
  }
  return out;
}

/** True when the fit says nothing: one level for every x. */
export function isConstant(fit: IsotonicFit): boolean {
  const [low, high] = range(fit.y);
  return high - low < 1e-12;
}
