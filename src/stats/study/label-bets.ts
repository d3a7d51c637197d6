import { clusterIndex } from '../data/clustering.ts';
import { hashedOrder } from '../data/folds.ts';
import { mean, sum } from '../numeric/moments.ts';
import { LABELS_TO_TUNE, tunedWeight } from './power-tuning.ts';

/** Labels of a policy's own draws, and a prediction of every draw that was not learnt from them: what a bet on their mean reads. */
export interface LabelBets {
  /** One a labelled prompt, in the order of a hash of the prompts' ids. */
  readonly prompts: readonly LabelledPrompt[];
  /** The least and the largest prediction that there can be. */
  readonly range: readonly [low: number, high: number];
  /** Mean prediction of each prompt over all its draws, and the share of the largest prompt's draws that it has. */
  readonly predictions: readonly { readonly value: number; readonly share: number }[];
  /** Their mean over all draws, with its prompt-clustered standard error and degrees of freedom. */
  readonly meanPrediction: {
    readonly value: number;
    readonly standardError: number;
    readonly degreesOfFreedom: number;
  };
}

export interface LabelledPrompt {
  /** Means over the prompt's labels, by their weights. */
  readonly label: number;
  readonly prediction: number;
  /** λ, known before this prompt's labels were. */
  readonly judgeWeight: number;
  /** The weight of its labels, as a share of the largest prompt's. */
  readonly share: number;
}

interface OwnLabels {
  readonly promptIds: readonly string[];
  /** NaN where there is no label. */
  readonly labels: Float64Array;
  readonly predictions: Float64Array;
  readonly range: readonly [low: number, high: number];
  /** 1/π of each label; null for equal weights. */
  readonly weights: Float64Array | null;
  /** λ before 20 labelled prompts, or of all: then it is not tuned. */
  readonly judgeWeight: number;
  readonly tuned: boolean;
  readonly seed: number;
}

export function labelBets(own: OwnLabels): LabelBets {
  const { promptIds, labels, predictions, range } = own;
  const rowsOf = new Map<string, number[]>();
  const drawsOf = new Map<string, { count: number; sum: number }>();
  promptIds.forEach((id, j) => {
    const draws = drawsOf.get(id) ?? { count: 0, sum: 0 };
    drawsOf.set(id, { count: draws.count + 1, sum: draws.sum + predictions[j]! });
    if (Number.isNaN(labels[j]!)) return;
    const rows = rowsOf.get(id);
    if (rows === undefined) rowsOf.set(id, [j]);
    else rows.push(j);
  });
  const ordered = hashedOrder([...rowsOf.keys()], own.seed).map((id) => rowsOf.get(id)!);
  const most = Math.max(...[...drawsOf.values()].map(({ count }) => count));
  return {
    prompts: inTurn(own, ordered),
    range,
    predictions: hashedOrder([...drawsOf.keys()], own.seed).map((id) => {
      const { count, sum: total } = drawsOf.get(id)!;
      return { value: total / count, share: count / most };
    }),
    meanPrediction: meanOfDraws(promptIds, predictions),
  };
}

/** λ of a prompt is tuned on the prompts before it, anew after every 20 of them. */
function inTurn({ labels, predictions, weights, judgeWeight, tuned }: OwnLabels, ordered: readonly number[][]) {
  const weight = (j: number) => (weights === null ? 1 : weights[j]!);
  const masses = ordered.map((rows) => rows.reduce((total, j) => total + weight(j), 0));
  const largest = Math.max(...masses);
  const before: number[] = [];
  let lambda = judgeWeight;
  return ordered.map((rows, i): LabelledPrompt => {
    if (tuned && i > 0 && i % LABELS_TO_TUNE === 0)
      lambda = tunedWeight({ labels, predictions, weights }, before, lambda);
    before.push(...rows);
    const average = (values: Float64Array) => rows.reduce((total, j) => total + weight(j) * values[j]!, 0) / masses[i]!;
    return {
      label: average(labels),
      prediction: average(predictions),
      judgeWeight: lambda,
      share: masses[i]! / largest,
    };
  });
}

function meanOfDraws(promptIds: readonly string[], predictions: Float64Array): LabelBets['meanPrediction'] {
  const value = mean(predictions);
  const { of, count } = clusterIndex(promptIds);
  const totals = new Float64Array(count);
  predictions.forEach((f, j) => {
    totals[of[j]!]! += f - value;
  });
  const squares = sum(totals.map((total) => total ** 2));
  const variance = count < 2 ? Number.POSITIVE_INFINITY : (count / (count - 1)) * squares;
  return { value, standardError: Math.sqrt(variance) / predictions.length, degreesOfFreedom: Math.max(count - 1, 1) };
}
