/** The difference of two builds for people. */

import { buildLabel } from '../compare/build-title.ts';
import type { BuildDifference } from '../compare/difference.ts';
import type { Edit, Edits } from '../compare/edits.ts';
import type { ComparedEstimate, ComparedEstimates, RankingChange } from '../compare/estimates.ts';
import type { ScoreChange, ScoreChanges } from '../compare/scores.ts';
import type { ServedChange } from '../compare/served.ts';
import type { BuildRecord } from '../core/storage.ts';
import { partName } from '../engine/changes.ts';
import type { DiffLook } from '../text/diff.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, signed } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import { shiftText } from './agreement-text.ts';
import { sharedFolder } from './node-names.ts';
import { changeLines } from './why-text.ts';

const DIGITS = 3;

export function compareText(
  difference: BuildDifference,
  look: DiffLook,
  options: { readonly verbose: boolean },
): string {
  const { a, b, edits, scores, labels, served = [], measures = [], estimates, rankings } = difference;
  const lines = [headText(a, b), ''];
  lines.push(`Nodes: ${count(edits.different)} differ, ${count(edits.same)} are the same bytes${someNodes(edits)}`);
  const coded = edits.edits.filter(({ changes }) => changes.every(({ path }) => path[0] === 'code'));
  const kinds = [
    ...new Set(
      edits.edits.filter(({ changes }) => changes.some(({ path }) => path[0] === 'code')).map(({ kind }) => kind),
    ),
  ];
  if (kinds.length > 0) lines.push(`Code changed of the kinds ${kinds.join(', ')}.`);
  for (const edit of edits.edits) if (!coded.includes(edit)) lines.push(...editLines(edit, look, options.verbose));
  lines.push(...servedLines(served));
  lines.push(...measuredLines('Scores', 'on the same responses', scores));
  lines.push(...measuredLines('Oracle labels', 'on the same responses', labels));
  for (const group of measures) lines.push(...measuredLines(group.label, 'on the same items', group));
  lines.push(...estimateLines(estimates, options.verbose));
  lines.push(...rankingLines(rankings));
  return `${lines.join('\n')}\n`;
}

function headText(a: BuildRecord, b: BuildRecord): string {
  const row = (name: string, record: BuildRecord) => [
    name,
    buildLabel(record),
    record.profile,
    count(record.totals.calls.bought),
    dollars(record.totals.cost.billed),
    record.totals.cost.reproduce === null ? '?' : dollars(record.totals.cost.reproduce),
  ];
  const header = ['', 'build', 'profile', 'bought', 'billed', 'to reproduce'];
  return table([header, row('before', a), row('after', b)], {
    align: ['left', 'left', 'left', 'right', 'right', 'right'],
  });
}

function someNodes({ added, removed }: Edits): string {
  const parts = [
    ...(added.length === 0 ? [] : [`${count(added.length)} only after (${some(added)})`]),
    ...(removed.length === 0 ? [] : [`${count(removed.length)} only before (${some(removed)})`]),
  ];
  return parts.length === 0 ? '.' : `; ${parts.join('; ')}.`;
}

const some = (names: readonly string[]): string =>
  names.length > 2 ? `${names.slice(0, 2).join(', ')} …` : names.join(', ');

function editLines({ nodes, kind, changes }: Edit, look: DiffLook, verbose: boolean): string[] {
  const who = nodes.length === 1 ? nodes[0] : `${nodes[0]} and ${count(nodes.length - 1)} more`;
  const edited = changes.filter(({ path }) => path[0] !== 'code');
  const parts = new Set(edited.map(({ path }) => partName(path, kind)));
  const lines = ['', `${who}: ${[...parts].join(', ')} changed`];
  for (const change of verbose || edited.length <= 3 ? edited : edited.slice(0, 3))
    lines.push(...changeLines(change, look));
  return lines;
}

function servedLines(changes: readonly ServedChange[]): string[] {
  if (changes.length === 0) return [];
  const side = (text: string) => (text === '' ? 'the model that was asked' : printable(text));
  return [
    '',
    'Which model answered:',
    ...changes.flatMap(({ node, before, after }) => [`  ${node}: ${side(after)}`, `    before: ${side(before)}`]),
  ];
}

