/** Two builds side by side: what was edited, and what it moved. */

import type { ScoreChanges } from '../../compare/scores.ts';
import { minus } from '../../report/charts/axis.ts';
import { type Content, html, type Markup } from '../../text/html.ts';
import { dollars } from '../../text/money.ts';
import { count, percent, signed } from '../../text/numbers.ts';
import { textBlock, verbatim } from '../../text/verbatim.ts';
import type { BuildSource } from '../model/build-source.ts';
import type { Comparison } from '../model/comparison.ts';
import type { Page } from '../parts/layout.ts';
import { links } from '../parts/links.ts';
import { decimalText, table, time } from '../parts/parts.ts';
import { missingPage } from './problem.ts';

export async function comparePage(source: BuildSource, beforeName: string, afterName: string): Promise<Page> {
  const find = (name: string) => {
    const id = source.resolve(name);
    return source.builds().find((record) => record.id === id);
  };
  const [before, after] = [find(beforeName), find(afterName)];
  if (before === undefined || after === undefined) {
    return missingPage('Comparing takes two recorded builds; choose them on the page of builds.');
  }
  const comparison = await source.compare(before, after);
  const body = html`<h1>What moved</h1>
${sides(comparison)}
${edits(comparison)}
${served(comparison)}${measured('Scores', comparison.scores, after.id)}
${measured('Oracle labels', comparison.labels, after.id)}${(comparison.measures ?? []).map((changes) => measured(changes.label, changes, after.id))}
${estimates(comparison)}
${rankings(comparison)}`;
  return { title: 'What moved', tab: 'builds', body };
}

function sides({ before, after }: Comparison): Markup {
  const row = (name: string, { id, tags = [], finishedAt, profile, totals }: Comparison['before']): Content[] => [
    name,
    html`<a href="${links.run(id)}">${id}</a>${tags.map((tag) => html` <span class="tag">${tag}</span>`)}`,
    time(finishedAt),
    profile,
    count(totals.calls.bought),
    dollars(totals.cost.billed),
    dollars(totals.cost.reproduce),
  ];
  const headings = ['', 'Build', 'Finished', 'Profile', 'Bought', 'Billed', 'To reproduce'];
  return table(
    'The two builds',
    headings.map((name, index) => ({ name, numeric: index > 3 })),
    [row('Before', before), row('After', after)],
  );
}

function edits({ edits: all, added, removed, same, different }: Comparison): Markup {
  const who = (nodes: readonly string[]) =>
    nodes.length < 3 ? nodes.join(', ') : `${nodes[0]} and ${count(nodes.length - 1)} more`;
  const list = all.map(
    ({
      nodes,
      parts,
      differences,
    }) => html`<section class="edit"><h3>${who(nodes)}</h3><p>${parts.join(', ')} changed</p>
${differences.map(({ path, text }) => html`<figure><figcaption>${path}</figcaption>${unified(text)}</figure>`)}</section>`,
  );
  return html`<section id="edits"><h2>Edits</h2>
<p>${count(different)} nodes differ, ${count(same)} are the same bytes${added.length > 0 && `; only after: ${who(added)}`}${removed.length > 0 && `; only before: ${who(removed)}`}.</p>
${list}</section>`;
}

function served({ served: changes = [] }: Comparison): Markup | null {
  if (changes.length === 0) return null;
  const side = (text: string) => (text === '' ? 'the model that was asked' : text);
  return html`<section id="served"><h2>Which model answered</h2>
${table(
  'Which model answered',
  [{ name: 'Node' }, { name: 'Before' }, { name: 'After' }],
  changes.map(({ node, before, after }) => [node, side(before), side(after)]),
)}</section>
`;
}

/** Longer differences are cut: a list of rows may stand in a parameter. */
const LONGEST = 20_000;

function unified(text: string): Markup {
  if (text.length > LONGEST) return textBlock(text, { limit: LONGEST });
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return html`<ins>${verbatim(line)}</ins>\n`;
      if (line.startsWith('-')) return html`<del>${verbatim(line)}</del>\n`;
      return html`<span>${verbatim(line)}</span>\n`;
    });
  return html`<pre class="text diff">${lines}</pre>`;
}

