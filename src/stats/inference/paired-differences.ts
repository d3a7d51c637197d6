/** The differences that a sequential test of two policies reads: prompt by prompt, each from what was known before it. */

import { evaluateIsotonic, fitIsotonic, type IsotonicFit } from '../numeric/isotonic.ts';
import type { Bounds } from './betting.ts';

/** On [0, 1]. */
export interface GateAnswer {
  readonly score: number;
  /** Undefined where the oracle has not labelled it. */
  readonly label: number | undefined;
}

/** A prompt with at least one answer of each policy; several are averaged. */
export interface GatePrompt {
  readonly candidate: readonly GateAnswer[];
  readonly baseline: readonly GateAnswer[];
}

/** The judge's scores as they are, or the oracle's labels, which each answer has with a known probability. */
export type GateTest =
  | { readonly on: 'judge' }
  | { readonly on: 'oracle'; readonly propensities: { readonly candidate: number; readonly baseline: number } };

export interface PairedDifferences {
  /** Candidate minus baseline, in the order of the prompts. */
  readonly values: Float64Array;
  /** What each can be at the utmost, known before it is seen. */
  readonly bounds: readonly Bounds[];
}

/** Prompts between two fits of the calibration. */
const REFIT = 25;
/** Fewer labels than these give no curve: their mean is then the prediction. */
const LABELS_TO_FIT = 20;

/**
 * On the judge's scale D = S_candidate − S_baseline. On the oracle's, with π the probability of a label and O whether there is one,
 *
 *   D = R_candidate − R_baseline, R = f(S) + (O/π)(Y − f(S)),
 *
 * where f is the isotonic calibration on the labels of prompts before this block of 25. Whatever f is, E D is the
 * difference of the policies' mean labels, as it was fixed before the prompt was seen and O does not depend on Y: no
 * assumption on the judge. A good f makes D vary less [prediction-powered e-values, Csillag, Struchiner, Goedert, arXiv
 * 2502.04294]. With f in [a, b] before the block R lies in [−b(1/π − 1), 1/π − a(1/π − 1)], so that a curve that does not
 * reach 0 and 1 leaves room for larger bets.
 *
 * @param prompts in an order that does not depend on their values
 *
 * @example
 * pairedDifferences([{ candidate: [{ score: 0.5, label: undefined }], baseline: [{ score: 0.25, label: undefined }] }], { on: 'judge' }).values // [0.25]
 */
export function pairedDifferences(prompts: readonly GatePrompt[], test: GateTest): PairedDifferences {
  if (test.on === 'judge') {
    const score = (answers: readonly GateAnswer[]) => meanOf(answers, (answer) => answer.score);
    const values = Float64Array.from(prompts, ({ candidate, baseline }) => score(candidate) - score(baseline));
    return { values, bounds: prompts.map(() => [-1, 1]) };
  }
  const { candidate, baseline } = test.propensities;
  const values = new Float64Array(prompts.length);
  const bounds: Bounds[] = [];
  const calibration = new Calibration();
  for (let from = 0; from < prompts.length; from += REFIT) {
    const block = prompts.slice(from, from + REFIT);
    calibration.fit();
    const [ofCandidate, ofBaseline] = [calibration.bounds(candidate), calibration.bounds(baseline)];
    const ofBlock: Bounds = [ofCandidate[0] - ofBaseline[1], ofCandidate[1] - ofBaseline[0]];
    bounds.push(...block.map(() => ofBlock));
    block.forEach((prompt, i) => {
      const difference =
        calibration.corrected(prompt.candidate, candidate) - calibration.corrected(prompt.baseline, baseline);
      // A sum may leave its bounds by a rounding.
      values[from + i] = Math.min(Math.max(difference, ofBlock[0]), ofBlock[1]);
    });
    for (const prompt of block) {
      calibration.learn(prompt.candidate, candidate);
      calibration.learn(prompt.baseline, baseline);
    }
  }
  return { values, bounds };
}

function meanOf(answers: readonly GateAnswer[], value: (answer: GateAnswer) => number): number {
  return answers.reduce((sum, answer) => sum + value(answer), 0) / answers.length;
}

/** From the labels seen so far to a reward for each score; labels of either policy teach it, by their probabilities. */
class Calibration {
  readonly #scores: number[] = [];
  readonly #labels: number[] = [];
  readonly #weights: number[] = [];
  #curve: IsotonicFit | undefined;
  #mean = 0.5;

  fit(): void {
    const total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    if (total > 0) this.#mean = this.#weights.reduce((sum, w, i) => sum + w * this.#labels[i]!, 0) / total;
    if (this.#labels.length < LABELS_TO_FIT) return;
    this.#curve = fitIsotonic(this.#scores, this.#labels, { weights: this.#weights, bounds: [0, 1] });
  }

  learn(answers: readonly GateAnswer[], propensity: number): void {
    for (const { score, label } of answers) {
      if (label === undefined) continue;
      this.#scores.push(score);
      this.#labels.push(label);
      this.#weights.push(1 / propensity);
    }
  }

  /** Of a corrected reward, whatever its score and its label. */
  bounds(propensity: number): Bounds {
    const [lowest, highest] =
      this.#curve === undefined
        ? [this.#mean, this.#mean]
        : [evaluateIsotonic(this.#curve, 0), evaluateIsotonic(this.#curve, 1)];
    const added = 1 / propensity - 1;
    return [-highest * added, 1 / propensity - lowest * added];
  }

  corrected(answers: readonly GateAnswer[], propensity: number): number {
    return meanOf(answers, ({ score, label }) => {
      const reward = this.#curve === undefined ? this.#mean : evaluateIsotonic(this.#curve, score);
      return label === undefined ? reward : reward + (label - reward) / propensity;
    });
  }
}
