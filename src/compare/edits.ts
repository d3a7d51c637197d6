/** What was edited between two builds: nodes whose own parts differ, alike ones together. */

import { canonicalJson } from '../core/json.ts';
import { ownChanges, partName } from '../engine/changes.ts';
import { outputsDigest, type PartChange } from '../engine/keys.ts';
import type { PastBuild } from './past-build.ts';

export interface Edit {
  readonly nodes: readonly string[];
  readonly kind: string;
  /** As people call the parts. */
  readonly parts: readonly string[];
  readonly changes: readonly PartChange[];
}

export interface Edits {
  readonly edits: readonly Edit[];
  /** Nodes that only one of the builds has. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Nodes of both, by whether their outputs are the same bytes. */
  readonly same: number;
  readonly different: number;
}

export function editsBetween(a: PastBuild, b: PastBuild): Edits {
  const groups = new Map<string, { nodes: string[]; kind: string; changes: readonly PartChange[] }>();
  let same = 0;
  let different = 0;
  for (const [name, after] of b.nodes) {
    const before = a.nodes.get(name);
    if (before === undefined) continue;
    if (outputsDigest(before.action.outputs) === outputsDigest(after.action.outputs)) same++;
    else different++;
    const changes = ownChanges(before.parts, after.parts);
    if (changes.length === 0) continue;
    const { kind } = after.action;
    const key = canonicalJson([kind, changes]);
    const group = groups.get(key) ?? { nodes: [], kind, changes };
    groups.set(key, group);
    group.nodes.push(name);
  }
  const edits = [...groups.values()].map(({ nodes, kind, changes }): Edit => {
    const parts = [...new Set(changes.map(({ path }) => partName(path, kind)))];
    return { nodes, kind, parts, changes };
  });
  return {
    edits,
    added: [...b.nodes.keys()].filter((name) => !a.nodes.has(name)),
    removed: [...a.nodes.keys()].filter((name) => !b.nodes.has(name)),
    same,
    different,
  };
}
