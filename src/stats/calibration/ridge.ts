import { singularValues } from '../linear-algebra.ts';
import { dot, mean } from '../moments.ts';

/** Penalties tried: 10^(−3 + j/2), j = 0..12. */
const PENALTIES = Array.from({ length: 13 }, (_, j) => 10 ** (-3 + j / 2));

export interface RidgeFit {
  readonly coefficients: Float64Array;
  readonly intercept: number;
  readonly penalty: number;
}

/**
 * Ridge regression with an unpenalised intercept, its penalty chosen by the smallest exact leave-one-out mean squared
 * error e_i/(1 − H_ii), H with the intercept (Golub, Heath and Wahba 1979). A tie keeps the smaller penalty.
 *
 * @param columns p design columns of length m.
 * @param y m responses.
 * @param weights m positive weights (weighted least squares), absent for 1.
 */
export function fitRidge(columns: readonly Float64Array[], y: Float64Array, weights?: Float64Array): RidgeFit {
  return fitAmong(PENALTIES, columns, y, weights);
}

/** Ridge regression with an unpenalised intercept and the given penalty. */
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
  const centre = (v: Float64Array, by: number) => v.map((value, i) => (value - by) * (root === null ? 1 : root[i]!));

  const columnMeans = columns.map(average);
  const yMean = average(y);
  const target = centre(y, yMean);
  const { left, values, right } = singularValues(columns.map((c, j) => centre(c, columnMeans[j]!)));
  const projections = left.map((u) => dot(u, target));

  let best: { penalty: number; error: number } | null = null;
  const fitted = new Float64Array(m);
  const leverage = new Float64Array(m);
  for (const penalty of penalties) {
    fitted.fill(0);
    for (let i = 0; i < m; i++) leverage[i] = (weights === undefined ? 1 : weights[i]!) / totalWeight;
    for (let j = 0; j < left.length; j++) {
      const u = left[j]!;
      const shrink = values[j]! ** 2 / (values[j]! ** 2 + penalty);
      const along = shrink * projections[j]!;
      for (let i = 0; i < m; i++) {
        fitted[i]! += u[i]! * along;
        leverage[i]! += u[i]! * u[i]! * shrink;
      }
    }
    let error = 0;
    for (let i = 0; i < m; i++) error += ((target[i]! - fitted[i]!) / (1 - leverage[i]!)) ** 2;
    if (best === null || error < best.error) best = { penalty, error };
  }
  const { penalty } = best!;
  const coefficients = new Float64Array(columns.length);
  for (let k = 0; k < values.length; k++) {
    const scale = (values[k]! / (values[k]! ** 2 + penalty)) * projections[k]!;
    for (let j = 0; j < coefficients.length; j++) coefficients[j]! += scale * right[k]![j]!;
  }
  let intercept = yMean;
  for (let j = 0; j < coefficients.length; j++) intercept -= coefficients[j]! * columnMeans[j]!;
  return { coefficients, intercept, penalty };
}
