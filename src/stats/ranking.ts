import { compareAll } from './comparison.ts';
import type { EstimateResult } from './result.ts';

export interface RankedPolicy {
  readonly policy: string;
  /** 1 is best, by estimate. */
  readonly rank: number;
  /** Ranks that the comparisons leave open: 1 + policies clearly better … P − policies clearly worse. */
  readonly rankInterval: readonly [best: number, worst: number];
  readonly estimate: number;
  readonly interval: readonly [low: number, high: number];
}

/**
 * Estimated policies from best to worst. A policy counts as clearly better or worse when the Benjamini–Hochberg
 * adjusted p-value of their paired difference is below alpha. Refused policies have no rank.
 */
export function rankPolicies(result: EstimateResult): RankedPolicy[] {
  const ok = result.policies.filter((p) => p.status === 'ok').sort((a, b) => b.estimate - a.estimate);
  const clear = compareAll(result).filter((c) => c.adjustedP < result.config.alpha);
  return ok.map((p, i) => {
    const better = clear.filter(
      (c) => (c.a === p.policy && c.difference < 0) || (c.b === p.policy && c.difference > 0),
    );
    const worse = clear.filter((c) => (c.a === p.policy && c.difference > 0) || (c.b === p.policy && c.difference < 0));
    return {
      policy: p.policy,
      rank: i + 1,
      rankInterval: [1 + better.length, ok.length - worse.length],
      estimate: p.estimate,
      interval: p.interval,
    };
  });
}
