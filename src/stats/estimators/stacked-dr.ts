import { lastRowOfPrompt } from '../compat/cje-eval/rows.ts';
import { covariance } from '../numeric/linear-algebra.ts';
import { take } from '../numeric/moments.ts';
import { minimumVarianceMixture } from '../numeric/simplex.ts';
import { type Computation, NO_EXTRAS, type PolicyInput } from '../study/computation.ts';
import { defineEstimator, samplingVariance } from '../study/estimator.ts';
import { ALL_THE_EVIDENCE } from './doubly-robust.ts';
import { drCpo, drCpoWith } from './dr-cpo.ts';
import { mrdr, mrdrWith } from './mrdr.ts';
import { TMLE_OPTIONS, tmle, tmleWith } from './tmle.ts';

const RIDGE = 1e-4;

/**
 * Stacked DR: the convex combination of dr-cpo, tmle and mrdr (weighting `w`) whose influence function has the least
 * variance (arXiv 2512.11150 §6). Mixture from the sample covariance of the influence columns + 1e-4·I.
 *
 *   ψ = Σ a_c ψ_c,  φ = Σ a_c φ_c,  ψ^(−k) = Σ a_c ψ_c^(−k)
 *
 * Parity keeps one row a prompt (the last); recommended keeps all rows, clustered by prompt.
 */
export const stackedDr = defineEstimator({
  name: 'stacked-dr',
  note: 'the combination of doubly robust estimators with the smallest estimated variance',
  needs: { log: true, draws: true, labels: 'calibration' },
  options: TMLE_OPTIONS,
  defaults: ({ weights }) => ({ weights, tmleLink: 'logit' as const }),
  leads: { rank: 2, because: ALL_THE_EVIDENCE },
  compute: (input, options) => {
    const { study } = input;
    const [view, draws] = [input.logged!, input.fresh!];
    return stack(input, [
      [drCpo.name, drCpoWith(study, view, draws, options.weights)],
      [tmle.name, tmleWith(study, view, draws, options)],
      [mrdr.name, mrdrWith(study, view, draws, { ...options, mrdrWeighting: 'w' })],
    ]);
  },
});

function stack({ study, logged }: PolicyInput, components: readonly [string, Computation][]): Computation {
  const view = logged!;
  const { choices } = study.config;
  const rows =
    choices.stackedRows === 'last-of-prompt'
      ? lastRowOfPrompt(view.promptIds)
      : Int32Array.from(view.promptIds, (_, i) => i);
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
    sampling: samplingVariance(choices, influence, { promptIds, folds }),
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
