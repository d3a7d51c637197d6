/** Small parts that several pages share: tables, facts, states, times. */

import { completeItems, OK, type Summary } from '../../core/summary.ts';
import { minus } from '../../report/charts/axis.ts';
import { clip, plainLine } from '../../text/escape.ts';
import { type Content, html, Markup } from '../../text/html.ts';
import { count, decimal, significant } from '../../text/numbers.ts';
import type { NodeState } from '../model/open-node.ts';

interface Heading {
  readonly name: Content;
  readonly numeric?: boolean;
  readonly sorted?: 'ascending' | 'descending';
}

/** A table in a box that scrolls by itself; the first cell of a row is its heading. */
export function table(
  label: string,
  headings: readonly Heading[],
  rows: readonly (readonly Content[])[],
  caption?: Content,
): Markup {
  const body = html`<tbody>\n${rows.map((cells) => tableRow(headings, cells))}</tbody>`;
  return tableBox(label, headings, body, caption);
}

interface RowGroup {
  readonly id: string;
  readonly title: Content;
  readonly rows: readonly (readonly Content[])[];
}

/** The same with its rows in groups, each under a title; a last column that says nothing is left out. */
export function groupedTable(label: string, headings: readonly Heading[], groups: readonly RowGroup[]): Markup {
  const silent = groups.every(({ rows }) => rows.every((cells) => cells[headings.length - 1] === null));
  const shown = silent ? headings.slice(0, -1) : headings;
  const body = groups.map(
    ({ id, title, rows }) =>
      html`<tbody id="${id}"><tr class="group"><th colspan="${shown.length}" scope="rowgroup">${title}</th></tr>
${rows.map((cells) => tableRow(shown, cells.slice(0, shown.length)))}</tbody>\n`,
  );
  return tableBox(label, shown, html`${body}`);
}

const aligned = (heading: Heading | undefined) => heading?.numeric === true && new Markup(' class="num"');

function tableRow(headings: readonly Heading[], cells: readonly Content[]): Markup {
  return html`<tr>${cells.map((content, index) =>
    index === 0
      ? html`<th scope="row"${aligned(headings[0])}>${content}</th>`
      : html`<td${aligned(headings[index])}>${content}</td>`,
  )}</tr>\n`;
}

function tableBox(label: string, headings: readonly Heading[], body: Markup, caption?: Content): Markup {
  const head = headings.map(
    (heading) =>
      html`<th scope="col"${aligned(heading)}${heading.sorted !== undefined && html` aria-sort="${heading.sorted}"`}>${heading.name}</th>`,
  );
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>${
    caption !== undefined && html`<caption>${caption}</caption>`
  }
<thead><tr>${head}</tr></thead>
${body}</table></div>\n`;
}

export function facts(entries: readonly (readonly [name: string, value: Content] | false)[]): Markup {
  const present = entries.filter((entry) => entry !== false);
  return html`<dl class="facts">${present.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const STATES: Readonly<Record<NodeState, string>> = {
  done: 'done',
  refused: 'refused',
  incomplete: 'incomplete',
  failed: 'failed',
  skipped: 'skipped',
  stale: 'not up to date',
};

export const state = (of: NodeState): Markup => html`<span class="state ${of}">${STATES[of]}</span>`;

/** Such as `198 of 200`, with what the others are. */
export function completeness(summary: Summary | undefined): Content {
  if (summary === undefined || summary.items === 0) return null;
  const complete = completeItems(summary);
  if (complete === summary.items) return count(summary.items);
  return html`${count(complete)} of ${count(summary.items)}`;
}

export function lacking(summary: Summary | undefined): string {
  return Object.entries(summary?.statuses ?? {})
    .filter(([status]) => status !== OK)
    .map(([status, rows]) => `${count(rows)} ${status}`)
    .join(', ');
}

export const decimalText = (value: number | null): string => minus(decimal(value));
export const significantText = (value: number | null): string => minus(significant(value));

/** How all numbers of one sort are written: whole ones, as labels from 1 to 5 are, without decimals. */
export const decimalWriter = (values: readonly (number | null)[]): ((value: number | null) => string) =>
  values.some((value) => value !== null && !Number.isInteger(value)) ||
  values.every((value) => value === null || value === 0 || value === 1)
    ? decimalText
    : (value) => (value === null ? decimalText(null) : minus(count(value)));

/** Nats, to two decimals. */
export const natsText = (value: number | null): string => (value === null ? '–' : minus(value.toFixed(2)));

/** Decimals at most: beyond them a number says more than it knows. */
const MOST_DECIMALS = 6;

/** Numbers with as many decimals as show two digits of the smallest of them, three at least; whole numbers without any. */
export function alike(values: readonly number[]): string[] {
  if (values.every(Number.isInteger)) return values.map((value) => minus(count(value)));
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  const least = largest >= 10 ? 2 : 3;
  const wanted = smallest >= 1 ? least : 1 - Math.floor(Math.log10(smallest));
  const decimals = largest >= 10 ? least : Math.min(MOST_DECIMALS, Math.max(least, wanted));
  return values.map((value) => minus(value.toFixed(decimals)));
}

const two = (value: number): string => String(value).padStart(2, '0');

/** In the time zone of the one who looks: the viewer runs on their machine. */
export function time(milliseconds: number): Markup {
  const date = new Date(milliseconds);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const hour = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return html`<time datetime="${date.toISOString()}">${day} ${hour}</time>`;
}

/** A value of a row in one line. */
export function cell(value: unknown, length = 90): Content {
  if (value === null || value === undefined) return html`<span class="faint">–</span>`;
  if (typeof value === 'number') return minus(String(Number(value.toPrecision(6))));
  if (typeof value === 'string') return clip(plainLine(value.slice(0, 10 * length)), length);
  return clip(JSON.stringify(value), length);
}

interface Pager {
  readonly offset: number;
  readonly limit: number;
  readonly selected: number;
  readonly at: (offset: number) => string;
}

export function pager({ offset, limit, selected, at }: Pager): Markup | null {
  if (selected <= limit && offset === 0) return null;
  const last = Math.max(0, Math.floor((selected - 1) / limit) * limit);
  const link = (to: number, rel: string, text: string, on: boolean) =>
    on ? html`<a rel="${rel}" href="${at(to)}">${text}</a>` : html`<span class="off">${text}</span>`;
  return html`<nav class="pager" aria-label="Pages of rows">
${link(0, 'first', 'First', offset > 0)}${link(Math.max(0, offset - limit), 'prev', '← Previous', offset > 0)}
<span>${count(Math.min(offset + 1, selected))}–${count(Math.min(offset + limit, selected))} of ${count(selected)}</span>
${link(offset + limit, 'next', 'Next →', offset + limit < selected)}${link(last, 'last', 'Last', offset < last)}</nav>`;
}

/** Choices of a form's field. */
export function options(
  entries: readonly { readonly value: string; readonly label: string }[],
  chosen: string | undefined,
): Markup[] {
  return entries.map(
    ({ value, label }) =>
      html`<option value="${value}"${value === (chosen ?? '') && new Markup(' selected')}>${label}</option>`,
  );
}
