/** Which rows, folds and clusters the library takes. */

import { indicesWhere } from '../../numeric/moments.ts';
import type { FreshView, LoggedView } from '../../study/policy-view.ts';
import type { Study } from '../../study/study.ts';
import { shuffledFolds } from '../python/shuffled-folds.ts';

/** Logged rows with a base log probability and at least one target's: its outcome models are trained on these. */
export function rowsWithSomeTarget(study: Study): Int32Array {
  const { logged } = study;
  const targets = study.data.policies.flatMap((p) => logged.targetLogprobs.get(p) ?? []);
  return indicesWhere(
    logged.promptIds.length,
    (i) => !Number.isNaN(logged.baseLogprobs[i]!) && targets.some((values) => !Number.isNaN(values[i]!)),
  );
}

/** One row a prompt, the last in the log, in order of prompt id: what it stacks. */
export function lastRowOfPrompt(promptIds: readonly string[]): Int32Array {
  const last = new Map(promptIds.map((id, i) => [id, i]));
  const ids = [...last.keys()].sort((a, b) => (a < b ? -1 : 1));
  return Int32Array.from(ids, (id) => last.get(id)!);
}

/** Whether two or more policies have draws for one and the same set of prompts: only then it clusters draws. */
export function policiesSharePrompts(study: Study): boolean {
  const sets = [...study.data.freshDraws.values()].map((draws) => new Set(draws.promptIds));
  const [first, ...others] = sets;
  if (first === undefined || others.length === 0) return false;
  return others.every((set) => set.size === first.size && [...set].every((id) => first.has(id)));
}

/** Shuffled folds of the view's rows. A draw takes the fold of its prompt's last logged row; others are never used. */
export function shuffledViewFolds(
  study: Study,
  view: LoggedView,
  fresh: FreshView,
): { readonly viewFolds: Int32Array; readonly drawFolds: Int32Array } {
  const viewFolds = shuffledFolds(view.rows.length, study.config.folds, study.config.seed);
  const ofPrompt = new Map(view.promptIds.map((id, i) => [id, viewFolds[i]!]));
  return { viewFolds, drawFolds: Int32Array.from(fresh.draws.promptIds, (id) => ofPrompt.get(id) ?? 0) };
}
