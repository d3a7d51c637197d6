import { clusterRobustVariance } from '../data/clustering.ts';
import { covariance } from '../numeric/linear-algebra.ts';
import { take } from '../numeric/moments.ts';
import { minimumVarianceMixture } from '../numeric/simplex.ts';
import { type Computation, NO_EXTRAS, type PolicyInput } from '../study/computation.ts';
import { type Estimator, promptClusteredVariance } from '../study/estimator.ts';
import { drCpo } from './dr-cpo.ts';
import { mrdrWith } from './mrdr.ts';
import { tmleWith } from './tmle.ts';

const RIDGE = 1e-4;

/**
 * Stacked DR: the convex combination of dr-cpo, tmle and mrdr (weighting `w`) whose influence function has the least
 * variance (arXiv 2512.11150 §6). Mixture from the sample covariance of the influence columns + 1e-4·I.
 *
 *   ψ = Σ a_c ψ_c,  φ = Σ a_c φ_c,  ψ^(−k) = Σ a_c ψ_c^(−k)
 *
 * Parity keeps one row a prompt (the last); recommended keeps all rows, clustered by prompt.
 */
export const stackedDr: Estimator = {
  usesLog: true,
  usesFreshDraws: true,
  compute: (input) => {
    const components: [string, Computation][] = [
      ['dr-cpo', drCpo.compute(input) as Computation],
      ['tmle', tmleWith(input.study, input.logged!, input.fresh!)],
      ['mrdr', mrdrWith(input.study, input.logged!, input.fresh!, 'w')],
    ];
    return stack(input, components);
  },
};

function stack({ study, logged }: PolicyInput, components: readonly [string, Computation][]): Computation {
  const view = logged!;
  const parity = study.config.mode === 'parity';
  const rows = parity ? lastRowOfPrompt(view.promptIds) : Int32Array.from(view.promptIds, (_, i) => i);
  const columns = components.map(([, c]) => take(c.influence, rows));
  const sigma = covariance(columns);
  sigma.forEach((row, c) => {
    row[c]! += RIDGE;
  });
  const mixture = minimumVarianceMixture(sigma, { tolerance: 1e-12, maximumDrops: 50 });
  const combine = (of: (c: Computation) => number) =>
    components.reduce((total, [, c], j) => total + mixture[j]! * of(c), 0);
  const influence = Float64Array.from(rows, (_, i) =>
    columns.reduce((s, column, j) => s + mixture[j]! * column[i]!, 0),
  );
  const promptIds = Array.from(rows, (i) => view.promptIds[i]!);
  const folds = Int32Array.from(rows, (i) => view.folds[i]!);
  const first = components[0]![1];
  return {
    ...NO_EXTRAS,
    estimate: combine((c) => c.estimate),
    influence,
    promptIds,
    sampling: parity ? clusterRobustVariance(influence, folds) : promptClusteredVariance(influence, promptIds),
    leaveOneOut:
      first.leaveOneOut === null ? null : first.leaveOneOut.map((_, k) => combine((c) => c.leaveOneOut![k]!)),
    judgeVariance: first.judgeVariance,
    weights: first.weights,
    parts: {
      outcome: combine((c) => c.parts!.outcome),
      correction: combine((c) => c.parts!.correction),
    },
    mixture: Object.fromEntries(components.map(([name], j) => [name, mixture[j]!])),
  };
}

/** One row a prompt, the last in the log, in order of prompt id. */
function lastRowOfPrompt(promptIds: readonly string[]): Int32Array {
  const last = new Map(promptIds.map((id, i) => [id, i]));
  const ids = [...last.keys()].sort((a, b) => (a < b ? -1 : 1));
  return Int32Array.from(ids, (id) => last.get(id)!);
}
