import { dot, mean, take } from '../../numeric/moments.ts';
import { type FreshView, type LoggedView, meanOverDraws } from '../../study/policy-view.ts';
import type { Study } from '../../study/study.ts';

/**
 * The library's jackknife of a doubly robust estimate, which holds the outcome model on the log:
 *
 *   ψ^(−k) = mean over distinct prompts of mean f̂^(−k)(S′) + mean(u (f̂^(−k)(S) − g^log))
 *
 * @param weights u, mean one. @param outcome g^log of each row, before any targeting.
 * @returns null without oracle uncertainty.
 */
export function leaveOneOutWithOutcomeHeld(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
  { weights, outcome }: { readonly weights: Float64Array; readonly outcome: Float64Array },
): Float64Array | null {
  if (fresh.jackknifeRewards.length === 0) return null;
  const firstRow = new Map<string, number>();
  view.promptIds.forEach((id, i) => {
    if (!firstRow.has(id)) firstRow.set(id, i);
  });
  const distinct = Int32Array.from(firstRow.values());
  return Float64Array.from(fresh.jackknifeRewards, (rewards, k) => {
    const logged = take(study.jackknifeRewards[k]!, view.rows);
    const residuals = logged.map((r, i) => r - outcome[i]!);
    return mean(take(meanOverDraws(view, rewards), distinct)) + dot(weights, residuals) / weights.length;
  });
}
