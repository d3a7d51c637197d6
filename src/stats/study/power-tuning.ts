import { labelWeights } from '../data/label-weights.ts';
import { indicesWhere, take } from '../numeric/moments.ts';
import type { FreshView } from './policy-view.ts';

/** Fewer labelled prompts than this do not know how much a judge is worth. */
const LABELS_TO_TUNE = 20;

interface Tuned {
  /** The m labelled draws, as positions, and their labels. */
  readonly labelled: Int32Array;
  readonly labels: Float64Array;
  /** Predictions of all M draws, and the cross-fitting fold of each draw's prompt. */
  readonly predictions: Float64Array;
  readonly folds: Int32Array;
  /** Labelled prompts. */
  readonly prompts: number;
  /** Weight of each label; null for equal weights. */
  readonly weights: Float64Array | null;
}

/**
 * How much of the prediction a mean with own labels takes off and adds back (PPI++: Angelopoulos, Duchi and Zrnic, arXiv
 * 2311.01453): λ* = Cov(Y, f)/Var(f), held in [0, 1]. 1 is prediction-powered inference as it was, 0 the mean label. Both
 * moments are of the labelled draws: with the variance of all draws, the same in the limit, λ̂ also varies with how the
 * labelled scores happen to spread, and intervals at 30 labels are 5 % wider instead of 1.5 %. Each fold's λ is made of the
 * others' draws: tuned on the rows that it is used on, it would understate the variance. With fewer than 20 labelled
 * prompts `otherwise` is taken.
 *
 * @returns λ of each draw.
 */
export function tunedWeights(
  { labelled, labels, predictions, folds, prompts, weights }: Tuned,
  otherwise: number,
): Float64Array {
  if (prompts < LABELS_TO_TUNE) return new Float64Array(predictions.length).fill(otherwise);
  const byFold = new Map<number, number>();
  for (const fold of new Set(folds)) {
    const rows = Int32Array.from(labels, (_, i) => i).filter((i) => folds[labelled[i]!] !== fold);
    byFold.set(fold, rows.length < 2 ? otherwise : slope(rows));
  }
  return Float64Array.from(folds, (fold) => byFold.get(fold)!);

  function slope(rows: Int32Array): number {
    const weight = (i: number) => (weights === null ? 1 : weights[i]!);
    let [mass, y, f] = [0, 0, 0];
    for (const i of rows) {
      mass += weight(i);
      y += weight(i) * labels[i]!;
      f += weight(i) * predictions[labelled[i]!]!;
    }
    let [covariance, variance] = [0, 0];
    for (const i of rows) {
      const deviation = predictions[labelled[i]!]! - f / mass;
      covariance += weight(i) * (labels[i]! - y / mass) * deviation;
      variance += weight(i) * deviation ** 2;
    }
    return variance > 0 ? Math.min(Math.max(covariance / variance, 0), 1) : otherwise;
  }
}

/** λ of each draw of a policy, by the estimator's settings. */
export function judgeWeights(view: FreshView, options: Readonly<Record<string, unknown>>): Float64Array {
  const { tuning = 'none', judgeWeight = 1 } = options as { readonly tuning?: string; readonly judgeWeight?: number };
  const { oracleLabels, promptIds } = view.draws;
  const labelled = indicesWhere(oracleLabels.length, (j) => !Number.isNaN(oracleLabels[j]!));
  const drawn = labelWeights(view.draws);
  if (tuning === 'none') return new Float64Array(oracleLabels.length).fill(judgeWeight);
  return tunedWeights(
    {
      labelled,
      labels: take(oracleLabels, labelled),
      predictions: view.heldOutRewards,
      folds: view.folds,
      prompts: new Set(Array.from(labelled, (j) => promptIds[j]!)).size,
      weights: drawn === null ? null : take(drawn, labelled),
    },
    judgeWeight,
  );
}
