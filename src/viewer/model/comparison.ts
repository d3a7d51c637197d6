/** Two builds compared, as the viewer shows it. */

import { differenceOf } from '../../compare/difference.ts';
import type { BuildRecord, Store } from '../../core/storage.ts';
import { diffText } from '../../text/diff.ts';
import type { Comparison } from './types.ts';

/** @throws ProblemError where outputs of either build are no longer in the cache. */
export function comparisonOf(
  before: BuildRecord,
  after: BuildRecord,
  store: Pick<Store, 'actions' | 'blobs'>,
): Comparison {
  const { edits, scores, labels, estimates, rankings } = differenceOf(before, after, store, false);
  return {
    before,
    after,
    edits: edits.edits.map(({ nodes, kind, parts, changes }) => ({
      nodes,
      kind,
      parts,
      differences: changes.flatMap(({ path, before: old, after: now }) =>
        path[0] === 'code' ? [] : [{ path: path.slice(1).join('.'), text: diffText(textOf(old), textOf(now)) }],
      ),
    })),
    added: edits.added,
    removed: edits.removed,
    same: edits.same,
    different: edits.different,
    scores,
    labels,
    estimates,
    rankings,
  };
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
