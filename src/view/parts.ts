/** Small parts that several pages share: tables, facts, states, times. */

import { completeItems, OK, type Summary } from '../core/summary.ts';
import { minus } from '../report/charts/axis.ts';
import { type Content, html, Markup } from '../report/html/markup.ts';
import { count, decimal, significant } from '../report/number.ts';
import { clip, plainLine } from '../report/text.ts';
import type { NodeState } from './source.ts';

export interface Heading {
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
  const aligned = (index: number) => headings[index]?.numeric === true && new Markup(' class="num"');
  const head = headings.map(
    ({ name, sorted }, index) =>
      html`<th scope="col"${aligned(index)}${sorted !== undefined && html` aria-sort="${sorted}"`}>${name}</th>`,
  );
  const body = rows.map(
    (cells) =>
      html`<tr>${cells.map((cell, index) =>
        index === 0 ? html`<th scope="row"${aligned(index)}>${cell}</th>` : html`<td${aligned(index)}>${cell}</td>`,
      )}</tr>\n`,
  );
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>${
    caption !== undefined && html`<caption>${caption}</caption>`
  }
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody></table></div>\n`;
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

/** Nats, to two decimals. */
export const natsText = (value: number | null): string => (value === null ? '–' : minus(value.toFixed(2)));

const two = (value: number): string => String(value).padStart(2, '0');

/** In the time zone of the one who looks: the viewer runs on their machine. */
export function time(milliseconds: number): Markup {
  const date = new Date(milliseconds);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const hour = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return html`<time datetime="${date.toISOString()}">${day} ${hour}</time>`;
}

export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${two(Math.round(seconds % 60) % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** A value of a row in one line. */
export function cell(value: unknown, length = 90): Content {
  if (value === null || value === undefined) return html`<span class="faint">–</span>`;
  if (typeof value === 'number') return minus(String(Number(value.toPrecision(6))));
  if (typeof value === 'string') return clip(plainLine(value.slice(0, 10 * length)), length);
  return clip(JSON.stringify(value), length);
}

export interface Pager {
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
