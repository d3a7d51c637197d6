import { independentVariance } from '../data/clustering.ts';
import { mean } from '../numeric/moments.ts';
import { type Computation, NO_EXTRAS } from '../study/computation.ts';
import { type Estimator, promptClusteredVariance } from '../study/estimator.ts';
import type { FreshView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';

/**
 * Direct method: the mean calibrated reward of the policy's own responses (arXiv 2512.11150 §3).
 *
 *   ψ = 1/M Σ f̂(S′_j),  φ_j = f̂(S′_j) − ψ
 *
 * Every draw counts once, so a prompt with more draws counts more. Assumes that the judge is a surrogate whose
 * calibration carries over from the log to the policy. Standard errors are clustered by prompt; parity clusters only
 * when two or more policies share one set of prompts.
 */
export const direct: Estimator = {
  usesLog: false,
  usesFreshDraws: true,
  compute: ({ study, fresh }) => meanOfDraws(study, fresh!, fresh!.rewards),
};

/**
 * The naive mean of judge scores over the policy's own responses, on the judge's scale: what a leaderboard without
 * labels reports. No calibration, hence no claim about the oracle.
 */
export const naive: Estimator = {
  usesLog: false,
  usesFreshDraws: true,
  compute: ({ study, fresh }) => ({ ...meanOfDraws(study, fresh!, fresh!.draws.judgeScores), leaveOneOut: null }),
};

function meanOfDraws(study: Study, fresh: FreshView, rewards: Float64Array): Computation {
  const estimate = mean(rewards);
  const influence = rewards.map((r) => r - estimate);
  const { promptIds } = fresh.draws;
  const clusters = study.config.mode === 'recommended' || policiesSharePrompts(study);
  return {
    ...NO_EXTRAS,
    estimate,
    influence,
    promptIds,
    sampling: clusters ? promptClusteredVariance(influence, promptIds) : independentVariance(influence),
    leaveOneOut: directLeaveOneOut(fresh),
    judgeVariance: (study.judgeVarianceScale * mean(fresh.draws.judgeVariances)) / promptIds.length,
  };
}

/** ψ^(−k) = mean f̂^(−k)(S′) over all draws. */
function directLeaveOneOut(fresh: FreshView): Float64Array | null {
  return fresh.jackknifeRewards.length === 0 ? null : Float64Array.from(fresh.jackknifeRewards, mean);
}

function policiesSharePrompts(study: Study): boolean {
  const sets = [...study.data.freshDraws.values()].map((draws) => new Set(draws.promptIds));
  const [first, ...others] = sets;
  if (first === undefined || others.length === 0) return false;
  return others.every((set) => set.size === first.size && [...set].every((id) => first.has(id)));
}
