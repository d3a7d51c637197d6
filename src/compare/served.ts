/** Which model answered, in two builds: nodes whose replies came under other names than before. */

import { SUMMARY } from '../core/kind.ts';
import { servedText } from '../core/served-model.ts';
import type { Summary } from '../core/summary.ts';
import type { BuiltNode, PastBuild } from './past-build.ts';

export interface ServedChange {
  readonly node: string;
  /** Such as `20 of 40 replies say cheap-mini-q4, asked h-scout`; empty where all was as asked. */
  readonly before: string;
  readonly after: string;
}

export function compareServed(before: PastBuild, after: PastBuild): ServedChange[] {
  const changes: ServedChange[] = [];
  for (const node of after.nodes.values()) {
    const old = before.nodes.get(node.name);
    if (old === undefined || after.kindOf(node)?.shape !== 'calls') continue;
    const texts = { before: textOf(before, old), after: textOf(after, node) };
    if (texts.before !== texts.after) changes.push({ node: node.name, ...texts });
  }
  return changes;
}

/** From the build's own output: a node that was asked again has another summary under the same key. */
function textOf(build: PastBuild, node: BuiltNode): string {
  if (node.action.outputs[SUMMARY] === undefined) return '';
  const { calls } = JSON.parse(build.read(node).text(SUMMARY)) as Summary;
  return calls.flatMap((tally) => servedText(tally) ?? []).join('; ');
}
