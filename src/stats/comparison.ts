import { jackknifeVariance, satterthwaite } from './oracle-uncertainty.ts';
import type { EstimatedPolicy, EstimateResult } from './result.ts';
import { studentQuantile, studentTwoSidedP } from './special-functions.ts';

/** The difference of two policies' values under one estimator. */
export interface PolicyComparison {
  readonly a: string;
  readonly b: string;
  /** ψ_a − ψ_b, in label units. */
  readonly difference: number;
  readonly standardError: number;
  readonly interval: readonly [low: number, high: number];
  readonly degreesOfFreedom: number;
  readonly pValue: number;
  /** Benjamini–Hochberg over all pairs of one result. */
  readonly adjustedP: number;
}

/**
 * Paired difference by influence functions: per prompt Σφ_a/n_a − Σφ_b/n_b over the union of prompts, clustered by
 * prompt, plus the jackknife variance of the difference (the calibration is shared, so most of its error cancels). The library's own
 * comparison leaves out both, and calls near ties significant.
 */
export function comparePolicies(
  a: EstimatedPolicy,
  b: EstimatedPolicy,
  alpha: number,
): Omit<PolicyComparison, 'adjustedP'> {
  const contributions = new Map<string, number>();
  for (const [side, sign] of [
    [a, 1],
    [b, -1],
  ] as const) {
    side.influencePromptIds.forEach((id, i) => {
      const value = (sign * side.influence[i]!) / side.influence.length;
      contributions.set(id, (contributions.get(id) ?? 0) + value);
    });
  }
  const prompts = contributions.size;
  let centre = 0;
  for (const c of contributions.values()) centre += c / prompts;
  let squares = 0;
  for (const c of contributions.values()) squares += (c - centre) ** 2;
  const sampling = {
    variance: prompts > 1 ? (prompts / (prompts - 1)) * squares : 0,
    degreesOfFreedom: Math.max(prompts - 1, 1),
  };
  const parts = [sampling];
  const [jackA, jackB] = [a.oracleJackknife, b.oracleJackknife];
  if (jackA !== null && jackB !== null && jackA.length === jackB.length) {
    parts.push({
      variance: jackknifeVariance(jackA.map((value, k) => value - jackB[k]!)),
      degreesOfFreedom: jackA.length - 1,
    });
  }
  const difference = a.estimate - b.estimate;
  const standardError = Math.sqrt(parts.reduce((total, p) => total + p.variance, 0));
  const degreesOfFreedom = satterthwaite(parts);
  const half = studentQuantile(1 - alpha / 2, degreesOfFreedom) * standardError;
  return {
    a: a.policy,
    b: b.policy,
    difference,
    standardError,
    interval: [difference - half, difference + half],
    degreesOfFreedom,
    pValue:
      standardError > 0 ? studentTwoSidedP(difference / standardError, degreesOfFreedom) : difference === 0 ? 1 : 0,
  };
}

/** All pairs of estimated policies of one result, p-values adjusted by Benjamini–Hochberg. */
export function compareAll(result: EstimateResult): PolicyComparison[] {
  const ok = result.policies.filter((p) => p.status === 'ok');
  const pairs = ok.flatMap((a, i) => ok.slice(i + 1).map((b) => comparePolicies(a, b, result.config.alpha)));
  const adjusted = benjaminiHochberg(pairs.map((p) => p.pValue));
  return pairs.map((p, i) => ({ ...p, adjustedP: adjusted[i]! }));
}

/** Adjusted p-values p_(r) = min over l ≥ r of p_(l)·m/l, at most 1 (Benjamini and Hochberg 1995). */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]! || i - j);
  const out = new Array<number>(m);
  let smallest = 1;
  for (let rank = m; rank >= 1; rank--) {
    const i = order[rank - 1]!;
    smallest = Math.min(smallest, (pValues[i]! * m) / rank);
    out[i] = smallest;
  }
  return out;
}
