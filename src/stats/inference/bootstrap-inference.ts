import { quantileOfSorted, sampleVariance } from '../numeric/moments.ts';
import type { EstimatorConfig } from '../study/config.ts';
import { freshView, teaches } from '../study/policy-view.ts';
import { evaluatedPolicies, type Study } from '../study/study.ts';
import { bootstrapProblem, bootstrapReplicates, type Replicate } from './bootstrap.ts';
import { withUnseenLabels } from './inference.ts';
import type { EstimatedPolicy, EstimateResult } from './result.ts';

/**
 * Puts intervals from the replicates in place of the analytic ones.
 *
 * @param replicates all of them in their order, where they are there already: see {@link replicatesFrom}
 */
export function withBootstrap(
  result: EstimateResult,
  study: Study,
  replicates: Iterable<Replicate> = replicatesFrom(result, study, 0),
): EstimateResult {
  const { config } = result;
  if (!isBootstrapped(result)) return result;
  const usable = usableViews(study);
  const columns = new Map(usable.map(({ policy }) => [policy, new Float64Array(config.replicates)]));
  let count = 0;
  for (const replicate of replicates) {
    for (const [p, column] of [...columns.values()].entries()) column[count] = replicate[p]!;
    count++;
  }
  if (count !== config.replicates) throw new RangeError(`${count} replicates, not ${config.replicates}`);
  const policies = result.policies.map((p) =>
    p.status === 'refused' ? p : replaced(p, columns.get(p.policy)!, config),
  );
  return { ...result, policies };
}

/** The replicates from this number on that {@link withBootstrap} takes; none where it takes none. */
export function replicatesFrom(result: EstimateResult, study: Study, from: number): Iterable<Replicate> {
  return isBootstrapped(result) ? bootstrapReplicates(bootstrapProblem(study, usableViews(study)), from) : [];
}

function isBootstrapped({ config, policies }: EstimateResult): boolean {
  return config.inference === 'bootstrap' && policies.some((p) => p.status !== 'refused');
}

/** The policies with usable draws: a replicate has a number of each. */
function usableViews(study: Study) {
  return evaluatedPolicies(study.data, study.config).flatMap((policy) => {
    const view = freshView(study, policy);
    return view.ok ? [{ policy, view: view.value, teaches: teaches(study.data, policy) }] : [];
  });
}

/**
 * The interval that the replicates' distances from the estimate make, turned over (Hall's basic interval), and stretched so that
 * their spread is at least the analytic standard error: refits of an isotonic curve on reweighted labels move less than the
 * curve itself errs, and no replicate goes beyond the labelled scores. Labels nearly all of one value keep their own interval.
 */
function replaced(p: EstimatedPolicy, replicates: Float64Array, config: EstimatorConfig): EstimatedPolicy {
  if (p.diagnostics.rareLabels !== null) return { ...p, replicates };
  const { standardError, interval } = stretched(p.estimate, replicates, p.standardError, config.alpha);
  const reached = withUnseenLabels(interval, p.estimate, p.diagnostics.labelGap, config.alpha);
  return { ...p, standardError, interval: reached, degreesOfFreedom: Number.POSITIVE_INFINITY, replicates };
}

interface Stretched {
  readonly standardError: number;
  readonly interval: readonly [number, number];
  readonly factor: number;
}

function stretched(estimate: number, replicates: Float64Array, analytic: number, alpha: number): Stretched {
  const sorted = replicates.slice().sort();
  const spread = Math.sqrt(sampleVariance(replicates));
  const factor = spread > 0 ? Math.max(1, analytic / spread) : 1;
  const at = (q: number) => estimate - factor * (quantileOfSorted(sorted, q) - estimate);
  return { standardError: Math.max(spread, analytic), interval: [at(1 - alpha / 2), at(alpha / 2)], factor };
}

interface Ends {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly difference: number;
  /** The analytic standard error of the difference. */
  readonly analytic: number;
}

/**
 * The paired difference of two policies from replicates of the same draws: standard error, interval as of a level, and the
 * p that inverts it.
 */
export function bootstrapDifference(
  { a, b, difference, analytic }: Ends,
  alpha: number,
): { readonly standardError: number; readonly interval: readonly [number, number]; readonly pValue: number } {
  const deltas = a.map((value, i) => value - b[i]!);
  const { standardError, interval, factor } = stretched(difference, deltas, analytic, alpha);
  const above = deltas.reduce((s, d) => s + (factor * (d - difference) >= difference ? 1 : 0), 0);
  const below = deltas.reduce((s, d) => s + (factor * (d - difference) <= difference ? 1 : 0), 0);
  const pValue = Math.min(1, (2 * Math.min(1 + below, 1 + above)) / (deltas.length + 1));
  return { standardError, interval, pValue };
}
