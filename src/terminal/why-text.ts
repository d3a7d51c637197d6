/** Explanations for people: what was edited, line by line, and how it reaches the target. */

import { buildName } from '../compare/build-title.ts';
import { partName, valueText } from '../engine/changes.ts';
import type { Explanation, ItemExplanation, NodeCause, RootCause } from '../engine/explain/why.ts';
import type { PartChange } from '../engine/keys.ts';
import { type DiffLook, unifiedDiff } from '../text/diff.ts';
import { printable } from '../text/escape.ts';
import { counted } from '../text/plural.ts';
import { differenceLines } from './example-text.ts';

/** Values longer than this are shown as differences of lines. */
const SHORT = 60;

export function whyText(explanation: Explanation, look: DiffLook): string {
  const { target, state, since, causes, nodes } = explanation;
  if (since === undefined && causes.every(({ cause }) => cause.since === null)) {
    const reason = state === 'fresh' ? 'a result for its key is in the cache' : 'it would run';
    return `${target}: no recorded build made it; ${reason}.\n`;
  }
  const compared = since === undefined ? '' : ` Compared with ${buildName(since)}:`;
  const own = nodes.find(({ node }) => node === target);
  if (causes.length === 0 && own?.inputs.length === 0) {
    const hint = `Why it ran then: cje why ${target} --since last~1`;
    return `${target} is up to date: nothing changed since ${since === undefined ? 'it was built' : buildName(since)}.\n${hint}\n`;
  }
  const head =
    state === 'fresh'
      ? `${target} would not run: a result for its key is in the cache.${compared}`
      : `${target} would run.${compared}`;
  const lines = [head];
  for (const cause of causes) lines.push('', ...causeLines(cause, target, look));
  if (causes.length === 0) lines.push('', ...inputLines(nodes));
  return `${lines.join('\n')}\n`;
}

function causeLines({ nodes, cause, path }: RootCause, target: string, look: DiffLook): string[] {
  const lines: string[] = [];
  const who = namesText(nodes);
  if (cause.since === null) lines.push(`${who}: not built before`);
  else if (cause.changes.length === 0) lines.push(`${who}: ${printable(cause.reason)}`);
  for (const [index, change] of cause.changes.entries()) {
    const file = fileOf(cause, change);
    const name = partName(change.path, cause.kind);
    lines.push(
      `${index === 0 ? `${who}: ` : '  '}${name} changed${file === undefined ? '' : ` in ${printable(file)}`}`,
    );
    lines.push(...changeLines(change, look));
  }
  for (const { node, input, change } of cause.inputs) {
    if (change === 'added' || change === 'removed') lines.push(`  input ${input}: ${node} was ${change}`);
  }
  if (nodes.length === 1 && nodes[0] === target) return lines;
  lines.push(`  reaches it by ${path.join(' → ')}`);
  return lines;
}

function namesText(nodes: readonly string[]): string {
  const [first = '', ...more] = nodes;
  if (more.length === 0) return first;
  const folder = first.slice(0, first.lastIndexOf('/') + 1);
  const alike = folder !== '' && nodes.every((name) => name.startsWith(folder));
  return alike ? `${folder}* (${nodes.length})` : `${first} and ${more.length} more`;
}

const fileOf = ({ files }: NodeCause, { path }: PartChange): string | undefined => files[path.slice(1).join('.')];

/** Short values side by side, long ones line by line; the digest of code says nothing to anybody. */
export function changeLines({ path, before, after }: PartChange, look: DiffLook): string[] {
  if (path[0] === 'code' || path[0] === 'sources') return [];
  const [old, now] = [valueText(before), valueText(after)];
  if (Math.max(old.length, now.length) <= SHORT && !/\n/.test(old + now)) {
    return [`    ${printable(old)} → ${printable(now)}`];
  }
  return unifiedDiff(linesOf(before, old), linesOf(after, now), look, '    ');
}

const linesOf = (value: PartChange['before'], text: string): string =>
  value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value, null, 2) : text;

/** Where nothing was edited and an input differs all the same: replies were asked for again. */
function inputLines(nodes: readonly NodeCause[]): string[] {
  return nodes.flatMap(({ node, inputs }) =>
    inputs.map(({ input, node: upstream, change }) =>
      change === 'unknown'
        ? `${node}: input ${input}, ${upstream}, has to run first`
        : `${node}: input ${input}, ${upstream}, has another output with the same key (it was asked again)`,
    ),
  );
}

export function whyItemText({ node, item, since, without, calls }: ItemExplanation, look: DiffLook): string {
  const lines = [`${printable(item)} of ${node}${since === undefined ? '' : `, compared with ${buildName(since)}`}`];
  if (without !== undefined) lines.push(`Nothing to compare with: ${without}.`);
  for (const { call, after, before, stored, texts } of calls) {
    const name = calls.length > 1 ? `call ${call + 1}` : 'its call';
    if (after === null) lines.push('', `${name} is not asked any more`);
    else if (before === null) lines.push('', `${name} is new; its reply is ${stored ? 'stored' : 'not stored'}`);
    else if (before === after)
      lines.push('', `${name} is the same request; its reply is ${stored ? 'stored' : 'not stored'}`);
    else {
      lines.push('', `${name} is another request; its reply is ${stored ? 'stored' : 'not stored'}`);
      lines.push(...differenceLines(texts, look));
    }
  }
  if (calls.length === 0) lines.push('', `It asks nothing (${counted(0, 'call')}).`);
  return `${lines.join('\n')}\n`;
}