function measured(title: string, { changes, unchanged }: ScoreChanges, run: string): Markup | null {
  if (changes.length === 0) return null;
  const rows = changes.map(({ node, agreement: { n, meanBefore, meanAfter, ...rest } }): Content[] => [
    html`<a href="${links.node(run, node)}">${node}</a>`,
    count(n),
    ...(n === 0
      ? ['', '', '', '', '', '']
      : [
          decimalText(meanBefore),
          decimalText(meanAfter),
          shift(rest.shift),
          rest.lower === null || rest.upper === null ? '–' : `[${shift(rest.lower)}, ${shift(rest.upper)}]`,
          rest.correlation === null ? '–' : decimalText(rest.correlation),
          percent(rest.unchanged),
        ]),
  ]);
  const headings = ['Node', 'n', 'Before', 'After', 'Shift', '95 % interval', 'Correlation', 'Same'];
  const leftOut = changes.reduce((sum, change) => sum + change.leftOut, 0);
  return html`<section><h2>${title}</h2><p>On the same responses alone.${leftOut > 0 && html` ${count(leftOut)} rows are left out: another response, or no number on one side.`}${unchanged > 0 && html` ${count(unchanged)} other nodes are unchanged.`}</p>
${table(
  title,
  headings.map((name, index) => ({ name, numeric: index > 0 })),
  rows,
)}</section>`;
}

function estimates({ estimates: { changes, unchanged } }: Comparison): Markup {
  const leadingFirst = [...changes].sort((a, b) => Number(b.leading) - Number(a.leading));
  const rows = leadingFirst.map((change): Content[] => [
    `${change.scorer}/${change.ablation}`,
    change.leading ? html`<b>${change.policy}</b>` : change.policy,
    ...estimateCells(change),
  ]);
  const headings = ['Estimate', 'Policy', 'Before', 'After', 'Δ', '95 % of Δ, paired'];
  return html`<section id="estimates"><h2>Estimates</h2>
<p>${changes.length === 0 ? `All ${count(unchanged)} are unchanged.` : `${count(changes.length)} moved, ${count(unchanged)} are unchanged. The interval of a difference is paired by prompt, for the estimator that the report leads with (in bold).`}</p>
${
  rows.length > 0 &&
  table(
    'Estimates',
    headings.map((name, index) => ({ name, numeric: index > 1 })),
    rows,
  )
}</section>`;
}

/** A difference with its sign; one that three decimals would hide says so. */
function shift(value: number): string {
  if (value === 0 || Math.abs(value) >= 0.0005) return minus(signed(value));
  return value > 0 ? '+<0.001' : '−<0.001';
}

function estimateCells(change: Comparison['estimates']['changes'][number]): Content[] {
  const refused = (gate: string) => html`<span class="refused">refused: ${gate}</span>`;
  switch (change.type) {
    case 'moved': {
      const { before, after, delta, paired } = change;
      const interval = paired === null ? '' : `[${shift(paired.lower)}, ${shift(paired.upper)}]`;
      return [decimalText(before.estimate), decimalText(after.estimate), shift(delta), interval];
    }
    case 'other-units':
      return [decimalText(change.before.estimate), decimalText(change.after.estimate), '', 'other units'];
    case 'newly-refused':
      return [decimalText(change.before.estimate), refused(change.after.gate), '', ''];
    case 'newly-estimated':
      return [refused(change.before.gate), decimalText(change.after.estimate), '', ''];
    case 'refused-otherwise':
      return [refused(change.before.gate), refused(change.after.gate), '', ''];
    case 'added':
      return [
        '',
        change.after.status === 'ok' ? decimalText(change.after.estimate) : refused(change.after.gate),
        '',
        'new',
      ];
    case 'removed':
      return [
        change.before.status === 'ok' ? decimalText(change.before.estimate) : refused(change.before.gate),
        '',
        '',
        'gone',
      ];
  }
}

function rankings({ rankings: all }: Comparison): Markup | null {
  if (all.length === 0) return null;
  const order = (policies: readonly string[]) => policies.join(' > ') || 'no estimate';
  return html`<section id="ranking"><h2>Ranking</h2>
${table(
  'Rankings',
  [{ name: 'By' }, { name: 'Before' }, { name: 'After' }, { name: '' }],
  all.map(({ scorer, ablation, before, beforeBy, after, changed }) => [
    `${scorer}/${ablation}`,
    `${order(before)}${beforeBy === undefined ? '' : ` (by ${beforeBy})`}`,
    order(after),
    changed ? html`<b>changed</b>` : 'unchanged',
  ]),
)}</section>`;
}
