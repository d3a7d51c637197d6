/** How far two builds' numbers agree, row by row: scores and labels of the same responses, and what other kinds measure. */

import type { JsonObject } from '../core/json.ts';
import { type Kind, type Measure, ROWS } from '../core/kind.ts';
import { RESPONSES } from '../datasets/row-types.ts';
import { drawName, type ResponseRow } from '../datasets/rows.ts';
import { nameOf, textOf } from '../engine/items.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { comparedMeasure, measured } from './measured.ts';
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

/** What the nodes of one type of rows measure. */
export interface MeasuredChanges extends ScoreChanges {
  /** The name of the rows' type, such as `scores`. */
  readonly rows: string;
  /** What people call the number. */
  readonly label: string;
}

/** All that is compared of the nodes of both builds, by type of rows, in the order of the later one's record. */
export function compareMeasured(a: PastBuild, b: PastBuild): MeasuredChanges[] {
  const groups = new Map<string, { rows: string; label: string; changes: ScoreChange[]; unchanged: number }>();
  for (const after of b.nodes.values()) {
    const kind = b.kindOf(after);
    const measure = comparedMeasure(kind);
    const before = a.nodes.get(after.name);
    if (kind === undefined || measure === undefined || before?.action.kind !== kind.name) continue;
    const rows = rowsName(kind);
    const group = groups.get(rows) ?? { rows, label: measure.label, changes: [], unchanged: 0 };
    groups.set(rows, group);
    const [old, now] = [before.action.outputs[ROWS], after.action.outputs[ROWS]];
    if (old?.digest === now?.digest) group.unchanged++;
    else group.changes.push(compareNode(a, before, b, after, kind, measure));
  }
  return [...groups.values()];
}

function rowsName({ name, outputs }: Kind): string {
  const type = outputs[ROWS];
  return typeof type === 'object' ? type.name : name;
}

function compareNode(
  a: PastBuild,
  before: BuiltNode,
  b: PastBuild,
  after: BuiltNode,
  kind: Kind,
  measure: Measure,
): ScoreChange {
  const same = sameResponses(a, before, b, after, kind);
  const old = new Map<string, number>();
  let index = 0;
  for (const row of a.read(before).rows()) {
    const value = measured(measure, row);
    const name = textOf(nameOf(kind, row), index++);
    if (value !== undefined) old.set(name, value);
  }
  const pairs: [number, number][] = [];
  let leftOut = 0;
  index = 0;
  for (const row of b.read(after).rows()) {
    const name = textOf(nameOf(kind, row), index++);
    const [was, value] = [old.get(name), measured(measure, row)];
    if (was === undefined && value === undefined) continue;
    old.delete(name);
    if (was === undefined || value === undefined || !same(row)) leftOut++;
    else pairs.push([was, value]);
  }
  return { node: after.name, agreement: agreementOf(pairs), leftOut: leftOut + old.size };
}

/** Whether a row is on the same response in both builds; a kind that reads no responses is of the same things always. */
function sameResponses(
  a: PastBuild,
  before: BuiltNode,
  b: PastBuild,
  after: BuiltNode,
  kind: Kind,
): (row: JsonObject) => boolean {
  // By policy where a node reads several, by '' where it reads one.
  const changed = new Map<string, ReadonlySet<string>>();
  for (const [input, { rows }] of Object.entries(kind.inputs)) {
    if (rows?.some(({ name }) => name === RESPONSES.name) !== true) continue;
    for (const [label, digest] of Object.entries(after.parts.inputs[input] ?? {})) {
      if (before.parts.inputs[input]?.[label] === digest) continue;
      const [old, now] = [a.upstream(before, input, label), b.upstream(after, input, label)];
      if (old === undefined || now === undefined) return () => false;
      changed.set(label, changedResponses(a.read(old).rows(RESPONSES), b.read(now).rows(RESPONSES)));
    }
  }
  return (row) => {
    const { policy = '', id = '' } = nameOf(kind, row);
    return !(changed.get(policy) ?? changed.get(''))?.has(id);
  };
}

function changedResponses(before: Iterable<ResponseRow>, after: Iterable<ResponseRow>): ReadonlySet<string> {
  const name = ({ prompt_id: prompt, draw_index: draw }: ResponseRow) => drawName(prompt, draw);
  const old = new Map(Array.from(before, (row) => [name(row), row.response]));
  const changed = new Set<string>();
  for (const row of after) if (old.get(name(row)) !== row.response) changed.add(name(row));
  return changed;
}
