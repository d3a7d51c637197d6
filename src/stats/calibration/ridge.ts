import { singularValues } from '../numeric/linear-algebra.ts';
import { dot, mean, tabulate } from '../numeric/moments.ts';

/** Penalties tried: 10^(−3 + j/2), j = 0..12. */
const PENALTIES = Array.from({ length: 13 }, (_, j) => 10 ** (-3 + j / 2));

interface RidgeFit {
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly penalty: number;
}

/**
 * Minimises over coefficients β and intercept b, without constraint,
 *
 *   Σ_i ω_i (y_i − b − x_iᵀβ)² + λ‖β‖²
 *
 * with λ the penalty whose exact leave-one-out squared error Σ (e_i/(1 − H_ii))² is the smallest, H with the intercept
 * (Golub, Heath and Wahba 1979). The intercept is not penalised. A tie keeps the smaller penalty.
 *
 * @param columns p design columns of length m.
 * @param y m responses.
 * @param weights m positive weights (weighted least squares), absent for 1.
 */
export function fitRidge(columns: readonly Float64Array[], y: Float64Array, weights?: Float64Array): RidgeFit {
  return fitAmong(PENALTIES, columns, y, weights);
}

/** {@link fitRidge} with the given penalty. */
export function fitRidgeWithPenalty(columns: readonly Float64Array[], y: Float64Array, penalty: number): RidgeFit {
  return fitAmong([penalty], columns, y);
}

function fitAmong(
  penalties: readonly number[],
  columns: readonly Float64Array[],
  y: Float64Array,
  weights?: Float64Array,
): RidgeFit {
  const m = y.length;
  const root = weights === undefined ? null : weights.map(Math.sqrt);
  const totalWeight = weights === undefined ? m : weights.reduce((s, w) => s + w, 0);
  const average = (v: Float64Array) =>
    weights === undefined ? mean(v) : v.reduce((s, value, i) => s + value * weights[i]!, 0) / totalWeight;
  const centre = (v: Float64Array, by: number) => tabulate(m, (i) => (v[i]! - by) * (root === null ? 1 : root[i]!));

  const columnMeans = columns.map(average);
  const yMean = average(y);
  const target = centre(y, yMean);
  const { left, values, right } = singularValues(columns.map((c, j) => centre(c, columnMeans[j]!)));
  const projections = left.map((u) => dot(u, target));

  const share = (row: number) => (weights === undefined ? 1 : weights[row]!) / totalWeight;
  const penalty = penalties[smallestError({ penalties, target, left, values, projections, share })]!;
  const coefficients = new Float64Array(columns.length);
  for (let k = 0; k < values.length; k++) {
    const scale = (values[k]! / (values[k]! ** 2 + penalty)) * projections[k]!;
    for (let j = 0; j < coefficients.length; j++) coefficients[j]! += scale * right[k]![j]!;
  }
  let intercept = yMean;
  for (let j = 0; j < coefficients.length; j++) intercept -= coefficients[j]! * columnMeans[j]!;
  return { coefficients, intercept, penalty };
}

interface LeaveOneOut {
  readonly penalties: readonly number[];
  /** Centred responses. */
  readonly target: Float64Array;
  /** Left singular vectors of the design, its singular values, and the target's coordinates along the vectors. */
  readonly left: readonly Float64Array[];
  readonly values: Float64Array;
  readonly projections: readonly number[];
  /** A row's share of all weight. */
  share(row: number): number;
}

/** Position of the penalty with the smallest leave-one-out error: all penalties in one pass over the rows. */
function smallestError({ penalties, target, left, values, projections, share }: LeaveOneOut): number {
  const p = left.length;
  const shrink = new Float64Array(penalties.length * p);
  const along = new Float64Array(penalties.length * p);
  penalties.forEach((penalty, k) => {
    for (let j = 0; j < p; j++) {
      shrink[k * p + j] = values[j]! ** 2 / (values[j]! ** 2 + penalty);
      along[k * p + j] = shrink[k * p + j]! * projections[j]!;
    }
  });
  const errors = new Float64Array(penalties.length);
  const row = new Float64Array(p);
  const squares = new Float64Array(p);
  for (let i = 0; i < target.length; i++) {
    for (let j = 0; j < p; j++) {
      row[j] = left[j]![i]!;
      squares[j] = row[j]! * row[j]!;
    }
    const ownWeight = share(i);
    for (let k = 0, at = 0; k < errors.length; k++) {
      let fitted = 0;
      let leverage = ownWeight;
      for (let j = 0; j < p; j++, at++) {
        fitted += row[j]! * along[at]!;
        leverage += squares[j]! * shrink[at]!;
      }
      const error = (target[i]! - fitted) / (1 - leverage);
      errors[k]! += error * error;
    }
  }
  let best = 0;
  for (let k = 1; k < errors.length; k++) if (errors[k]! < errors[best]!) best = k;
  return best;
}
