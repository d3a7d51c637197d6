/** Two builds compared, as the viewer shows it. */

import { type BuildDifference, differenceOf } from '../../compare/difference.ts';
import type { Edit, Edits } from '../../compare/edits.ts';
import type { PastPorts } from '../../compare/past-build.ts';
import type { BuildRecord } from '../../core/storage.ts';
import { diffText } from '../../text/diff.ts';

export interface Comparison
  extends Omit<BuildDifference, 'a' | 'b' | 'edits'>,
    Pick<Edits, 'added' | 'removed' | 'same' | 'different'> {
  readonly before: BuildRecord;
  readonly after: BuildRecord;
  readonly edits: readonly ShownEdit[];
}

interface ShownEdit extends Pick<Edit, 'nodes' | 'kind' | 'parts'> {
  /** Unified differences of the parts that changed, by their path; code has none. */
  readonly differences: readonly { readonly path: string; readonly text: string }[];
}

/** @throws ProblemError where outputs of either build are no longer in the cache. */
export function comparisonOf(before: BuildRecord, after: BuildRecord, ports: PastPorts): Comparison {
  const { a: _, b: __, edits, ...rest } = differenceOf(before, after, ports, false);
  const { added, removed, same, different } = edits;
  return { before, after, ...rest, edits: edits.edits.map(shownEdit), added, removed, same, different };
}

const shownEdit = ({ nodes, kind, parts, changes }: Edit): ShownEdit => ({
  nodes,
  kind,
  parts,
  differences: changes.flatMap(({ path, before, after }) =>
    path[0] === 'code' ? [] : [{ path: path.slice(1).join('.'), text: diffText(textOf(before), textOf(after)) }],
  ),
});

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