function measuredLines(title: string, on: string, { changes, unchanged }: ScoreChanges): string[] {
  if (changes.length === 0) return [];
  const { head, short } = sharedFolder(changes.map(({ node }) => node));
  const header = [head, 'n', 'before', 'after', 'shift (95 %)', 'corr.', 'same'];
  const rows = changes.map(({ node, agreement }: ScoreChange) => [
    short(node),
    count(agreement.n),
    agreement.n === 0 ? '' : agreement.meanBefore.toFixed(DIGITS),
    agreement.n === 0 ? '' : agreement.meanAfter.toFixed(DIGITS),
    agreement.n === 0 ? '' : shiftText(agreement),
    agreement.correlation?.toFixed(DIGITS) ?? '',
    agreement.n === 0 ? '' : `${Math.round(agreement.unchanged * 100)} %`,
  ]);
  const lines = ['', `${title} ${on}:`];
  lines.push(table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right', 'right', 'right'] }));
  const leftOut = changes.reduce((sum, change) => sum + change.leftOut, 0);
  if (leftOut > 0)
    lines.push(`Left out: ${counted(leftOut, 'row')} with another response, or without a number on one side.`);
  if (unchanged > 0) lines.push(`${counted(unchanged, 'other node')} unchanged.`);
  return lines;
}

function estimateLines({ changes, unchanged }: ComparedEstimates, verbose: boolean): string[] {
  if (changes.length === 0) return unchanged === 0 ? [] : ['', `Estimates: all ${count(unchanged)} unchanged.`];
  const shown = verbose
    ? changes
    : changes.filter((change) => change.type !== 'moved' || change.leading || change.paired !== null);
  const rows = shown.map((change) => [`${change.scorer}/${change.ablation}`, change.policy, ...sidesOf(change)]);
  const header = ['estimate', 'policy', 'before', 'after', 'Δ', '95 % of Δ', ''];
  const lines = ['', rows.length === 0 ? 'Estimates:' : 'Estimates (Δ paired by prompt):'];
  if (rows.length > 0)
    lines.push(table([header, ...rows], { align: ['left', 'left', 'right', 'right', 'right', 'right', 'left'] }));
  const hidden = changes.length - rows.length;
  const rest = [
    ...(hidden > 0 ? [`${count(hidden)} more moved (--verbose shows them)`] : []),
    ...(unchanged > 0 ? [`${count(unchanged)} unchanged`] : []),
  ];
  if (rest.length > 0) lines.push(`${rest.join('; ')}.`);
  if (shown.some((change) => change.type === 'moved' && change.leading && change.paired === null)) {
    lines.push('Where the interval is missing, one build cannot be computed again by this version.');
  }
  return lines;
}

function sidesOf(change: ComparedEstimate): string[] {
  switch (change.type) {
    case 'moved': {
      const { before, after, delta, paired } = change;
      const interval = paired === null ? '' : `${signed(paired.lower, DIGITS)} … ${signed(paired.upper, DIGITS)}`;
      return [before.estimate.toFixed(DIGITS), after.estimate.toFixed(DIGITS), signed(delta, DIGITS), interval, ''];
    }
    case 'other-units':
      return [change.before.estimate.toFixed(DIGITS), change.after.estimate.toFixed(DIGITS), '', '', 'other units'];
    case 'newly-refused':
      return [change.before.estimate.toFixed(DIGITS), 'refused', '', '', printable(change.after.gate)];
    case 'newly-estimated':
      return ['refused', change.after.estimate.toFixed(DIGITS), '', '', ''];
    case 'refused-otherwise':
      return ['refused', 'refused', '', '', `${printable(change.before.gate)} → ${printable(change.after.gate)}`];
    case 'added':
      return ['', change.after.status === 'ok' ? change.after.estimate.toFixed(DIGITS) : 'refused', '', '', 'new'];
    case 'removed':
      return [change.before.status === 'ok' ? change.before.estimate.toFixed(DIGITS) : 'refused', '', '', '', 'gone'];
  }
}

function rankingLines(rankings: readonly RankingChange[]): string[] {
  if (rankings.length === 0) return [];
  const lines = ['', 'Ranking, best first:'];
  for (const { scorer, ablation, before, beforeBy, after, changed } of rankings) {
    const name = `${scorer}/${ablation}`;
    const by = beforeBy === undefined ? '' : `, by ${beforeBy}`;
    if (!changed) lines.push(`  ${name}: ${after.join(' > ')} (unchanged${by})`);
    else lines.push(`  ${name}: ${after.join(' > ')}`, `    before${by}: ${before.join(' > ') || 'no estimate'}`);
  }
  return lines;
}
