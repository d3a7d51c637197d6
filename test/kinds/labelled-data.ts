/** A small evaluation with known laws: scores that follow labels, log probabilities that follow scores. */

import type { EvaluationData, FreshDraws } from '../../src/stats/index.ts';
import { uniform } from '../report/fake-data.ts';

export interface DataOptions {
  readonly prompts: number;
  /** Share of logged rows with a label. */
  readonly labelled?: number;
  /** Share of the policies' own rows with a label. */
  readonly ownLabelled?: number;
  readonly seed?: number;
}

const POLICIES = { near: 0.05, far: 0.2 } as const;

export function labelledData({ prompts, labelled = 1, ownLabelled = 1, seed = 1 }: DataOptions): EvaluationData {
  const random = uniform(seed);
  const promptIds = Array.from({ length: prompts }, (_, index) => `q${index}`);
  const draw = (shift: number) => {
    const judgeScores = new Float64Array(prompts).map(() => Math.min(1, (random() + random()) / 2 + shift * random()));
    return { judgeScores, labels: judgeScores.map((score) => 0.1 + 0.7 * score + 0.1 * random()) };
  };
  const masked = (labels: Float64Array, share: number) =>
    labels.map((label) => (random() < share ? label : Number.NaN));
  const columns = (shift: number, share: number) => {
    const { judgeScores, labels } = draw(shift);
    return {
      promptIds,
      judgeScores,
      judgeVariances: new Float64Array(prompts),
      oracleLabels: share === 1 ? labels : masked(labels, share),
      responseLengths: new Float64Array(prompts).map(() => 5 + Math.floor(20 * random())),
    };
  };
  const logged = columns(0, labelled);
  return {
    policies: Object.keys(POLICIES),
    logged: {
      ...logged,
      baseLogprobs: new Float64Array(prompts).fill(-40),
      targetLogprobs: new Map(
        Object.entries(POLICIES).map(([policy, shift]) => [
          policy,
          logged.judgeScores.map((score) => -40 + 3 * shift * (score - 0.5)),
        ]),
      ),
    },
    freshDraws: new Map(
      Object.entries(POLICIES).map(([policy, shift]): [string, FreshDraws] => [
        policy,
        { ...columns(shift, ownLabelled), drawIndexes: new Int32Array(prompts) },
      ]),
    ),
  };
}
