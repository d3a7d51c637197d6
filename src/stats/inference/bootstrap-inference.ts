import type { EvaluationData } from '../data/data.ts';
import { quantileOfSorted, sampleVariance } from '../numeric/moments.ts';
import { type EstimatorConfig, type EstimatorSettings, resolveConfig } from '../study/config.ts';
import { freshView } from '../study/policy-view.ts';
import { prepareStudy, type Study } from '../study/study.ts';
import { bootstrapProblem, bootstrapReplicates } from './bootstrap.ts';
import type { EstimatedPolicy, EstimateResult } from './result.ts';

/** Replicates from … to − 1, row-major, one column a policy: what one worker hands back. */
export interface BootstrapPart {
  readonly policies: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly values: Float64Array;
}

/**
 * Computes a range of bootstrap replicates. Ranges may be computed anywhere, in any order: parts that cover
 * 0 … `replicates` − 1 give `estimate` the same bits as computing them in one go.
 */
export function bootstrapPart(
  settings: EstimatorSettings,
  data: EvaluationData,
  from: number,
  to: number,
): BootstrapPart {
  const study = prepareStudy(resolveConfig(settings), data);
  if (!study.ok) return { policies: [], from, to, values: new Float64Array() };
  return partOf(study.value, from, to);
}

function partOf(study: Study, from: number, to: number): BootstrapPart {
  const views = study.data.policies.flatMap((policy) => {
    const view = freshView(study, policy);
    return view.ok ? [{ policy, view: view.value }] : [];
  });
  const problem = bootstrapProblem(
    study,
    views.map((v) => v.view),
  );
  return { policies: views.map((v) => v.policy), from, to, values: bootstrapReplicates(problem, from, to) };
}

/**
 * Puts bootstrap standard errors (sd of the replicates) and percentile intervals in place of the analytic ones.
 * @param given parts computed elsewhere; absent computes all replicates here.
 */
export function withBootstrap(
  result: EstimateResult,
  data: EvaluationData,
  given: readonly BootstrapPart[] | undefined,
): EstimateResult {
  const { config } = result;
  if (config.inference !== 'bootstrap' || result.policies.every((p) => p.status === 'refused')) return result;
  const parts = given ?? [bootstrapPart(config, data, 0, config.replicates)];
  const columns = assemble(parts, config.replicates);
  const policies = result.policies.map((p) =>
    p.status === 'refused' ? p : replaced(p, columns.get(p.policy)!, config),
  );
  return { ...result, policies };
}

/** One column of replicates a policy. Refuses (throws) parts that do not cover every replicate exactly once. */
function assemble(parts: readonly BootstrapPart[], replicates: number): Map<string, Float64Array> {
  const sorted = [...parts].sort((a, b) => a.from - b.from);
  const policies = sorted[0]?.policies ?? [];
  const columns = new Map(policies.map((p) => [p, new Float64Array(replicates)]));
  let next = 0;
  for (const part of sorted) {
    if (part.from !== next) throw new RangeError(`bootstrap parts leave out or repeat replicate ${next}`);
    next = part.to;
    policies.forEach((p, c) => {
      const column = columns.get(p)!;
      for (let b = part.from; b < part.to; b++) column[b] = part.values[(b - part.from) * policies.length + c]!;
    });
  }
  if (next !== replicates) throw new RangeError(`bootstrap parts end at ${next} of ${replicates} replicates`);
  return columns;
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
