import { fitIsotonic, predictIsotonic } from '../../numeric/isotonic.ts';
import { indicesWhere, take } from '../../numeric/moments.ts';
import { toMeanOne } from '../../weights/importance-weights.ts';
import { shuffledFolds } from '../python/shuffled-folds.ts';

/** The live sampler of the original experiment clipped log ratios here. */
const LOG_RATIO_LIMIT = 20;

/** exp of the log ratio clipped to ±20: a policy without overlap keeps finite weights. */
export function originalWeights(logRatios: Float64Array): Float64Array {
  return logRatios.map((l) => Math.exp(Math.min(Math.max(l, -LOG_RATIO_LIMIT), LOG_RATIO_LIMIT)));
}

/**
 * The original experiment's weight calibration: weights clipped to [0.01, 100]; within each of five shuffled folds, ranks q
 * = j/(n_v − 1) become targets t = 2q/(1 + q), rescaled to sum n_v, and an isotonic regression of target on weight only
 * averages ties. The result lies in 0 … 1.63 and depends on ranks alone, whatever the magnitudes: nearly uniform weights,
 * hence an estimate close to the logging policy's mean. Folds of fewer than ten rows keep their weights, mean one. Capped
 * at 500.
 */
export function originalCalibratedWeights(weights: Float64Array, seed: number): Float64Array {
  const folds = shuffledFolds(weights.length, 5, seed);
  const out = new Float64Array(weights.length);
  for (let fold = 0; fold < 5; fold++) {
    const rows = indicesWhere(weights.length, (i) => folds[i] === fold);
    const clipped = take(weights, rows).map((w) => Math.min(Math.max(w, 0.01), 100));
    const calibrated = rows.length < 10 ? toMeanOne(clipped) : rankWeights(clipped);
    rows.forEach((row, i) => {
      out[row] = Math.min(calibrated[i]!, 500);
    });
  }
  return out;
}

function rankWeights(weights: Float64Array): Float64Array {
  const n = weights.length;
  const sorted = weights.slice().sort();
  const targets = sorted.map((_, j) => (2 * (j / (n - 1))) / (1 + j / (n - 1)));
  const scale = n / targets.reduce((s, t) => s + t, 0);
  const fit = fitIsotonic(
    sorted,
    targets.map((t) => t * scale),
  );
  return toMeanOne(predictIsotonic(fit, weights));
}
