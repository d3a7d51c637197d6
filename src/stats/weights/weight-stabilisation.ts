import { fitIsotonicInOrder, type IsotonicFit, predictIsotonic, predictIsotonicInOrder } from '../numeric/isotonic.ts';
import { covariance } from '../numeric/linear-algebra.ts';
import {
  dot,
  indicesWhere,
  mean,
  populationVariance,
  range,
  sortedOrderBy,
  sum,
  tabulate,
  take,
} from '../numeric/moments.ts';
import { minimumVarianceMixture } from '../numeric/simplex.ts';
import { toMeanOne } from './importance-weights.ts';

/**
 * SIMCal: score-indexed monotone calibration of importance weights (arXiv 2512.11150 §5). Minimises
 *
 *   Var[φ(α u↑ + (1 − α) u↓)] over α ∈ [0, 1], with mean(u) = 1 and Var(u) ≤ cap,
 *
 * where u↑ and u↓ are the increasing and the decreasing isotonic projection of the weights on a scalar index, and φ(u)
 * are the influence values of the self-normalised estimate. A mixture above the cap is shrunk towards 1.
 *
 * What it is in practice: shrinkage of the estimate towards the logging policy's mean. Where weights rise with the
 * index the decreasing projection is the constant 1, which has the least variance and takes most of the mixture. So
 * a stabilised effective sample size says nothing about overlap; read the raw one beside it.
 */
export interface StabilisedFit {
  readonly increasing: IsotonicFit;
  readonly decreasing: IsotonicFit;
  /** Mixture weights of (increasing, decreasing). */
  readonly mixture: Float64Array;
  /** Shrinkage towards 1 that meets the variance cap; 0 when the cap does not bind. */
  readonly shrinkage: number;
  readonly indexRange: readonly [number, number];
  /** Regularised covariance of the candidates' influence values, 2 × 2. */
  readonly sigma: readonly Float64Array[];
}

/** Largest variance of the mean-one weights. */
const VARIANCE_CAP = 1;
/** Smallest effective sample size as a fraction of n. */
const ESS_FLOOR = 0.2;
const FLOOR = 1e-9;
const RIDGE = 1e-8;
/** The library reads inner folds 0..4, however many there are; rows of others count as without influence. */
const INNER_FOLDS = 5;

/** The columns that stabilisation reads; all of length n. */
export interface StabilisationRows {
  /** Raw weights, positive. */
  readonly weights: Float64Array;
  /** Cross-fitted reward where rewards are calibrated, else the judge score. */
  readonly index: Float64Array;
  /** Of the influence values: cross-fitted reward where rewards are calibrated, else the reward. */
  readonly rewards: Float64Array;
}

interface FitOptions {
  /** Fold 0..4 of each row, for leave-fold-out influence values. */
  readonly innerFolds: Int32Array;
  /** Rows by (index, weight), where the caller knows it. */
  readonly order?: Int32Array;
}

/**
 * Fits the stabilisation on training rows.
 * @returns `null` when a weight is zero or not finite: projections of such weights mean nothing.
 */
export function fitStabilisation(
  { weights, index, rewards }: StabilisationRows,
  { innerFolds, order = sortedOrderBy(index, weights) }: FitOptions,
): StabilisedFit | null {
  for (let i = 0; i < weights.length; i++)
    if (!(weights[i]! > 0) || weights[i] === Number.POSITIVE_INFINITY) return null;
  const w = toMeanOne(weights);
  const increasing = fitIsotonicInOrder(order, index, w);
  const decreasing = fitIsotonicInOrder(order, index, w, { increasing: false });
  const candidates = [increasing, decreasing].map((fit) => candidate(fit, index, order));
  const sigma = covariance(candidates.map((c) => leaveFoldOutInfluence(c, rewards, innerFolds)));
  const ridge = (RIDGE * (sigma[0]![0]! + sigma[1]![1]!)) / candidates.length;
  sigma.forEach((row, q) => {
    row[q]! += ridge;
  });
  const mixture = minimumVarianceMixture(sigma, { tolerance: 1e-10, maximumDrops: 20 });
  const variance = populationVariance(mix(candidates, mixture));
  const caps = [VARIANCE_CAP, 1 / ESS_FLOOR - 1].filter((cap) => variance > cap);
  const shrinkage = Math.min(Math.max(0, ...caps.map((cap) => 1 - Math.sqrt(cap / variance))), 1);
  return { increasing, decreasing, mixture, shrinkage, indexRange: range(index), sigma };
}

/** Mean-one stabilised weights of rows with the given index. */
export function stabilisedWeights(fit: StabilisedFit, index: Float64Array): Float64Array {
  const [low, high] = fit.indexRange;
  const inside = tabulate(index.length, (i) => Math.min(Math.max(index[i]!, low), high));
  let out = mix(
    [fit.increasing, fit.decreasing].map((f) => candidate(f, inside, null)),
    fit.mixture,
  );
  if (fit.shrinkage > 0) {
    out = toMeanOne(out.map((u) => Math.max(1 + (1 - fit.shrinkage) * (u - 1), FLOOR)));
  }
  return out;
}

