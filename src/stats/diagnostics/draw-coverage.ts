import type { EvaluationData } from '../data/data.ts';
import { rankSumP } from '../numeric/rank-tests.ts';

/** How many of the log's prompts a policy answered. */
export interface DrawCoverage {
  readonly prompts: number;
  /** Prompts without a usable draw. */
  readonly missing: number;
  /** Share of prompts with one. */
  readonly share: number;
  /**
   * p of the rank-sum test of the others' judge scores, a mean a prompt, where the policy has draws against where it has
   * none: whether the unanswered prompts are of another kind. 1 without missing draws.
   */
  readonly pValue: number;
}

/**
 * Of the prompts of the log, or, without one, of all policies' draws. A policy that is estimated on the prompts that it
 * answered is estimated for another law of prompts, unless those are a random share.
 *
 * @param answered prompts of the policy's usable draws.
 */
export function drawCoverage(data: EvaluationData, policy: string, answered: readonly string[]): DrawCoverage {
  const own = new Set(answered);
  const scores = new Map<string, { total: number; count: number }>();
  for (const { promptIds, judgeScores } of othersOf(data, policy)) {
    promptIds.forEach((id, i) => {
      const entry = scores.get(id) ?? { total: 0, count: 0 };
      scores.set(id, entry);
      if (Number.isNaN(judgeScores[i]!)) return;
      entry.total += judgeScores[i]!;
      entry.count++;
    });
  }
  if (data.pooled === true) for (const id of own) if (!scores.has(id)) scores.set(id, { total: 0, count: 0 });
  const ids = [...scores.keys()];
  const missing = ids.reduce((total, id) => total + (own.has(id) ? 0 : 1), 0);
  const scored = missing === 0 ? [] : ids.filter((id) => scores.get(id)!.count > 0);
  const means = scored.map((id) => scores.get(id)!.total / scores.get(id)!.count);
  return {
    prompts: ids.length,
    missing,
    share: ids.length === 0 ? 1 : 1 - missing / ids.length,
    pValue: missing === 0 ? 1 : rankSumP(means, (i) => own.has(scored[i]!)),
  };
}

function othersOf({ logged, freshDraws, pooled }: EvaluationData, policy: string) {
  if (pooled !== true) return [logged];
  return [...freshDraws].flatMap(([name, draws]) => (name === policy ? [] : [draws]));
}
