/** Where a pipeline's labels come from. */

import { relative } from 'node:path';
import type { GraphNode } from '../core/graph.ts';
import { writes } from '../core/kind.ts';
import { LABELS } from '../datasets/row-types.ts';
import type { Session } from './compose.ts';

/** The node whose labels people give: tables of labels before models that label. */
export function labelNodes({ graph, kinds }: Pick<Session, 'graph' | 'kinds'>): readonly GraphNode[] {
  const all = [...graph.nodes.values()].filter(
    ({ kind, inputs }) => writes(kinds.get(kind)?.kind, LABELS) && inputs.responses !== undefined,
  );
  const people = all.filter(({ kind }) => kinds.get(kind)?.kind.variant !== undefined);
  return people.length > 0 ? people : all;
}

/** How the sheet is written that the pipeline reads; undefined where its labels are no people's. */
export function labelCommand(session: Pick<Session, 'graph' | 'kinds'>): string | undefined {
  const [node] = labelNodes(session);
  if (node === undefined || session.kinds.get(node.kind)?.kind.variant === undefined) return undefined;
  const { file } = node.params;
  const path = typeof file === 'string' ? relative(process.cwd(), file) : 'labels.csv';
  return `cje export --format labels -o ${path}`;
}