/** @param order rows by index, where the caller knows it. */
function candidate(fit: IsotonicFit, index: Float64Array, order: Int32Array | null): Float64Array {
  const predicted = order === null ? predictIsotonic(fit, index) : predictIsotonicInOrder(fit, index, order);
  for (let i = 0; i < predicted.length; i++) if (predicted[i]! < FLOOR) predicted[i] = FLOOR;
  return toMeanOne(predicted);
}

function mix(candidates: readonly Float64Array[], mixture: Float64Array): Float64Array {
  const [up, down] = [candidates[0]!, candidates[1]!];
  const [shareUp, shareDown] = [mixture[0]!, mixture[1]!];
  return tabulate(up.length, (i) => shareUp * up[i]! + shareDown * down[i]!);
}

/** φ_i = [c_i(r_i − ψ) − ψ(c_i − μ)]/μ with ψ and μ from the other inner folds. */
function leaveFoldOutInfluence(c: Float64Array, r: Float64Array, folds: Int32Array): Float64Array {
  const out = new Float64Array(c.length);
  const counts = new Int32Array(INNER_FOLDS);
  const masses = new Float64Array(INNER_FOLDS);
  const products = new Float64Array(INNER_FOLDS);
  let total = 0;
  let product = 0;
  for (let i = 0; i < c.length; i++) {
    const weight = c[i]!;
    total += weight;
    product += weight * r[i]!;
    const v = folds[i]!;
    if (v >= INNER_FOLDS) continue;
    counts[v]!++;
    masses[v]! += weight;
    products[v]! += weight * r[i]!;
  }
  for (let i = 0; i < c.length; i++) {
    const v = folds[i]!;
    if (v >= INNER_FOLDS || counts[v] === c.length) continue;
    const mu = (total - masses[v]!) / (c.length - counts[v]!);
    const psi = (product - products[v]!) / (total - masses[v]!);
    out[i] = (c[i]! * (r[i]! - psi) - psi * (c[i]! - mu)) / mu;
  }
  return out;
}

export interface CrossFittedWeights {
  /** Mean-one weights, n. */
  readonly weights: Float64Array;
  /** Per outer fold, the raw-weighted mean reward of its training rows (NaN for a fold without rows). */
  readonly trainingMeans: Float64Array;
  /** Per outer fold, the mean raw weight of its training rows. */
  readonly trainingWeightMeans: Float64Array;
  readonly fits: readonly (StabilisedFit | null)[];
}

/**
 * Stabilises each outer fold's weights with a fit on the other folds. A fold with fewer than 10 training or 2 test
 * rows, or whose training weights contain a zero, keeps its raw weights.
 *
 * @param innerFolds the inner fold labels of the given training rows.
 */
export function crossFitStabilisation(
  rows: StabilisationRows,
  outerFolds: Int32Array,
  folds: number,
  innerFolds: (trainingRows: Int32Array) => Int32Array,
): CrossFittedWeights {
  const out = new Float64Array(rows.weights.length);
  const trainingMeans = new Float64Array(folds);
  const trainingWeightMeans = new Float64Array(folds);
  const fits: (StabilisedFit | null)[] = [];
  const order = sortedOrderBy(rows.index, rows.weights);
  for (let v = 0; v < folds; v++) {
    const training = indicesWhere(out.length, (i) => outerFolds[i] !== v);
    const test = indicesWhere(out.length, (i) => outerFolds[i] === v);
    const w = take(rows.weights, training);
    const r = take(rows.rewards, training);
    trainingWeightMeans[v] = mean(w);
    trainingMeans[v] = dot(w, r) / sum(w);
    const enough = training.length >= 10 && test.length >= 2;
    const fit = enough
      ? fitStabilisation(
          { weights: w, index: take(rows.index, training), rewards: r },
          { innerFolds: innerFolds(training), order: orderWithin(order, training) },
        )
      : null;
    fits.push(fit);
    const u = fit === null ? take(rows.weights, test) : stabilisedWeights(fit, take(rows.index, test));
    for (let i = 0; i < test.length; i++) out[test[i]!] = u[i]!;
  }
  return { weights: toMeanOne(out), trainingMeans, trainingWeightMeans, fits };
}

/** The given order of all rows, restricted to some of them and in their numbering. */
function orderWithin(order: Int32Array, rows: Int32Array): Int32Array {
  const position = new Int32Array(order.length).fill(-1);
  for (let i = 0; i < rows.length; i++) position[rows[i]!] = i;
  const out = new Int32Array(rows.length);
  let next = 0;
  for (let k = 0; k < order.length; k++) {
    const at = position[order[k]!]!;
    if (at >= 0) out[next++] = at;
  }
  return out;
}
