/** Uniform cubic B-splines as scikit-learn's SplineTransformer makes them (uniform knots, no bias column, constant extrapolation). */

const DEGREE = 3;

export interface SplineBasis {
  /** First knot of the data range; knots are equally spaced. */
  readonly low: number;
  readonly high: number;
  readonly spacing: number;
  /** Columns: knots + 1, the last basis function being left out. */
  readonly columns: number;
}

/** Knots q = min(max(5, 8), ⌊size/4⌋), equally spaced over the training values. `null` for a single distinct value. */
export function splineBasis(training: ArrayLike<number>): SplineBasis | null {
  const knots = Math.min(8, Math.floor(training.length / 4));
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < training.length; i++) {
    low = Math.min(low, training[i]!);
    high = Math.max(high, training[i]!);
  }
  if (!(high > low) || knots < 2) return null;
  return { low, high, spacing: (high - low) / (knots - 1), columns: knots + DEGREE - 2 };
}

/**
 * The basis at one value, in closed form: with u ∈ [0, 1] the position inside a knot interval, the four functions
 * alive there are (1−u)³/6, (3u³−6u²+4)/6, (−3u³+3u²+3u+1)/6, u³/6. Values beyond the knots take the boundary's.
 *
 * @param weights one coefficient a column.
 * @returns Σ_j weights[j] · B_j(value).
 */
export function splineValue(basis: SplineBasis, weights: ArrayLike<number>, offset: number, value: number): number {
  const position = positionOf(basis, value);
  const first = intervalOf(basis, position);
  const u = position - first;
  const alive = Math.min(4, basis.columns - first);
  let total = 0;
  for (let j = 0; j < alive; j++) total += weights[offset + first + j]! * bump(j, u);
  return total;
}

/** Design columns (each of length m) of the training values. */
export function splineColumns(basis: SplineBasis, training: ArrayLike<number>): Float64Array[] {
  const columns = Array.from({ length: basis.columns }, () => new Float64Array(training.length));
  for (let i = 0; i < training.length; i++) {
    const position = positionOf(basis, training[i]!);
    const first = intervalOf(basis, position);
    const alive = Math.min(4, basis.columns - first);
    for (let j = 0; j < alive; j++) columns[first + j]![i] = bump(j, position - first);
  }
  return columns;
}

/** Distance from the first knot in knot intervals, held inside the knots. */
function positionOf(basis: SplineBasis, value: number): number {
  return (Math.min(Math.max(value, basis.low), basis.high) - basis.low) / basis.spacing;
}

/** The knot interval of a position; the last knot belongs to the last interval. */
function intervalOf(basis: SplineBasis, position: number): number {
  return Math.min(Math.floor(position), basis.columns - DEGREE);
}

function bump(j: number, u: number): number {
  switch (j) {
    case 0:
      return ((1 - u) * (1 - u) * (1 - u)) / 6;
    case 1:
      return (3 * u * u * u - 6 * u * u + 4) / 6;
    case 2:
      return (-3 * u * u * u + 3 * u * u + 3 * u + 1) / 6;
    default:
      return (u * u * u) / 6;
  }
}
