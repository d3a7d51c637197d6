import { compareAll, type PolicyComparison } from './comparison.ts';
import { drawNormals, jointCovariance, SIMULATION, type SimulationOptions } from './joint-inference.ts';
import type { EstimateResult } from './result.ts';

export interface RankedPolicy {
  readonly policy: string;
  /** 1 is best, by estimate. */
  readonly rank: number;
  /** Ranks that the comparisons leave open: 1 + policies clearly better … P − policies clearly worse. */
  readonly rankInterval: readonly [best: number, worst: number];
  /** Share of draws from the estimates' joint normal law in which this policy is on top; ties are shared. */
  readonly probabilityOfBest: number;
  readonly estimate: number;
  readonly interval: readonly [low: number, high: number];
}

/**
 * Estimated policies from best to worst. A policy counts as clearly better or worse when the Benjamini–Hochberg
 * adjusted p-value of their paired difference is below alpha. Refused policies have no rank.
 *
 * @example
 * rankPolicies(estimate({ estimator: 'direct' }, data)).map(({ policy }) => policy) // ["severe","moderate","clone"]
 */
export function rankPolicies(
  result: EstimateResult,
  simulation: SimulationOptions = SIMULATION,
  comparisons: readonly PolicyComparison[] = compareAll(result, simulation),
): RankedPolicy[] {
  const ok = result.policies.filter((p) => p.status === 'ok').sort(byEstimate);
  const clear = comparisons.filter((c) => c.adjustedP < result.config.alpha);
  const best = new Float64Array(ok.length);
  drawNormals(jointCovariance(ok), simulation, (vector) => {
    let top = Number.NEGATIVE_INFINITY;
    ok.forEach((p, i) => {
      top = Math.max(top, p.estimate + vector[i]!);
    });
    const wins = ok.map((p, i) => p.estimate + vector[i]! >= top - TIE);
    const winners = wins.filter(Boolean).length;
    wins.forEach((won, i) => {
      if (won) best[i]! += 1 / winners / simulation.draws;
    });
  });
  return ok.map((p, i) => {
    const better = clear.filter(
      (c) => (c.a === p.policy && c.difference < 0) || (c.b === p.policy && c.difference > 0),
    );
    const worse = clear.filter((c) => (c.a === p.policy && c.difference > 0) || (c.b === p.policy && c.difference < 0));
    return {
      policy: p.policy,
      rank: i + 1,
      rankInterval: [1 + better.length, ok.length - worse.length],
      probabilityOfBest: best[i]!,
      estimate: p.estimate,
      interval: p.interval,
    };
  });
}

/** Policies that answer alike are equal but for roundings, and then stand as the data has them. */
const TIE = 1e-12;

/**
 * The order of policies from the highest estimate; those that are equal but for roundings keep theirs.
 *
 * @example
 * [{ estimate: 0.3 }, { estimate: 0.1 + 0.2 }, { estimate: 0.5 }].sort(byEstimate) // [{"estimate":0.5},{"estimate":0.3},{"estimate":0.3}]
 */
export function byEstimate(a: { readonly estimate: number }, b: { readonly estimate: number }): number {
  return compared(b) - compared(a);
}

const compared = ({ estimate }: { readonly estimate: number }): number => Number(estimate.toPrecision(12));
