/** How far two builds' judges agree on the same responses, policy by policy. */

import type { JsonObject } from '../core/json.ts';
import { ROWS } from '../core/kind.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { measured } from './measured.ts';
import type { BuiltNode, PastBuild } from './past-build.ts';

export interface ScoreChange {
  readonly node: string;
  readonly agreement: Agreement;
  /** Rows with a score in either build that the comparison leaves out: no score in the other, or another response. */
  readonly leftOut: number;
}

export interface ScoreChanges {
  readonly changes: readonly ScoreChange[];
  /** Nodes of scores whose outputs are the same bytes. */
  readonly unchanged: number;
}

/** Nodes of this kind in both builds, in the order of the later one's record. */
export function compareMeasured(a: PastBuild, b: PastBuild, kind: string): ScoreChanges {
  const changes: ScoreChange[] = [];
  let unchanged = 0;
  for (const after of b.ofKind(kind)) {
    const before = a.nodes.get(after.name);
    if (before === undefined || before.action.kind !== kind) continue;
    const [oldRows, newRows] = [before.action.outputs[ROWS], after.action.outputs[ROWS]];
    if (oldRows?.digest === newRows?.digest) {
      unchanged++;
      continue;
    }
    changes.push(compareNode(a, before, b, after, kind));
  }
  return { changes, unchanged };
}

function compareNode(a: PastBuild, before: BuiltNode, b: PastBuild, after: BuiltNode, kind: string): ScoreChange {
  const same = sameResponses(a, before, b, after);
  const old = new Map<string, number>();
  for (const row of a.read(before).rows()) {
    const value = measured(kind, row);
    if (value !== undefined) old.set(nameOf(row), value);
  }
  const pairs: [number, number][] = [];
  let leftOut = 0;
  for (const row of b.read(after).rows()) {
    const name = nameOf(row);
    const [was, value] = [old.get(name), measured(kind, row)];
    if (was === undefined && value === undefined) continue;
    old.delete(name);
    if (was === undefined || value === undefined || !same(row)) leftOut++;
    else pairs.push([was, value]);
  }
  return { node: after.name, agreement: agreementOf(pairs), leftOut: leftOut + old.size };
}

/** Labels are on several policies' responses to the same prompts. */
const nameOf = (row: JsonObject): string => JSON.stringify([row.policy ?? null, row.prompt_id ?? null]);

/** Whether a row is on the same response in both builds. */
function sameResponses(a: PastBuild, before: BuiltNode, b: PastBuild, after: BuiltNode): (row: JsonObject) => boolean {
  const differing = Object.entries(after.parts.inputs.responses ?? {}).filter(
    ([label, digest]) => before.parts.inputs.responses?.[label] !== digest,
  );
  if (differing.length === 0) return () => true;
  // By policy where a node reads several, by '' where it reads one.
  const changed = new Map<string, ReadonlySet<string>>();
  for (const [label] of differing) {
    const [old, now] = [a.upstream(before, 'responses', label), b.upstream(after, 'responses', label)];
    if (old === undefined || now === undefined) return () => false;
    changed.set(label, changedResponses(a.read(old).rows(), b.read(now).rows()));
  }
  return (row) => {
    const label = typeof row.policy === 'string' ? row.policy : '';
    return !(changed.get(label)?.has(String(row.prompt_id)) ?? false);
  };
}

function changedResponses(before: Iterable<JsonObject>, after: Iterable<JsonObject>): ReadonlySet<string> {
  const old = new Map<string, unknown>();
  for (const row of before) old.set(String(row.prompt_id), row.response);
  const changed = new Set<string>();
  for (const row of after) if (old.get(String(row.prompt_id)) !== row.response) changed.add(String(row.prompt_id));
  return changed;
}
