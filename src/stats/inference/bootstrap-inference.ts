import { quantileOfSorted, sampleVariance } from '../numeric/moments.ts';
import type { EstimatorConfig } from '../study/config.ts';
import { freshView } from '../study/policy-view.ts';
import type { Study } from '../study/study.ts';
import { bootstrapProblem, bootstrapReplicates } from './bootstrap.ts';
import type { EstimatedPolicy, EstimateResult } from './result.ts';

/** Puts bootstrap standard errors (sd of the replicates) and percentile intervals in place of the analytic ones. */
export function withBootstrap(result: EstimateResult, study: Study): EstimateResult {
  const { config } = result;
  if (config.inference !== 'bootstrap' || result.policies.every((p) => p.status === 'refused')) return result;
  const columns = replicatesOf(study);
  const policies = result.policies.map((p) =>
    p.status === 'refused' ? p : replaced(p, columns.get(p.policy)!, config),
  );
  return { ...result, policies };
}

/** One column of replicates for each policy with usable draws. */
function replicatesOf(study: Study): Map<string, Float64Array> {
  const views = study.data.policies.flatMap((policy) => {
    const view = freshView(study, policy);
    return view.ok ? [{ policy, view: view.value }] : [];
  });
  const columns = bootstrapReplicates(
    bootstrapProblem(
      study,
      views.map((v) => v.view),
    ),
  );
  return new Map(views.map(({ policy }, p) => [policy, columns[p]!]));
}

function replaced(p: EstimatedPolicy, replicates: Float64Array, config: EstimatorConfig): EstimatedPolicy {
  const sorted = replicates.slice().sort();
  return {
    ...p,
    standardError: Math.sqrt(sampleVariance(replicates)),
    interval: [quantileOfSorted(sorted, config.alpha / 2), quantileOfSorted(sorted, 1 - config.alpha / 2)],
    degreesOfFreedom: Number.POSITIVE_INFINITY,
    replicates,
  };
}

/** The paired difference of two policies from replicates of the same draws: sd, percentile interval and two-sided p. */
export function bootstrapDifference(
  a: Float64Array,
  b: Float64Array,
  alpha: number,
): { readonly standardError: number; readonly interval: readonly [number, number]; readonly pValue: number } {
  const deltas = a.map((value, i) => value - b[i]!);
  const below = deltas.reduce((s, d) => s + (d <= 0 ? 1 : 0), 0);
  const above = deltas.reduce((s, d) => s + (d >= 0 ? 1 : 0), 0);
  const sorted = deltas.slice().sort();
  return {
    standardError: Math.sqrt(sampleVariance(deltas)),
    interval: [quantileOfSorted(sorted, alpha / 2), quantileOfSorted(sorted, 1 - alpha / 2)],
    pValue: Math.min(1, (2 * Math.min(1 + below, 1 + above)) / (deltas.length + 1)),
  };
}
